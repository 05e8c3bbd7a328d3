"""The stored files of all backups of one folder: each content lies there once, whichever backups refer to it.

A backup names its files by the digests of their contents; `giga-....refs` beside it lists them, and is written before
the first of them. What no list names any more goes with the next clearing. An encrypted backup carries the key of its
store.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from gigacore.errors import GigaError
from gigacore.files.sealed import SealedWriter, Secrets, open_maybe_sealed
from gigacore.files.storage import BLOCK, sync_folder
from gigacore.values import dataclass

FOLDER: Final = "files"
REFS: Final = ".refs"
PLAIN: Final = "plain"
_KEY: Final = "key"


@dataclass(frozen=True, slots=True)
class Store:
    """One store: plain, or sealed with a `key` of its own, under which contents have other names."""

    folder: Path
    key: str = ""

    @property
    def name(self) -> str:
        """What a backup calls it."""
        return self.folder.name

    def name_of(self, sha256: str) -> str:
        """The name of a content."""
        return hmac.new(self.key.encode(), sha256.encode(), "sha256").hexdigest() if self.key else sha256

    def has(self, name: str) -> bool:
        """Whether a content is there; one that is wanted again is young again, and so not cleared away."""
        try:
            os.utime(self._path(name))
        except FileNotFoundError:
            return False
        return True

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Writes a content, as a whole or not at all."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".{name[:16]}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as raw:
                self._write(raw, pieces)
                raw.flush()
                os.fsync(raw.fileno())
            part.replace(path)
            sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A content as a stream. Raises FileNotFoundError, or Conflict for one that was changed."""
        with open_maybe_sealed(self._path(name), Secrets(self.key)) as content:
            yield content

    def _write(self, raw: BinaryIO, pieces: Iterable[bytes]) -> None:
        if not self.key:
            raw.writelines(pieces)
            return
        sealed = SealedWriter(raw, Secrets(self.key))
        for piece in pieces:
            sealed.write(piece)
        sealed.finish()

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name


def store_for(backups: Path, sealing: Secrets | None) -> Store:
    """The store of new backups: the plain one, or one whose key these secrets open; a new one where there is none."""
    place = backups / FOLDER
    if sealing is None:
        return Store(place / PLAIN)
    for found in sorted(place.glob(f"*/{_KEY}")):
        with suppress(GigaError, OSError), open_maybe_sealed(found, sealing) as source:
            return Store(found.parent, source.read().decode())
    made = Store(place / secrets.token_hex(8), secrets.token_hex(32))
    made.folder.mkdir(parents=True, mode=0o700)
    with io.BytesIO() as out:
        writer = SealedWriter(out, sealing)
        writer.write(made.key.encode())
        writer.finish()
        draft = made.folder / f".{_KEY}"
        draft.write_bytes(out.getvalue())
    draft.replace(made.folder / _KEY)
    sync_folder(made.folder)
    return made


def note_refs(backup: Path, store: Store, names: Iterable[str]) -> None:
    """Lists what a backup that begins will refer to, so that nobody clears it away."""
    path = backup.with_suffix(REFS)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as out:
        out.writelines(f"{store.name}/{name}\n" for name in names)
        out.flush()
        os.fsync(out.fileno())


def clear(backups: Path, older_than: float) -> int:
    """Removes contents that no backup of the folder names, unless they are younger than that; returns how many.

    Nothing goes while a backup is there whose list is missing: nobody knows then what it needs.
    """
    if any(not one.with_suffix(REFS).exists() for one in backups.glob("giga-*.backup")):
        return 0
    named = {line for refs in backups.glob(f"giga-*{REFS}") for line in refs.read_text().split()}
    removed = 0
    for path in (backups / FOLDER).glob("*/??/*"):
        if f"{path.parent.parent.name}/{path.name}" not in named:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
    return removed


def pieces_of(source: BinaryIO) -> Iterator[bytes]:
    """A stream, block by block."""
    while piece := source.read(BLOCK):
        yield piece


class WrongContent(Exception):
    """A stored file is not what its digest says."""


def checked(pieces: Iterable[bytes], sha256: str) -> Iterator[bytes]:
    """The pieces of a content. Raises WrongContent at the end when they are not what was expected."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != sha256:
        raise WrongContent(sha256)
