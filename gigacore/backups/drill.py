"""The restore drill: a backup is restored into a place of its own, compared, started, and thrown away."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gigacore.backups.restoring import restore
from gigacore.backups.writing import create
from gigacore.data import audit
from gigacore.errors import Conflict
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.files.sealed import Secrets


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill showed: rows and files that came back equal, and how long that took."""

    path: Path
    rows: int
    files: int
    lost_files: int
    backup_seconds: float
    restore_seconds: float


def drill(
    crm: Crm,
    path: Path | None = None,
    *,
    url: str = "",
    known: Secrets | None = None,
    encrypted: bool | None = None,
) -> Drill:
    """Restores a backup, by default one made now, into an empty database and folder, and compares every row and file.

    The scratch database is an SQLite file, or the empty one at `url`. The audit chain is verified there, and the
    application started on it. Raises as `restore`, and Conflict when the chain does not hold.
    """
    started = time.monotonic()
    if path is None:
        path = crm.settings.backups / create(crm, reason="drill", encrypted=encrypted).name
    made = time.monotonic()
    crm.settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="drill-", dir=crm.settings.data_dir) as folder:
        place = Path(folder)
        settings = replace(
            crm.settings,
            data_dir=place,
            backup_dir=str(place / "backups"),
            database_url=url or f"sqlite:///{place / 'drill.sqlite3'}",
        )
        with type(crm)(settings, clock=crm.clock) as scratch:
            scratch.plugins.candidates = crm.plugins.candidates
            done = restore(scratch, path, known=known, exact=True)
            ended = time.monotonic()
            _check_chain(scratch)
            scratch.upgrade()
    return Drill(path, done.rows, done.files, done.lost_files, made - started, ended - made)


def _check_chain(scratch: Crm) -> None:
    with scratch.engine.connect() as connection:
        faults = audit.verify(connection)
    if faults:
        raise Conflict(
            msg("The audit chain of the restored database has {count} faults.", count=len(faults)),
            fix=msg("Run `giga verify` on the installation itself."),
        )
