"""Web hooks: telling other systems what happened, and hearing from them."""

from gigacore.webhooks.incoming import Arrival, InboundSource, Message, NoSecret, Source
from gigacore.webhooks.outgoing import Delivery
from gigacore.webhooks.service import CONSUMER, Webhooks
from gigacore.webhooks.signing import BadSignature
from gigacore.webhooks.subscriptions import CALLED, Hook

__all__ = [
    "CALLED",
    "CONSUMER",
    "Arrival",
    "BadSignature",
    "Delivery",
    "Hook",
    "InboundSource",
    "Message",
    "NoSecret",
    "Source",
    "Webhooks",
]
