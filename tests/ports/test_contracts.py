"""The contracts of ports notice an implementation that breaks a promise; the example is the one that keeps them."""

from __future__ import annotations

import contextlib
import io
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from gigacore import Money, NotFound, Plugin
from gigacore.errors import Conflict, Declined
from gigacore.ports import (
    Answer,
    Bill,
    BillState,
    Call,
    CallState,
    Envelope,
    Payment,
    PaymentState,
    Recording,
    Refund,
    Segment,
    Signed,
    SignState,
    Subscription,
    Transcript,
)
from gigacore.testing.ports import (
    BillingContract,
    LanguageModelContract,
    PaymentsContract,
    PdfMakerContract,
    PortContract,
    SignaturesContract,
    SpeechToTextContract,
    TelephonyContract,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CUSTOMER = ("crm.company", 1)


def number(seen: list[Any]) -> str:
    """Another id each time: no key is looked at."""
    seen.append(object())
    return str(len(seen))


class Till:
    """Forgets its keys, rounds, believes every refund, and knows every payment."""

    capabilities = frozenset({"refund", "partial_refund", "credit_card"})

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def start(self, order: Any, *, key: str) -> Payment:
        paid = Money(order.amount.amount.quantize(Decimal("0.01")), order.amount.currency)
        return Payment(number(self.seen), PaymentState.open, paid, paid * 0, order.reference, "https://pay.example")

    def find(self, payment_id: str) -> Payment:
        euro = Money(Decimal(1), "EUR")
        return Payment(payment_id, PaymentState.paid, euro, euro, "")

    def refund(self, payment_id: str, amount: Any = None, *, key: str) -> Refund:
        return Refund(number(self.seen), payment_id, PaymentState.paid, amount)


class Desk:
    """Forgets its keys, gives a lower level, and opens what nobody signed."""

    capabilities = frozenset({"simple"})

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def send(self, order: Any, document: Any, *, key: str) -> Envelope:
        signers = tuple(Signed(one.email, SignState.open) for one in order.signers)
        return Envelope(number(self.seen), SignState.open, "simple", signers)

    def find(self, envelope_id: str) -> Envelope:
        return Envelope(envelope_id, SignState.open, "simple", ())

    def open_signed(self, envelope_id: str) -> Any:
        return io.BytesIO(b"%PDF-")

    open_proof = open_signed

    def cancel(self, envelope_id: str, reason: str) -> Envelope:
        return self.find(envelope_id)


class Phone:
    """Calls again at each attempt, takes anything for a number, and gives a recording that is none."""

    capabilities = frozenset({"recording"})

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def numbers(self) -> list[str]:
        return ["+33199001122"]

    def dial(self, order: Any, *, key: str) -> Call:
        return self.find(number(self.seen))

    def find(self, call_id: str) -> Call:
        sound = (Recording(call_id),)
        return Call(call_id, "out", CallState.ended, "+33199001122", "+33199005678", NOW, recordings=sound)

    def open_recording(self, recording_id: str) -> Any:
        return io.BytesIO(b"<html>Sign in")

    def send_text(self, order: Any, *, key: str) -> None: ...


class Printer:
    """Fetches what the page names, and leaves out what it cannot make."""

    capabilities: frozenset[str] = frozenset()

    def make(self, order: Any) -> Any:
        for part in order.html.split("'"):
            if part.startswith("http://127.0.0.1"):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(part, timeout=1)
        return io.BytesIO(b"%PDF-1.7")


class Ear:
    """Hears something in silence, in no order, and takes anything for a recording."""

    capabilities = frozenset({"timestamps"})

    def transcribe(self, audio: Any, speech: Any) -> Transcript:
        return Transcript((Segment(9, 10, "Thank you for watching", "1"), Segment(0, 1, " ")), 2)


class Oracle:
    """Says nothing of what it took, gives values that do not fit, and knows every model."""

    capabilities = frozenset({"values"})

    def ask(self, prompt: Any) -> Answer:
        return Answer("Yes", "oracle", 0, 0, {"score": "many", "reason": ""} if prompt.schema else None)


class Clerk:
    """Forgets its keys, adds in floats, bills whatever comes, and never ends a subscription."""

    capabilities = frozenset({"subscriptions"})

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def bill(self, order: Any, *, key: str) -> Bill:
        return Bill(number(self.seen), BillState.draft, Money(Decimal("450.49"), "EUR"), order.reference)

    def find(self, bill_id: str) -> Bill:
        return Bill(bill_id, BillState.draft, Money(Decimal(1), "EUR"))

    def subscribe(self, order: Any, every: Any, first_on: Any, *, key: str) -> Subscription:
        return Subscription(number(self.seen), every, "", first_on)


BROKEN: dict[type[PortContract], type] = {
    PaymentsContract: Till,
    SignaturesContract: Desk,
    TelephonyContract: Phone,
    PdfMakerContract: Printer,
    SpeechToTextContract: Ear,
    LanguageModelContract: Oracle,
    BillingContract: Clerk,
}
APART = {  # what takes an installation, or what the broken ones above keep
    "test_it_is_gone_while_the_plugin_is_disabled",
    "test_keys_outlive_a_start",
    "test_a_vendor_that_cannot_be_reached_is_told_as_such",
    "test_capabilities_are_names_that_others_know",
}


def promises(contract: type[PortContract]) -> list[str]:
    return [name for name in dir(contract) if name.startswith("test_") and name not in APART]


def trying(contract: type[PortContract], name: str, provided: Any) -> Callable[[], object]:
    made = contract()
    arguments = {"customer": CUSTOMER} if contract is BillingContract and "unknown" not in name else {}
    arguments = {} if name.startswith("test_an_id") else arguments
    return lambda: getattr(made, name)(provided, **arguments)


@pytest.mark.parametrize(("contract", "name"), [(contract, name) for contract in BROKEN for name in promises(contract)])
def test_each_promise_notices_that_it_is_broken(contract: type[PortContract], name: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        trying(contract, name, BROKEN[contract]())()


def test_a_misspelt_capability_is_noticed() -> None:
    class Misspelt(PaymentsContract):
        plugin = Plugin("shop")

    with pytest.raises(AssertionError, match="credit_card"):
        Misspelt().test_capabilities_are_names_that_others_know(Till())
    Misspelt().test_capabilities_are_names_that_others_know(SimpleNamespace(capabilities={"card", "shop.crypto"}))


def test_keys_that_live_in_memory_only_are_noticed() -> None:
    forgetful = SimpleNamespace(start=lambda: None, service=lambda *_, **__: Till())
    first = Till()
    first.seen.append(1)
    with pytest.raises(AssertionError):
        PaymentsContract().test_keys_outlive_a_start(forgetful, first)  # type: ignore[arg-type]


def test_a_vendor_that_fails_in_its_own_words_is_noticed() -> None:
    class CutOff(PaymentsContract):
        def cut_off(self, provided: Any) -> Any:
            return contextlib.nullcontext()

    def fails(error: Exception) -> Any:
        def find(_: str) -> None:
            raise error

        return SimpleNamespace(find=find)

    for wrong in (ConnectionError(), NotFound(), Declined("no"), Conflict("no")):
        with pytest.raises(type(wrong)):
            CutOff().test_a_vendor_that_cannot_be_reached_is_told_as_such(fails(wrong))


def test_a_value_can_be_changed_only_into_another_one() -> None:
    made = Till().start(SimpleNamespace(amount=Money(Decimal(1), "EUR"), reference="INV-1"), key="k")
    with pytest.raises(AttributeError):
        made.url = ""  # type: ignore[misc]
    assert replace(made, url="").url == ""
