"""Billing: what customers are charged for, once or again and again, by whichever plugin writes invoices."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from gigacore.values import dataclass

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from gigacore.entity import Money

CAPABILITIES: Final = frozenset({"subscriptions"})


class BillState(StrEnum):
    """How a bill stands: a `draft` has no number yet, an `open` one is issued, a credit note made it `void`."""

    draft = "draft"
    open = "open"
    paid = "paid"
    void = "void"


class Every(StrEnum):
    """How often a subscription bills."""

    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: `quantity` times `price`, without tax. Usage is a quantity of `unit` (`hour`, `call`).

    `tax` is a rate in per cent; None leaves it to the provider's rules for the customer.
    """

    text: str
    quantity: Decimal
    price: Money
    unit: str = ""
    tax: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BillOrder:
    """What a customer shall pay for. `customer` is a record: `("crm.company", 7)`.

    `reference` comes back with the bill. All lines have one currency.
    """

    customer: tuple[str, int]
    lines: tuple[BillLine, ...]
    reference: str = ""
    language: str = ""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill as it stands. `net` is the sum of its lines without tax; `url` shows it to those who may see it."""

    id: str
    state: BillState
    net: Money
    reference: str = ""
    number: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Lines that are billed again and again; `next_on` is None once it has ended."""

    id: str
    every: Every
    reference: str = ""
    next_on: date | None = None


class Billing(Protocol):
    """Has customers billed by a plugin that need not be there: hours (PRJ-3), sales (OPP-7), subscriptions (FIN-9).

    A finance plugin of one's own and Stripe Billing can both serve it. It opens units of work of its own. Whether a
    bill is issued at once or waits as a draft is the provider's rule.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """`subscriptions`: it bills again by itself."""

    def bill(self, order: BillOrder, *, key: str) -> Bill:
        """A bill; the same key gives one.

        Raises Declined (no line, several currencies, no such customer), Unavailable, Unsure.
        """

    def find(self, bill_id: str) -> Bill:
        """The bill as it stands now. Raises NotFound, Unavailable."""

    def subscribe(self, order: BillOrder, every: Every, first_on: date, *, key: str) -> Subscription:
        """Bill these lines from `first_on` on; the same key subscribes once.

        Raises Declined (also without `subscriptions`), Unavailable, Unsure.
        """

    def unsubscribe(self, subscription_id: str) -> Subscription:
        """No further bill; one that has ended stays so. Raises NotFound, Unavailable."""
