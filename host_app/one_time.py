"""Addresses of one-time links and inbound sources, for pages and the API."""

from __future__ import annotations

from typing import Final

from host_app.context import host

CHOOSE: Final = "/p/<token>/password"


def link_to(secret: str) -> str:
    """The whole address on which a person chooses a password."""
    return f"{base_url()}{CHOOSE.replace('<token>', secret)}"


def base_url() -> str:
    """Where this installation is reached from outside, without a slash at the end; empty where nobody has said so.

    The host that a request names is not asked: whoever sends the request chooses it.
    """
    return host().settings.public_url.rstrip("/")
