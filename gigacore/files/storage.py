"""Where the bytes are: a port, and its implementation in a folder, encrypted in blocks so that ranges work.

An object is `magic | salt | blocks`. Each block of 64 KiB is sealed with AES-256-GCM; its number is the nonce, as every
object has a key of its own (HKDF of the master key, the salt and the object's id). The additional data say whether a
block is the last, so a file that was cut short does not decrypt.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from gigacore.errors import ConfigurationError, NotFound, TooLarge, Unavailable
from gigacore.files.mime import HEAD_BYTES
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK: Final = 64 * 1024
TAG: Final = 16
MAGIC: Final = b"GIGAFILE1"
SALT: Final = 16
HEADER: Final = len(MAGIC) + SALT
OBJECT_ID: Final = re.compile(r"[0-9a-f]{32}")
DEFAULT_LIMIT: Final = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A complete object: its random id, what it holds, and its first bytes for sniffing."""

    object_id: str
    size: int
    sha256: str
    head: bytes


class Storage(Protocol):
    """The port: local folder, or an object store that a plugin provides."""

    def write_stream(self, stream: BinaryIO, *, limit: int = DEFAULT_LIMIT) -> Stored:
        """Stores everything that `stream` gives, durably. Raises TooLarge past `limit` bytes; then nothing is kept."""

    def read_range(self, object_id: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start`, at most `length`. Raises NotFound, or Unavailable when they were tampered with."""

    def delete(self, object_id: str) -> None:
        """Removes an object; one that is gone already is no error."""

    def objects(self) -> Iterator[tuple[str, float]]:
        """Every object with its age in seconds, for the sweeper."""


class LocalStorage:
    """Objects as encrypted files below a folder."""

    def __init__(self, folder: Path, encryption_key: str) -> None:
        if not encryption_key:
            raise ConfigurationError(
                msg("Files cannot be stored without an encryption key."),
                fix=msg("Set GIGA_ENCRYPTION_KEY to at least 32 random characters."),
            )
        self.folder = folder
        self.incoming = folder / "incoming"
        self._master = encryption_key.encode()

    def write_stream(self, stream: BinaryIO, *, limit: int = DEFAULT_LIMIT) -> Stored:
        """See `Storage`. Temporary file, fsync, rename, fsync of the folder."""
        object_id, salt = secrets.token_hex(16), secrets.token_bytes(SALT)
        self.incoming.mkdir(parents=True, exist_ok=True)
        part = self.incoming / f"{object_id}.part"
        try:
            with part.open("xb") as out:
                out.write(MAGIC + salt)
                size, digest, head = self._seal(stream, out, self._cipher(object_id, salt), object_id, limit)
                out.flush()
                os.fsync(out.fileno())
            target = self._path(object_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
            sync_folder(target.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return Stored(object_id, size, digest, head)

    def read_range(self, object_id: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `Storage`."""
        try:
            source = self._path(object_id).open("rb")
        except FileNotFoundError:
            raise NotFound from None
        with source:
            total = plain_size(os.fstat(source.fileno()).st_size)
            end = total if length is None else min(total, start + length)
            salt = source.read(HEADER)[len(MAGIC) :]
            cipher = self._cipher(object_id, salt)
            last = max(0, (total - 1) // BLOCK)
            for number in range(start // BLOCK, (end + BLOCK - 1) // BLOCK):
                source.seek(HEADER + number * (BLOCK + TAG))
                plain = unseal(cipher, source.read(BLOCK + TAG), object_id, number, number == last)
                yield plain[max(0, start - number * BLOCK) : end - number * BLOCK]

    def delete(self, object_id: str) -> None:
        """See `Storage`."""
        self._path(object_id).unlink(missing_ok=True)

    def objects(self) -> Iterator[tuple[str, float]]:
        """See `Storage`."""
        now = time.time()
        for path in self.folder.glob("??/??/*"):
            if OBJECT_ID.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    yield path.name, now - path.stat().st_mtime

    def clear_incoming(self, older_than: float) -> int:
        """Removes what interrupted uploads left, older than that many seconds; returns how many."""
        now, removed = time.time(), 0
        for path in self.incoming.glob("*.part"):
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > older_than:
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, object_id: str) -> Path:
        if not OBJECT_ID.fullmatch(object_id):
            raise NotFound
        return self.folder / object_id[:2] / object_id[2:4] / object_id

    def _cipher(self, object_id: str, salt: bytes) -> AESGCM:
        # Six megabytes that a server has no use for before the first file.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derive = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"gigacore file " + object_id.encode())
        return AESGCM(derive.derive(self._master))

    def _seal(
        self, stream: BinaryIO, out: BinaryIO, cipher: AESGCM, object_id: str, limit: int
    ) -> tuple[int, str, bytes]:
        """Encrypts block by block, one ahead, for the last one must be known as such."""
        size, number, digest, head = 0, 0, hashlib.sha256(), b""
        block = read_full(stream)
        while True:
            following = read_full(stream) if len(block) == BLOCK else b""
            size += len(block)
            if size + len(following) > limit:
                raise TooLarge(msg("The file is larger than {limit} MB.", limit=limit // (1024 * 1024)))
            digest.update(block)
            head = head or block[:HEAD_BYTES]
            out.write(cipher.encrypt(nonce(number), block, extra(object_id, number, not following)))
            if not following:
                return size, digest.hexdigest(), head
            block, number = following, number + 1


def read_full(stream: BinaryIO) -> bytes:
    """A whole block, though the stream may give less at a time; shorter only at its end."""
    parts, missing = [], BLOCK
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def nonce(number: int) -> bytes:
    """The block's number; the key is the object's own, so it never repeats."""
    return number.to_bytes(12, "big")


def extra(object_id: str, number: int, last: bool) -> bytes:
    """What a block is bound to besides its key."""
    return f"{object_id}:{number}:{'last' if last else 'more'}".encode()


def unseal(cipher: AESGCM, sealed: bytes, object_id: str, number: int, last: bool) -> bytes:
    """A block's bytes. Raises Unavailable when they are not those that were written."""
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(nonce(number), sealed, extra(object_id, number, last))
    except InvalidTag:
        raise Unavailable(
            msg("The stored file is damaged, or was encrypted with another key."),
            fix=msg("Check GIGA_ENCRYPTION_KEY, or restore the file from a backup."),
        ) from None


def plain_size(stored: int) -> int:
    """The size of the content of a stored file."""
    blocks = max(1, -(-(stored - HEADER) // (BLOCK + TAG)))
    return max(0, stored - HEADER - blocks * TAG)


def sync_folder(folder: Path) -> None:
    """Makes a rename durable; platforms without that notion pass."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class ObjectReader(io.RawIOBase):
    """A stored object as a readable stream, one range at a time."""

    def __init__(self, storage: Storage, object_id: str) -> None:
        super().__init__()
        self._pieces = storage.read_range(object_id)
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Lets go of the object."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
        super().close()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills `buffer` from the next piece."""
        if not self._rest:
            self._rest = next((piece for piece in self._pieces if piece), b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def open_object(storage: Storage, object_id: str) -> BinaryIO:
    """A stored object, buffered."""
    return io.BufferedReader(ObjectReader(storage, object_id), BLOCK)
