"""A plugin's archive: one zip file with a manifest that names every entry by its digest, and a signature over that.

It holds records in plain text, so it is readable by its owner only; keep it as you keep a backup.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson

from gigacore.errors import ConfigurationError, NotFound, PluginError
from gigacore.messages import Msg, msg
from gigacore.plugins.manifest import API_LEVEL

FORMAT: Final = 1
FOLDER: Final = "archives"
_MANIFEST: Final = "manifest.json"
_SIGNATURE: Final = "signature"
_PURPOSE: Final = b"gigacore plugin archive 1"
_CHUNK: Final = 1 << 20


def signing_key(encryption_key: str) -> bytes:
    """The key of signatures, derived from the installation's. Raises ConfigurationError without one."""
    if not encryption_key:
        raise ConfigurationError(
            msg("An archive cannot be signed without an encryption key."),
            fix=msg("Set GIGA_ENCRYPTION_KEY to at least 32 random characters."),
        )
    return hmac.digest(encryption_key.encode(), _PURPOSE, "sha256")


@dataclass(slots=True)
class ArchiveWriter:
    """Writes the entries of an archive; `seal` ends it."""

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
def new_archive(folder: Path, plugin: str, now: datetime) -> Iterator[tuple[Path, ArchiveWriter]]:
    """An archive to be written; it appears under its name when the block ends, and not at all if that raises."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{plugin}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.zip"
    part = path.with_suffix(".part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as opened:
                yield path, ArchiveWriter(opened)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def newest(folder: Path, plugin: str) -> Path:
    """The latest archive of a plugin. Raises NotFound when there is none."""
    found = sorted(folder.glob(f"{plugin}-[0-9]*.zip"))
    if not found:
        raise NotFound(
            msg("There is no archive of plugin {name} in {folder}.", name=plugin, folder=folder),
            fix=msg("Name one with --archive, or run `giga plugin install {name}`.", name=plugin),
        )
    return found[-1]


@dataclass(frozen=True, slots=True)
class Archive:
    """A verified archive, open for reading."""

    path: Path
    manifest: Mapping[str, Any]
    _zip: zipfile.ZipFile

    @property
    def plugin(self) -> str:
        """Whose archive it is."""
        return str(self.manifest["plugin"])

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
def open_archive(path: Path, key: bytes) -> Iterator[Archive]:
    """Opens an archive whose signature and entries are as they were written, and of an API level that fits.

    Raises NotFound for a missing file and PluginError for any other; nothing else of it is read then.
    """
    try:
        opened = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotFound(msg("There is no file {path}.", path=path)) from None
    except (zipfile.BadZipFile, OSError) as error:
        raise _refused(path, msg("it is no archive of a plugin")) from error
    with opened:
        manifest = _verified(path, opened, key)
        _check_level(path, manifest)
        yield Archive(path, manifest, opened)


def _verified(path: Path, opened: zipfile.ZipFile, key: bytes) -> dict[str, Any]:
    try:
        body, signature = opened.read(_MANIFEST), opened.read(_SIGNATURE)
        if not hmac.compare_digest(hmac.new(key, body, "sha256").hexdigest().encode(), signature):
            raise _refused(path, msg("its signature is not this installation's, or it was changed"))
        manifest: dict[str, Any] = orjson.loads(body)
        names = sorted(opened.namelist())
        if names != sorted([*manifest["entries"], _MANIFEST, _SIGNATURE]):
            raise _refused(path, msg("entries were added or taken away"))
        for name, digest in manifest["entries"].items():
            if _digest(opened, name) != digest:
                raise _refused(path, msg("its entry {name} was changed", name=name))
    except (KeyError, zipfile.BadZipFile, zlib.error, orjson.JSONDecodeError, EOFError) as error:
        raise _refused(path, msg("it is damaged")) from error
    return manifest


def _digest(opened: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with opened.open(name) as source:
        while piece := source.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _check_level(path: Path, manifest: Mapping[str, Any]) -> None:
    major, _, minor = str(manifest["api"]).partition(".")
    level = (int(major), int(minor or 0))
    if manifest["format"] != FORMAT or level[0] != API_LEVEL[0] or level > API_LEVEL:
        raise _refused(
            path,
            msg(
                "it is of plugin API {asked}, this gigacore offers {offered}",
                asked=manifest["api"],
                offered="{}.{}".format(*API_LEVEL),
            ),
        )


def _refused(path: Path, reason: Msg) -> PluginError:
    return PluginError(
        "core",
        msg("The archive {path} is refused: {reason}.", path=path.name, reason=reason),
        fix=msg("Nothing was changed. Use another copy of the archive, with the keys of its installation."),
    )
