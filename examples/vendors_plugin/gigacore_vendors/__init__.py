"""Vendors: implementations of the ports of the library, two over HTTP and five on this machine."""

from gigacore import FieldSpec, Plugin
from gigacore.ports import Billing, LanguageModel, Payments, PdfMaker, Signatures, SpeechToText, Telephony
from gigacore.ui import SettingsPage
from gigacore_vendors import chat, checkout, layout
from gigacore_vendors.accounts import Accounts
from gigacore_vendors.config import keep_secret
from gigacore_vendors.desk_phone import DeskPhone
from gigacore_vendors.envelopes import Envelopes
from gigacore_vendors.paper import Paper
from gigacore_vendors.touch_tones import TouchTones

KEYS = (checkout.URL, chat.URL, chat.MODEL)

plugin = Plugin(
    "vendors",
    label="Vendors",
    settings=[
        FieldSpec(checkout.URL, "text", "Address of the checkout"),
        FieldSpec(chat.URL, "text", "Address of the language model"),
        FieldSpec(chat.MODEL, "text", "Language model"),
    ],
    settings_pages=[SettingsPage(name="vendors.addresses", label="Vendors", keys=KEYS)],
    provides={
        Billing: Accounts,
        LanguageModel: chat.of,
        Payments: {"checkout": checkout.of},
        PdfMaker: {"layout": layout.of, "text": Paper()},
        Signatures: Envelopes,
        SpeechToText: TouchTones(),
        Telephony: DeskPhone,
    },
    inbound=[checkout.inbound],
)

__all__ = ["keep_secret", "plugin"]
