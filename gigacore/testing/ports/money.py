"""The promises of payments and of billing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from gigacore import Money, records
from gigacore.errors import Declined
from gigacore.plugins.provided import capabilities
from gigacore.ports import Billing, BillLine, BillOrder, Every, PaymentOrder, Payments, PaymentState, billing, payments
from gigacore.testing.ports.port import KeyedContract

if TYPE_CHECKING:
    from gigacore import Actor, Crm

EUROS = Money(Decimal("12.34"), "EUR")


class PaymentsContract(KeyedContract):
    """`pay` has somebody pay; without it nothing after the payment is tried."""

    port = Payments
    known = payments.CAPABILITIES

    def pay(self, provided: Any, payment_id: str) -> None:
        """Have the payment paid, at the vendor."""
        pytest.skip("nobody pays: override pay")

    def started(self, provided: Any, amount: Money = EUROS, key: str = "paid") -> Any:
        """A payment."""
        order = PaymentOrder(amount, "INV-1", "https://crm.example/done", "https://crm.example/back")
        return provided.start(order, key=key)

    def made(self, crm: Crm, provided: Any, key: str) -> Any:
        """A payment."""
        return self.started(provided, key=key)

    def test_the_same_key_starts_one_payment(self, provided: Any) -> None:
        """A job that ran twice charges once."""
        made = self.once(lambda key: self.started(provided, key=key))
        assert (made.state, made.amount, made.reference) == (PaymentState.open, EUROS, "INV-1")
        assert made.url
        assert provided.find(made.id) == made
        assert made.refunded == Money(Decimal(0), "EUR")

    def test_amounts_are_exact(self, provided: Any) -> None:
        """Yen have no cents, and what cannot be paid exactly is declined, not rounded."""
        assert self.started(provided, Money(Decimal(5000), "JPY"), "yen").amount == Money(Decimal(5000), "JPY")
        for amount in ("12.345", "0", "-1"):
            with pytest.raises(Declined):
                self.started(provided, Money(Decimal(amount), "EUR"), f"amount {amount}")

    def test_what_was_paid_is_given_back_once(self, provided: Any) -> None:
        """In parts, never more than there is, and nothing before it was paid."""
        made = self.started(provided)
        if not {"refund", "partial_refund"} <= capabilities(provided):
            pytest.skip("it gives nothing back in parts")
        with pytest.raises(Declined):
            provided.refund(made.id, EUROS, key="early")
        self.pay(provided, made.id)
        assert provided.find(made.id).state is PaymentState.paid
        part = Money(Decimal("2.34"), "EUR")
        back = self.once(lambda key: provided.refund(made.id, part, key=key))
        assert (back.payment_id, back.amount) == (made.id, part)
        assert provided.find(made.id).refunded == part * 2
        with pytest.raises(Declined):
            provided.refund(made.id, EUROS, key="more")


class BillingContract(KeyedContract):
    """A company is billed."""

    port = Billing
    known = billing.CAPABILITIES

    @pytest.fixture
    def customer(self, crm: Crm, admin: Actor) -> tuple[str, int]:
        """Who pays."""
        with crm.unit_of_work(admin) as ctx:
            return "crm.company", records.create(ctx, "crm.company", {"name": "Atelier Nord"}).id

    def order(self, customer: tuple[str, int], *prices: str, currency: str = "EUR") -> BillOrder:
        """Two and a half hours at each price."""
        lines = [BillLine("Work", Decimal("2.5"), Money(Decimal(price), currency), "hour") for price in prices]
        return BillOrder(customer, tuple(lines), "PRJ-1")

    def made(self, crm: Crm, provided: Any, key: str) -> Any:
        """A bill."""
        with crm.system("a customer to bill") as ctx:
            number = records.create(ctx, "crm.company", {"name": "Atelier Sud"}).id
        return provided.bill(self.order(("crm.company", number), "1"), key=key)

    def test_the_same_key_gives_one_bill(self, provided: Any, customer: tuple[str, int]) -> None:
        """Over the exact sum of its lines."""
        made = self.once(lambda key: provided.bill(self.order(customer, "80.20", "100"), key=key))
        assert (made.net, made.reference) == (Money(Decimal("450.50"), "EUR"), "PRJ-1")
        assert provided.find(made.id) == made

    def test_what_cannot_be_billed_is_declined(self, provided: Any, customer: tuple[str, int]) -> None:
        """No line, two currencies, nobody."""
        mixed = self.order(customer, "1").lines + self.order(customer, "1", currency="USD").lines
        for order in (
            self.order(customer),
            BillOrder(customer, mixed),
            self.order(("crm.company", 10**9), "1"),
            self.order(("crm.nothing", 1), "1"),
        ):
            with pytest.raises(Declined):
                provided.bill(order, key="declined")

    def test_a_subscription_bills_until_it_ends(self, provided: Any, customer: tuple[str, int]) -> None:
        """By the capability `subscriptions`."""
        order, first = self.order(customer, "10"), date(2099, 1, 31)
        if "subscriptions" not in capabilities(provided):
            with pytest.raises(Declined):
                provided.subscribe(order, Every.month, first, key="month")
            return
        made = self.once(lambda key: provided.subscribe(order, Every.month, first, key=key))
        assert (made.every, made.next_on) == (Every.month, first)
        for _ in range(2):
            assert provided.unsubscribe(made.id).next_on is None
