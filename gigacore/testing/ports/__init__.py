"""The promises of the ports; whoever implements one inherits its class in a test.

::

    from gigacore.testing.ports import PaymentsContract
    from gigacore_shop import plugin

    class TestPayments(PaymentsContract):
        plugin = plugin
        key = "shop.checkout"  # where the plugin provides several
"""

from gigacore.testing.ports.documents import PdfMakerContract, SignaturesContract
from gigacore.testing.ports.money import BillingContract, PaymentsContract
from gigacore.testing.ports.port import PortContract
from gigacore.testing.ports.talk import LanguageModelContract, SpeechToTextContract, TelephonyContract

__all__ = [
    "BillingContract",
    "LanguageModelContract",
    "PaymentsContract",
    "PdfMakerContract",
    "PortContract",
    "SignaturesContract",
    "SpeechToTextContract",
    "TelephonyContract",
]
