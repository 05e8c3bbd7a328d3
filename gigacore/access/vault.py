"""Secrets that must be read again (of web hooks, of accounts elsewhere), sealed with the installation's key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import field
from typing import TYPE_CHECKING, Final

from gigacore.errors import ConfigurationError
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals texts with AES-256-GCM under a key derived from `GIGA_ENCRYPTION_KEY`, bound to their purpose."""

    master: str = field(repr=False)

    def seal(self, text: str, purpose: str) -> str:
        """The sealed text. Raises ConfigurationError without a key."""
        nonce = os.urandom(NONCE)
        sealed = self._cipher().encrypt(nonce, text.encode(), purpose.encode())
        return base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, purpose: str) -> str:
        """The text. Raises ConfigurationError when it was sealed with another key or for another purpose."""
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(sealed)
        try:
            return str(self._cipher().decrypt(raw[:NONCE], raw[NONCE:], purpose.encode()).decode())
        except InvalidTag:
            raise ConfigurationError(
                msg("A stored secret cannot be opened: GIGA_ENCRYPTION_KEY is not the one it was sealed with."),
                fix=msg("Set the old key again, or enter the secret anew."),
            ) from None

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self.master:
            raise ConfigurationError(
                msg("Secrets cannot be stored without an encryption key."), fix=msg("Set GIGA_ENCRYPTION_KEY.")
            )
        return AESGCM(hmac.digest(self.master.encode(), b"vault", hashlib.sha256))
