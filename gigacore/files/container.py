"""Containers: one zip file with a manifest that names every entry by its digest, and a signature over that.

Plugin archives and backups are containers; either may be sealed as a whole (`gigacore.files.sealed`).
"""

from __future__ import annotations

import hashlib
import hmac
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import orjson

from gigacore.errors import ConfigurationError, GigaError, NotFound
from gigacore.files.sealed import SealedWriter, Secrets, mode_of, open_maybe_sealed
from gigacore.files.storage import sync_folder
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_SIGNATURE: Final = "signature"
_CHUNK: Final = 1 << 20
Refused = Callable[[Path, Msg], GigaError]
# What `zipfile` raises for headers that were changed: no such entry or method, "encrypted", a place before the start.
_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, KeyError, EOFError, OSError, OverflowError,
    RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """What the containers of one purpose share: the text that their keys are derived from, and how they are refused."""

    purpose: bytes
    refused: Refused

    def key(self, encryption_key: str) -> bytes:
        """The key of signatures, derived from the installation's. Raises ConfigurationError without one."""
        if not encryption_key:
            raise ConfigurationError(
                msg("An archive cannot be signed without an encryption key."),
                fix=msg("Set GIGA_ENCRYPTION_KEY to at least 32 random characters."),
            )
        return hmac.digest(encryption_key.encode(), self.purpose, "sha256")


@dataclass(slots=True)
class ContainerWriter:
    """Writes the entries of a container; `seal` ends it."""

    _zip: zipfile.ZipFile
    entries: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Adds an entry piece by piece."""
        digest = hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as out:
            for piece in pieces:
                digest.update(piece)
                out.write(piece)
        self.entries[name] = digest.hexdigest()

    def seal(self, manifest: Mapping[str, Any], key: bytes) -> None:
        """Adds the manifest with the digests of all entries, and its signature."""
        body = orjson.dumps({**manifest, "format": FORMAT, "entries": self.entries}, option=orjson.OPT_SORT_KEYS)
        self._zip.writestr(_MANIFEST, body)
        self._zip.writestr(_SIGNATURE, hmac.new(key, body, "sha256").hexdigest())


@contextmanager
def new_container(path: Path, sealing: Secrets | None = None) -> Iterator[ContainerWriter]:
    """A container to be written, sealed with these secrets if there are any.

    It appears at `path` when the block ends, and not at all if that raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as raw:
            with _packed(raw, sealing) as writer:
                yield writer
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _packed(raw: BinaryIO, sealing: Secrets | None) -> Iterator[ContainerWriter]:
    sealed = SealedWriter(raw, sealing) if sealing is not None else None
    with zipfile.ZipFile(sealed or raw, "w", zipfile.ZIP_DEFLATED) as opened:
        yield ContainerWriter(opened)
    if sealed is not None:
        sealed.finish()


@dataclass(frozen=True, slots=True)
class Container:
    """A verified container, open for reading."""

    path: Path
    manifest: Mapping[str, Any]
    _zip: zipfile.ZipFile

    def has(self, name: str) -> bool:
        """Whether there is such an entry."""
        return name in self.manifest["entries"]

    def open(self, name: str) -> IO[bytes]:
        """An entry's bytes."""
        return self._zip.open(name)

    def lines(self, name: str) -> Iterator[Any]:
        """The values of an entry, one in each line; nothing when there is no such entry."""
        if self.has(name):
            with self.open(name) as source:
                yield from (orjson.loads(line) for line in source)


@contextmanager
def open_container(path: Path, kind: Kind, known: Secrets, *, trusting: bool = False) -> Iterator[Container]:
    """Opens a container whose signature and entries are as they were written.

    A sealed one needs no signature of this installation, for only who had its secret could write it; with `trusting` a
    plain one needs none either. Raises NotFound for a missing file, Conflict where a secret is missing or wrong, and
    what `kind` says for any other; nothing else of it is read then.
    """
    try:
        mode = mode_of(path)
    except FileNotFoundError:
        raise NotFound(
            msg("There is no file {path}.", path=path),
            fix=msg("Nothing was changed. Check its name and folder, then run the command again."),
        ) from None
    signed = None if trusting or mode is not None else known
    with open_maybe_sealed(path, known) as source, _unpacked(path, source, kind) as opened:
        yield Container(path, _verified(path, opened, kind, signed), opened)


def _unpacked(path: Path, source: BinaryIO, kind: Kind) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except _DAMAGE as error:
        raise kind.refused(path, msg("it is damaged, or not of this kind")) from error


def _verified(path: Path, opened: zipfile.ZipFile, kind: Kind, signed: Secrets | None) -> dict[str, Any]:
    try:
        body, signature = opened.read(_MANIFEST), opened.read(_SIGNATURE)
        if signed is not None:
            mine = hmac.new(kind.key(signed.encryption_key), body, "sha256").hexdigest()
            if not hmac.compare_digest(mine.encode(), signature):
                raise kind.refused(path, msg("its signature is not this installation's, or it was changed"))
        manifest: dict[str, Any] = orjson.loads(body)
        names = sorted(opened.namelist())
        if names != sorted([*manifest["entries"], _MANIFEST, _SIGNATURE]):
            raise kind.refused(path, msg("entries were added or taken away"))
        for name, digest in manifest["entries"].items():
            if _digest(opened, name) != digest:
                raise kind.refused(path, msg("its entry {name} was changed", name=name))
    except _DAMAGE as error:
        raise kind.refused(path, msg("it is damaged")) from error
    return manifest


def _digest(opened: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with opened.open(name) as source:
        while piece := source.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
