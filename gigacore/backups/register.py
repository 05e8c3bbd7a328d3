"""The register of what is gone, beside the backups: restoring elsewhere must not bring back what was erased since."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson

from gigacore.backups.catalogue import BACKUP
from gigacore.data import gone
from gigacore.data.gone import Gone
from gigacore.errors import Conflict
from gigacore.files.storage import sync_folder
from gigacore.messages import msg

if TYPE_CHECKING:
    import sqlalchemy as sa

    from gigacore.settings import Settings

NAME: Final = "gone.jsonl"


def export(connection: sa.Connection, settings: Settings) -> int:
    """Writes the register anew beside the backups, signed; returns how many entries it has."""
    folder, count = settings.backups, 0
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{NAME}.{os.getpid()}"
    signature = hmac.new(BACKUP.key(settings.encryption_key), digestmod=hashlib.sha256)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        for one in gone.read(connection):
            line = orjson.dumps(asdict(one), option=orjson.OPT_APPEND_NEWLINE)
            signature.update(line)
            out.write(line)
            count += 1
        out.write(orjson.dumps({"signature": signature.hexdigest()}, option=orjson.OPT_APPEND_NEWLINE))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(folder / NAME)
    sync_folder(folder)
    return count


def beside(folder: Path, settings: Settings, *, trusting: bool) -> list[Gone]:
    """The entries of the register in a folder, none where there is none.

    Raises Conflict when it was changed or is another installation's, unless it is trusted.
    """
    path = folder / NAME
    if not path.exists():
        return []
    *lines, last = path.read_bytes().splitlines(keepends=True) or [b"{}"]
    signature = hmac.new(BACKUP.key(settings.encryption_key), b"".join(lines), "sha256").hexdigest()
    if not (trusting or hmac.compare_digest(str(orjson.loads(last).get("signature", "")), signature)):
        raise Conflict(
            msg("The register {path} was changed, or is another installation's.", path=path),
            fix=msg("Nothing was changed. Set GIGA_ENCRYPTION_KEY to the key of its installation, or add --trust."),
        )
    return list(_entries(lines))


def _entries(lines: list[bytes]) -> Iterator[Gone]:
    for line in lines:
        row = orjson.loads(line)
        into = UUID(row["into_uid"]) if row["into_uid"] else None
        yield Gone(UUID(row["uid"]), row["entity"], row["fate"], into, datetime.fromisoformat(row["at"]))
