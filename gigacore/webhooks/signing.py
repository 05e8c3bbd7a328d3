"""Signatures of web hooks as Standard Webhooks 1.0 has them (standardwebhooks.com), and plain HMAC of a header."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)
PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


class BadSignature(Exception):
    """Missing, wrong, too old or malformed; the sender is not told which."""


def new_secret() -> str:
    """A fresh secret in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature of a message: `v1,<base64>`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def headers(secrets_: Iterable[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message signed with each of these secrets, so that a rotation loses nothing."""
    timestamp = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets_),
    }


def verify_standard(secret: str, given: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that was signed with the secret within five minutes. Raises BadSignature."""
    message_id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signatures = given.get("webhook-signature", "")
    if not message_id or len(message_id) > 200 or not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        raise BadSignature
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise BadSignature
    expected = sign(secret, message_id, int(stamp), body).encode()
    if not any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in signatures.split(" ")[:10]):
        raise BadSignature
    return message_id


def verify_hmac(secret: str, header: str, given: Mapping[str, str], body: bytes) -> str:
    """The id of a message whose header holds the HMAC-SHA256 of its body in hex, perhaps after `sha256=`.

    Such senders name no id: the digest of the body is one, so the same body counts once. Raises BadSignature.
    """
    found = given.get(header.lower(), "").removeprefix("sha256=").strip().lower()
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), found.encode("utf-8", "replace")):
        raise BadSignature
    return hashlib.sha256(body).hexdigest()


def _key(secret: str) -> bytes:
    text = secret.removeprefix(PREFIX)
    return base64.b64decode(text + "=" * (-len(text) % 4))
