"""Payments: a page on which somebody pays, refunds, and how both stand."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity import Money

CAPABILITIES: Final = frozenset({"card", "paypal", "sepa_debit", "transfer", "refund", "partial_refund"})


class PaymentState(StrEnum):
    """How a payment or a refund stands.

    `pending`: agreed, but the money is under way, which takes a direct debit days. `returned`: it was paid and came
    back against one's will, for a direct debit up to 13 months later (SEPA Core Rulebook), so it may follow `paid`.
    """

    open = "open"
    pending = "pending"
    paid = "paid"
    failed = "failed"
    expired = "expired"
    returned = "returned"


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What shall be paid. `reference` is shown to the payer and comes back, an invoice's number for instance.

    The payer returns to `return_url` when done, to `cancel_url` otherwise; that somebody returned proves no payment.
    `methods` are capabilities (`card`, `sepa_debit`); none leaves the choice to the provider.
    """

    amount: Money
    reference: str
    return_url: str
    cancel_url: str
    description: str = ""
    email: str = ""
    language: str = ""
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it stands. `url` is where the payer pays, empty once that is over; `refunded` of it went back."""

    id: str
    state: PaymentState
    amount: Money
    refunded: Money
    reference: str
    url: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back: `pending`, `paid` (it is back) or `failed`."""

    id: str
    payment_id: str
    state: PaymentState
    amount: Money


class Payments(Protocol):
    """Takes payments by a link and gives them back (FIN-7). Stripe Checkout and PayPal Orders v2 can both serve it.

    Amounts are exact: an amount with more places than the currency has is `Declined`, never rounded. Card numbers never
    pass through here.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """The ways to pay, and `refund`, `partial_refund`."""

    def start(self, order: PaymentOrder, *, key: str) -> Payment:
        """A payment to be made at its `url`; the same key starts one. Raises Declined, Unavailable, Unsure."""

    def find(self, payment_id: str) -> Payment:
        """The payment as it stands now; takes money that waits to be taken (PayPal's capture).

        Raises NotFound, Unavailable.
        """

    def refund(self, payment_id: str, amount: Money | None = None, *, key: str) -> Refund:
        """Give the amount back, or all that is left; the same key gives back once.

        Raises Declined for what was not paid, is more than is left or no capability, NotFound, Unavailable, Unsure.
        """
