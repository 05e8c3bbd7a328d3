"""Random secrets handed out once, and the digests that are kept of them."""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32


def new_secret() -> str:
    """256 random bits in URL-safe characters."""
    return secrets.token_urlsafe(BYTES)


def digest(secret: str) -> str:
    """SHA-256 in hex. No salt: the secret is random, and looking it up must take one indexed read."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
