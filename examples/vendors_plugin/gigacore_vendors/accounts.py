"""Bills and subscriptions in files: what a finance plugin would turn into invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gigacore import Money, msg
from gigacore.errors import Declined
from gigacore.ports import Bill, BillOrder, BillState, Every, Subscription
from gigacore_vendors.ledger import Ledger

if TYPE_CHECKING:
    from gigacore import Crm


class Accounts:
    """Drafts of bills, for somebody to look at."""

    capabilities = frozenset({"subscriptions"})

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.bills = Ledger(crm.settings.data_dir / "vendors" / "bills")
        self.subscriptions = Ledger(crm.settings.data_dir / "vendors" / "subscriptions")

    def bill(self, order: BillOrder, *, key: str) -> Bill:
        """See `Billing`."""
        net = self._net(order)
        values = {"amount": str(net.amount), "currency": net.currency, "reference": order.reference}
        return _bill(*self.bills.once(key, lambda _: values))

    def find(self, bill_id: str) -> Bill:
        """See `Billing`."""
        return _bill(bill_id, self.bills.read(bill_id))

    def subscribe(self, order: BillOrder, every: Every, first_on: date, *, key: str) -> Subscription:
        """See `Billing`."""
        self._net(order)
        values = {"every": every, "reference": order.reference, "next_on": first_on.isoformat()}
        return _subscription(*self.subscriptions.once(key, lambda _: values))

    def unsubscribe(self, subscription_id: str) -> Subscription:
        """See `Billing`."""
        return _subscription(subscription_id, self.subscriptions.change(subscription_id, next_on=None))

    def _net(self, order: BillOrder) -> Money:
        currencies = {line.price.currency for line in order.lines}
        entity, number = order.customer
        spec = self.crm.registry.entities.get(entity)
        with self.crm.system("look for a customer") as ctx:
            if len(currencies) != 1 or spec is None or ctx.session.get(spec.cls, number) is None:
                raise Declined(msg("A bill needs lines of one currency and a customer."), reason="order")
        amount = sum((line.price.amount * line.quantity for line in order.lines), Decimal(0))
        return Money(amount, currencies.pop())


def _bill(number: str, row: dict[str, Any]) -> Bill:
    return Bill(number, BillState.draft, Money(Decimal(row["amount"]), row["currency"]), row["reference"])


def _subscription(number: str, row: dict[str, Any]) -> Subscription:
    following = date.fromisoformat(row["next_on"]) if row["next_on"] else None
    return Subscription(number, Every(row["every"]), row["reference"], following)
