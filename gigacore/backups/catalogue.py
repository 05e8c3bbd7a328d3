"""The folder of backups: each file with a receipt beside it; lists are made of those and need no database."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from gigacore.backups import store
from gigacore.errors import NotFound, PluginError
from gigacore.files.container import Kind
from gigacore.files.storage import sync_folder
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

State = Literal["running", "complete", "failed", "verified", "damaged"]
VERSION: Final = version("gigacore")
SUFFIX: Final = ".backup"
PART: Final = ".part"
RECEIPT: Final = ".json"
STALE: Final = timedelta(days=1)
_CHUNK: Final = 1 << 20


def _refused(path: Path, reason: Msg) -> PluginError:
    return PluginError(
        "core",
        msg("The backup {path} is refused: {reason}.", path=path.name, reason=reason),
        fix=msg("Nothing was changed. Use another copy or another backup: `giga backup list`."),
    )


BACKUP: Final = Kind(b"gigacore backup 1", _refused)


@dataclass(frozen=True, slots=True)
class Backup:
    """One line of the list of backups, as its receipt tells.

    `sealed` is empty, `key` or `passphrase`; `rows`, `files`, `size` and `file_bytes` are totals, sizes in bytes.
    """

    name: str
    made_at: datetime
    state: State = "complete"
    reason: str = ""
    size: int = 0
    sha256: str = ""
    sealed: str = ""
    engine: str = ""
    version: str = ""
    rows: int = 0
    files: int = 0
    file_bytes: int = 0
    seconds: float = 0.0
    verified_at: datetime | None = None
    error: str = ""


def new_path(folder: Path, now: datetime) -> Path:
    """Where the next backup comes to lie."""
    return folder / f"giga-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}{SUFFIX}"


def keep(folder: Path, backup: Backup) -> None:
    """Writes the receipt of a backup, as a whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{Path(backup.name).stem}{RECEIPT}"
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        out.write(orjson.dumps(asdict(backup), option=orjson.OPT_INDENT_2))
    draft.replace(path)
    sync_folder(folder)


def listing(folder: Path) -> list[Backup]:
    """Every backup in the folder, newest first, those that run or failed among them."""
    return sorted(_found(folder), key=lambda one: (one.made_at, one.name), reverse=True)


def named(folder: Path, name: str) -> Path:
    """The file of a backup in the list. Raises NotFound for anything else, whatever the name contains."""
    known = {one.name for one in listing(folder) if one.state in ("complete", "verified", "damaged")}
    if name not in known:
        raise NotFound(
            msg("There is no backup {name} in {folder}.", name=name, folder=folder), fix=msg("See `giga backup list`.")
        )
    return folder / name


def newest(folder: Path) -> Path:
    """The latest complete backup. Raises NotFound when there is none."""
    good = [one for one in listing(folder) if one.state in ("complete", "verified")]
    if not good:
        raise NotFound(msg("There is no backup in {folder}.", folder=folder), fix=msg("Run `giga backup create`."))
    return folder / good[0].name


def prune(folder: Path, days: int, now: datetime) -> list[str]:
    """Removes backups older than so many days, but never the last good one, and what broken-off ones left.

    Returns the names of the files that went.
    """
    found = listing(folder)
    last = next((one.name for one in found if one.state in ("complete", "verified")), "")
    old = [one for one in found if one.made_at < now - timedelta(days=days) and one.name != last]
    gone = [one.name for one in old if one.state != "running"]
    gone += [one.name for one in found if one.state == "running" and one.made_at < now - STALE]
    for name in gone:
        for suffix in (SUFFIX, PART, RECEIPT, store.REFS):
            (folder / name).with_suffix(suffix).unlink(missing_ok=True)
    store.clear(folder, (now - STALE).timestamp())
    return gone


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as source:
        while piece := source.read(_CHUNK):
            found.update(piece)
    return found.hexdigest()


def receipt_of(path: Path) -> Backup | None:
    """What the receipt beside a backup says, None without a readable one."""
    try:
        values: dict[str, Any] = orjson.loads(path.with_suffix(RECEIPT).read_bytes())
        moments = {name: datetime.fromisoformat(values[name]) for name in ("made_at", "verified_at") if values[name]}
        return Backup(**{**values, **moments})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _found(folder: Path) -> Iterator[Backup]:
    for path in folder.glob(f"giga-*{SUFFIX}"):
        known = receipt_of(path) or Backup(path.name, _moment(path))
        yield replace(known, name=path.name, size=path.stat().st_size)
    for path in folder.glob(f"giga-*{PART}"):
        name = path.with_suffix(SUFFIX).name
        yield Backup(name, _moment(path), "running", size=path.stat().st_size)
    for path in folder.glob(f"giga-*{RECEIPT}"):
        failed = receipt_of(path)
        if failed is not None and failed.state == "failed":
            yield failed


def _moment(path: Path) -> datetime:
    try:
        return datetime.strptime(path.name.split("-")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (IndexError, ValueError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
