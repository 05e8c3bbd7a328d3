"""Sealed files: a stream encrypted in blocks with a passphrase or the installation's key, readable from any place.

A file is `magic | mode | salt | check | blocks`. Each block of 64 KiB is sealed with AES-256-GCM under a key of this
file alone, so its number may be the nonce; the additional data hold the header and say whether it is the last block.
A file that was changed, cut short or put together from others does not open. `check` tells a wrong secret from damage.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from gigacore.errors import Conflict
from gigacore.files.storage import BLOCK, TAG, nonce
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from gigacore.settings import Settings

MAGIC: Final = b"GIGASEAL1"
SALT: Final = 16
CHECK: Final = 16
HEADER: Final = len(MAGIC) + 1 + SALT + CHECK
Mode = Literal["key", "passphrase"]
_MODES: Final[tuple[tuple[bytes, Mode], ...]] = ((b"K", "key"), (b"P", "passphrase"))
_SCRYPT: Final = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20, "dklen": 32}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What sealed files are opened with: the installation's key, and a passphrase if there is one."""

    encryption_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Secrets:
        """Those of an installation."""
        return cls(settings.encryption_key, settings.backup_passphrase)

    @property
    def mode(self) -> Mode:
        """With what a new file is sealed: the passphrase where there is one."""
        return "passphrase" if self.passphrase else "key"

    def master(self, mode: Mode, salt: bytes) -> bytes:
        """The key of one file. Raises Conflict when what it takes is not given."""
        secret = self.passphrase if mode == "passphrase" else self.encryption_key
        if not secret:
            raise Conflict(_MISSING[mode], fix=_GIVE[mode])
        if mode == "passphrase":
            return hashlib.scrypt(secret.encode(), salt=salt, **_SCRYPT)
        return hmac.digest(secret.encode(), b"gigacore sealed file 1" + salt, "sha256")


_MISSING: Final[dict[Mode, Msg]] = {
    "key": msg("The file is encrypted with the key of an installation."),
    "passphrase": msg("The file is encrypted with a passphrase."),
}
_GIVE: Final[dict[Mode, Msg]] = {
    "key": msg("Nothing was changed. Set GIGA_ENCRYPTION_KEY to the key of the installation that wrote it."),
    "passphrase": msg("Nothing was changed. Set GIGA_BACKUP_PASSPHRASE, or give it with --passphrase-file."),
}


def mode_of(path: Path) -> Mode | None:
    """With what a file is sealed, None when it is not. Raises OSError."""
    with path.open("rb") as source:
        head = source.read(len(MAGIC) + 1)
    return dict(_MODES).get(head[-1:]) if head[:-1] == MAGIC else None


def _cipher(master: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hmac.digest(master, b"blocks", "sha256"))


def _check(master: bytes) -> bytes:
    return hmac.digest(master, b"check", "sha256")[:CHECK]


class SealedWriter(io.RawIOBase):
    """Seals what is written; `finish` writes the last block. It gives no place to go back to."""

    def __init__(self, out: BinaryIO, known: Secrets) -> None:
        super().__init__()
        salt, sign = secrets.token_bytes(SALT), next(sign for sign, mode in _MODES if mode == known.mode)
        master = known.master(known.mode, salt)
        self._header = MAGIC + sign + salt + _check(master)
        self._out, self._aead, self._number, self._rest = out, _cipher(master), 0, bytearray()
        out.write(self._header)

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Takes the bytes; a full block is sealed once more follows, for the last one must be known as such."""
        self._rest += data
        while len(self._rest) > BLOCK:
            self._seal(bytes(self._rest[:BLOCK]), last=False)
            del self._rest[:BLOCK]
        return len(data)

    def finish(self) -> None:
        """Seals what is left as the last block."""
        self._seal(bytes(self._rest), last=True)

    def _seal(self, block: bytes, *, last: bool) -> None:
        self._out.write(self._aead.encrypt(nonce(self._number), block, _extra(self._header, last)))
        self._number += 1


class SealedReader(io.RawIOBase):
    """The content of a sealed file, from any place."""

    def __init__(self, source: BinaryIO, known: Secrets) -> None:
        super().__init__()
        self._source, self._header = source, source.read(HEADER)
        mode = dict(_MODES)[self._header[len(MAGIC) : len(MAGIC) + 1]]
        start = len(MAGIC) + 1
        master = known.master(mode, self._header[start : start + SALT])
        if not hmac.compare_digest(_check(master), self._header[start + SALT :]):
            raise Conflict(_WRONG[mode], fix=_GIVE[mode])
        stored = os.fstat(source.fileno()).st_size - HEADER
        self._blocks = max(1, -(-stored // (BLOCK + TAG)))
        self._size = stored - self._blocks * TAG
        self._aead, self._at, self._held = _cipher(master), 0, (-1, b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place of the content."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The present place."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills `buffer` from the block at hand. Raises Conflict where it is not what was written."""
        number, inside = divmod(self._at, BLOCK)
        if number >= self._blocks:
            return 0
        piece = self._block(number)[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if self._held[0] != number:
            self._source.seek(HEADER + number * (BLOCK + TAG))
            self._held = number, self._open(number, self._source.read(BLOCK + TAG))
        return self._held[1]

    def _open(self, number: int, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(nonce(number), sealed, _extra(self._header, number == self._blocks - 1))
        except InvalidTag:
            raise Conflict(
                msg("The encrypted file was changed or cut short."), fix=msg("Nothing was changed. Use another copy.")
            ) from None


_WRONG: Final[dict[Mode, Msg]] = {
    "key": msg("The file was encrypted with the key of another installation."),
    "passphrase": msg("The passphrase is not the one with which the file was encrypted."),
}


def _extra(header: bytes, last: bool) -> bytes:
    return header + (b"\x01" if last else b"\x00")


@contextmanager
def open_maybe_sealed(path: Path, known: Secrets) -> Iterator[BinaryIO]:
    """The content of a file, sealed or not. Raises OSError, or Conflict when it cannot be opened."""
    mode = mode_of(path)
    with path.open("rb") as source:
        if mode is None:
            yield source
        else:
            with io.BufferedReader(SealedReader(source, known), BLOCK) as content:
                yield content
