"""Payments on the hosted page of a vendor, as Stripe's Checkout has it: keys, refunds, signed messages."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from gigacore import Money, msg
from gigacore.errors import Declined
from gigacore.ports import Payment, PaymentOrder, Payments, PaymentState, Refund
from gigacore.webhooks import BadSignature, InboundSource, Message, NoSecret
from gigacore_vendors.config import secret, setting
from gigacore_vendors.web_calls import call

if TYPE_CHECKING:
    from gigacore import Context, Crm

URL: Final = "vendors.checkout_url"
KEY: Final = "vendors.checkout"
TOLERANCE: Final = 300
CHARGE: Final = urlencode({"expand[]": "payment_intent.latest_charge"})
REFUNDS: Final = {"succeeded": PaymentState.paid, "failed": PaymentState.failed, "canceled": PaymentState.failed}


def of(crm: Crm) -> Checkout | None:
    """The vendor, once its address is set."""
    return Checkout(crm) if setting(crm, URL) else None


def minor(money: Money) -> int:
    """Cents or what the currency has. Raises Declined for an amount that has none."""
    from babel.numbers import get_currency_precision

    found = money.amount.scaleb(get_currency_precision(money.currency))
    if found != int(found) or found <= 0:
        raise Declined(msg("{amount} cannot be paid.", amount=str(money.amount)), reason="amount")
    return int(found)


def major(amount: int, currency: str) -> Money:
    """Money of so many cents."""
    from babel.numbers import get_currency_precision

    return Money(Decimal(amount).scaleb(-get_currency_precision(currency.upper())), currency.upper())


@dataclass(frozen=True, slots=True)
class Checkout:
    """A session is a payment; refunds are of its payment intent."""

    crm: Crm
    capabilities = frozenset({"card", "sepa_debit", "refund", "partial_refund"})

    def start(self, order: PaymentOrder, *, key: str) -> Payment:
        """See `Payments`."""
        line = "line_items[0]"
        form = {
            "mode": "payment", "client_reference_id": order.reference, "success_url": order.return_url,
            "cancel_url": order.cancel_url, f"{line}[quantity]": "1",
            f"{line}[price_data][currency]": order.amount.currency.lower(),
            f"{line}[price_data][unit_amount]": str(minor(order.amount)),
            f"{line}[price_data][product_data][name]": order.description or order.reference,
        }  # fmt: skip
        form |= {f"payment_method_types[{n}]": method for n, method in enumerate(order.methods)}
        return _payment(self._ask("POST", "checkout/sessions", form, key))

    def find(self, payment_id: str) -> Payment:
        """See `Payments`."""
        return _payment(self._session(payment_id))

    def refund(self, payment_id: str, amount: Money | None = None, *, key: str) -> Refund:
        """See `Payments`."""
        intent = self._session(payment_id)["payment_intent"]
        if intent is None:
            raise Declined(msg("Nothing was paid, so nothing can be given back."), reason="unpaid")
        form = {"payment_intent": intent["id"]} | ({} if amount is None else {"amount": str(minor(amount))})
        made = self._ask("POST", "refunds", form, key)
        state = REFUNDS.get(made["status"], PaymentState.pending)
        return Refund(made["id"], payment_id, state, major(made["amount"], made["currency"]))

    def _session(self, payment_id: str) -> dict[str, Any]:
        return self._ask("GET", f"checkout/sessions/{quote(payment_id, safe='')}?{CHARGE}")

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None, key: str = "") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {secret(self.crm, 'checkout_key')}"}
        if form is not None:
            headers |= {"Idempotency-Key": key, "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{setting(self.crm, URL).rstrip('/')}/v1/{path}"
        return call(self.crm, method, url, headers, urlencode(form or {}).encode())


def _payment(session: Mapping[str, Any]) -> Payment:
    currency, intent = session["currency"], session.get("payment_intent")
    charge = (intent.get("latest_charge") if isinstance(intent, dict) else None) or {}
    return Payment(
        session["id"], _state(session, charge), major(session["amount_total"], currency),
        major(charge.get("amount_refunded", 0), currency), session["client_reference_id"], session.get("url") or "",
    )  # fmt: skip


def _state(session: Mapping[str, Any], charge: Mapping[str, Any]) -> PaymentState:
    if charge.get("disputed"):
        return PaymentState.returned
    if session["status"] == "complete":
        return PaymentState.paid if session["payment_status"] == "paid" else PaymentState.pending
    return PaymentState.expired if session["status"] == "expired" else PaymentState.open


def inbound(crm: Crm) -> InboundSource:
    """What the vendor tells arrives at `/hooks/checkout/main`."""
    return InboundSource("checkout", partial(verify, crm), event_id, partial(handle, crm), "Checkout")


def verify(crm: Crm, raw: bytes, headers: Mapping[str, str]) -> None:
    """`t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, within five minutes. Raises BadSignature, NoSecret."""
    key = secret(crm, "checkout_signing")
    if not key:
        raise NoSecret
    parts = [part.partition("=") for part in headers.get("stripe-signature", "").split(",")]
    at = next((value for name, _, value in parts if name == "t"), "")
    if not at.isascii() or not at.isdecimal() or abs(crm.clock.now().timestamp() - int(at)) > TOLERANCE:
        raise BadSignature
    expected = hmac.new(key.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest().encode()
    if not any(hmac.compare_digest(expected, value.encode()) for name, _, value in parts if name == "v1"):
        raise BadSignature


def event_id(raw: bytes, headers: Mapping[str, str]) -> str:
    """The vendor's own id of a message."""
    from gigacore_vendors.web_calls import parsed

    return str(parsed(raw).get("id"))


def handle(crm: Crm, ctx: Context, message: Message) -> None:
    """Whoever follows payments looks how this one stands."""
    body = message.json()
    if str(body["type"]).startswith("checkout.session."):
        crm.announce(ctx, Payments, KEY, str(body["data"]["object"]["id"]))
