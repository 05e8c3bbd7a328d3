"""Everything that leaves the installation goes through here: one rule against requests to private addresses."""

from typing import TYPE_CHECKING, Any

from gigacore.outbound.rule import MAIL_PORTS, OutboundRule, Refused

if TYPE_CHECKING:
    from gigacore.outbound.http import Answer, Unreachable, call, session

__all__ = ["MAIL_PORTS", "Answer", "OutboundRule", "Refused", "Unreachable", "call", "session"]


def __getattr__(name: str) -> Any:
    """Loads the HTTP client, and requests with it, when it is first asked for."""
    if name not in ("Answer", "Unreachable", "call", "session"):
        raise AttributeError(name)
    from gigacore.outbound import http

    return getattr(http, name)
