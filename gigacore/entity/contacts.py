"""E-mail addresses, phone numbers and web addresses: what is accepted and how each is compared."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from gigacore.entity.folding import KEY_LENGTH
from gigacore.messages import Msg, msg

_PHONE: Final = re.compile(
    r"^[+(]?[0-9][0-9 ().\-/\u00a0]{3,30}(?:\s*(?:x|ext\.?|poste|p\.)\s*\d{1,8})?$", re.IGNORECASE
)
_EXTENSION: Final = re.compile(r"(?:x|ext\.?|poste|p\.)\s*(\d{1,8})$", re.IGNORECASE)
_SIMPLE_EMAIL: Final = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
                                  r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$")  # fmt: skip


class BadContact(ValueError):
    """An address or number that is not accepted; `message` is for the reader."""

    def __init__(self, message: Msg) -> None:
        self.message = message
        super().__init__(str(message))


def check_email(text: str) -> str:
    """The address as it is kept: the domain in lower case. Syntax after RFC 5321; no look-up is made.

    Raises BadContact.
    """
    bare = text.removeprefix("mailto:")
    if _SIMPLE_EMAIL.match(bare) and len(bare) <= 254 and len(bare.partition("@")[0]) <= 64:
        local, _, domain = bare.rpartition("@")
        return f"{local}@{domain.lower()}"
    return _check_unusual_email(bare)


def _check_unusual_email(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise BadContact(msg("This is not an e-mail address.")) from None


def check_phone(text: str) -> str:
    """The number as it was written, when it can be one. Raises BadContact."""
    if not _PHONE.match(text):
        raise BadContact(msg("This is not a phone number."))
    return text


def phone_key(text: str | None) -> str | None:
    """The number for comparing: digits with a leading `+` where the country is known, extension after `x`.

    `06 12 34 56 78` and `+33 6 12 34 56 78` differ unless the record knows its country; a leading `00` is `+`.
    """
    if text is None:
        return None
    extension = _EXTENSION.search(text)
    body = text[: extension.start()] if extension else text
    digits = re.sub(r"\D", "", body)
    plus = body.lstrip(" (").startswith("+") or digits.startswith("00")
    number = f"+{digits.removeprefix('00')}" if plus else digits
    return (f"{number}x{extension[1]}" if extension else number)[:KEY_LENGTH]


def check_url(text: str) -> str:
    """The web address with its scheme (https where none is written). Only http and https. Raises BadContact."""
    whole = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(whole)
    except ValueError:
        raise BadContact(msg("This is not a web address.")) from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or "." not in host or re.search(r"\s", whole) or parts.username:
        raise BadContact(msg("This is not a web address."))
    return whole
