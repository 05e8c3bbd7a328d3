"""The ports of the library: what it and its plugins ask of the outside.

A plugin provides one with `Plugin(provides={Port: it})`, another asks `crm.service(Port)` and gets None where nobody
does. What holds for all of them, so that two authors need not talk:

- A port is called outside any unit of work: from a job with `long=True`, or by a page before it writes.
- `capabilities` names what an implementation can beyond the least. Each port's module lists the names as
  `CAPABILITIES`; a vendor's own begin with its plugin's name and a dot. Who needs one asks `crm.service(Port, "name")`.
- It raises `Declined` for what would fail again in the same way, `NotFound` for an id that it does not know,
  `Unavailable` when nothing happened and a later try may succeed, `Unsure` when nobody knows whether it happened. A job
  ends at the first two and at the last, and is tried again after the third.
- With a `key` (at most 100 ASCII characters, the caller's own) it acts once: the same key gives the first result again,
  in any process, for a day at least. Where the vendor knows no keys, the implementation keeps them, and raises `Unsure`
  for one whose outcome it never learnt.
- Ids are texts of at most 200 characters: some vendors' numbers exceed what JavaScript keeps exactly. Phone numbers are
  E.164 (`+33123456789`), languages ISO 639-1, moments aware and in UTC, durations seconds, money is `gigacore.Money`.
- A stream is a binary file, open at its start; whoever got it closes it. What shall stay goes through `crm.storage`.
- Messages of a vendor arrive through an `InboundSource`. They are hints: `crm.announce(ctx, Port, key, id)` has every
  `Follower` of the port look at the present state.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gigacore.files.storage import Storage, Stored
    from gigacore.mail.message import Mail, MailSender, NotSent
    from gigacore.ports.billing import Bill, Billing, BillLine, BillOrder, BillState, Every, Subscription
    from gigacore.ports.followers import Follower
    from gigacore.ports.language import Answer, LanguageModel, Prompt
    from gigacore.ports.payments import Payment, PaymentOrder, Payments, PaymentState, Refund
    from gigacore.ports.pdf import Attached, PdfMaker, PdfOrder
    from gigacore.ports.signatures import Envelope, EnvelopeOrder, Signatures, Signed, Signer, SignState
    from gigacore.ports.speech import Segment, Speech, SpeechToText, Transcript
    from gigacore.ports.telephony import (
        Call,
        CallState,
        Dial,
        Recording,
        Telephony,
        TextMessage,
        TextOrder,
        TextState,
    )

_HOMES: Final = MappingProxyType(
    {
        "gigacore.files.storage": "Storage Stored",
        "gigacore.mail.message": "Mail MailSender NotSent",
        "gigacore.ports.billing": "Bill BillLine BillOrder BillState Billing Every Subscription",
        "gigacore.ports.followers": "Follower",
        "gigacore.ports.language": "Answer LanguageModel Prompt",
        "gigacore.ports.payments": "Payment PaymentOrder PaymentState Payments Refund",
        "gigacore.ports.pdf": "Attached PdfMaker PdfOrder",
        "gigacore.ports.signatures": "Envelope EnvelopeOrder SignState Signatures Signed Signer",
        "gigacore.ports.speech": "Segment Speech SpeechToText Transcript",
        "gigacore.ports.telephony": "Call CallState Dial Recording Telephony TextMessage TextOrder TextState",
    }
)

__all__ = [
    "Answer",
    "Attached",
    "Bill",
    "BillLine",
    "BillOrder",
    "BillState",
    "Billing",
    "Call",
    "CallState",
    "Dial",
    "Envelope",
    "EnvelopeOrder",
    "Every",
    "Follower",
    "LanguageModel",
    "Mail",
    "MailSender",
    "NotSent",
    "Payment",
    "PaymentOrder",
    "PaymentState",
    "Payments",
    "PdfMaker",
    "PdfOrder",
    "Prompt",
    "Recording",
    "Refund",
    "Segment",
    "SignState",
    "Signatures",
    "Signed",
    "Signer",
    "Speech",
    "SpeechToText",
    "Storage",
    "Stored",
    "Subscription",
    "Telephony",
    "TextMessage",
    "TextOrder",
    "TextState",
    "Transcript",
]


def __getattr__(name: str) -> object:
    """Loads one port when it is first asked for: mail and storage bring the database with them."""
    for home, names in _HOMES.items():
        if name in names.split():
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'gigacore.ports' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
