"""Making a backup: one snapshot of the database, and the files that it knows, into one container."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.backups import catalogue, content, ddl
from gigacore.backups.catalogue import BACKUP, VERSION, Backup
from gigacore.backups.content import CORE, LEFT_OUT, Owner, Tally
from gigacore.backups.frames import FileWriter
from gigacore.backups.register import export
from gigacore.backups.store import REFS, note_refs, store_for
from gigacore.data import settings
from gigacore.errors import Conflict, GigaError
from gigacore.files import space
from gigacore.files.container import ContainerWriter, new_container
from gigacore.files.sealed import Secrets
from gigacore.messages import msg
from gigacore.plugins import kinds
from gigacore.plugins.removal import last_number
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm

FILES: Final = "files"
ENCRYPT: Final = "core.backup_encrypt"
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Nobody looks."""


def create(
    crm: Crm,
    *,
    reason: str = "",
    encrypted: bool | None = None,
    progress: Progress = no_progress,
) -> Backup:
    """Writes a backup of database and files beside the others, while the application goes on; returns its receipt.

    With `encrypted` (left out: as administrators set it) it is sealed with the passphrase of the settings or, without
    one, with the encryption key. Files lie in a store beside the backups, each content once. `progress(done, total)`
    is called between tables and may raise to break off. Raises Conflict for a database in memory, without room or in a
    folder that is not to be written to; then no backup appears, and the receipt of the attempt says why where one can
    be kept.
    """
    if encrypted is None:
        encrypted = _as_the_settings_say(crm)
    folder, now = crm.settings.backups, crm.clock.now()
    path, started = catalogue.new_path(folder, now), time.monotonic()
    begun = Backup(path.name, now, reason=reason, engine=crm.engine.dialect.name, version=VERSION)
    try:
        with space.told():
            totals = _write(crm, path, reason, Secrets.of(crm.settings) if encrypted else None, progress)
    except (GigaError, OSError, sa.exc.SQLAlchemyError) as error:
        with suppress(OSError):  # where no backup can be kept, perhaps no receipt can be kept either
            path.with_suffix(REFS).unlink(missing_ok=True)
            catalogue.keep(folder, replace(begun, state="failed", error=str(error)))
        raise
    sealed = Secrets.of(crm.settings).mode if encrypted else ""
    size, digest = path.stat().st_size, catalogue.digest(path)
    done = replace(begun, size=size, sha256=digest, sealed=sealed, seconds=round(time.monotonic() - started, 2))
    done = replace(done, rows=totals.rows, files=totals.files, file_bytes=totals.file_bytes)
    catalogue.keep(folder, done)
    return done


@dataclass(frozen=True, slots=True)
class _Totals:
    rows: int
    files: int
    file_bytes: int


def _as_the_settings_say(crm: Crm) -> bool:
    with crm.database.connect() as connection:
        return bool(settings.read(connection).get(ENCRYPT))


def _write(crm: Crm, path: Path, reason: str, sealing: Secrets | None, progress: Progress) -> _Totals:
    _check_possible(crm.engine)
    key = BACKUP.key(crm.settings.encryption_key)
    with content.snapshot(crm.engine) as connection:
        found = content.owners(connection)
        store = store_for(path.parent, sealing)
        files = FileWriter(crm.storage, connection, store)
        space.require(path.parent, _size(connection, found) + files.new_bytes())
        with new_container(path, sealing) as writer:
            tallies = _write_tables(connection, writer, found, progress)
            note_refs(path, store, files.names())
            writer.add(FILES, files.pieces())
            writer.seal(
                {
                    **_manifest(connection, found, tallies),
                    "ddl": _ddl(crm, connection, found),
                    "reason": reason,
                    "made_at": crm.clock.now().isoformat(),
                    "files": {"count": files.count, "bytes": files.size, "missing": files.missing},
                    "store": {"name": store.name, "key": store.key},
                },
                key,
            )
        export(connection, crm.settings)
    return _Totals(sum(one.count for one in tallies.values()), files.count, files.size)


def _check_possible(engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:"):
        raise Conflict(msg("A database in memory cannot be backed up."), fix=msg("Set GIGA_DATABASE_URL to a file."))


def _size(connection: sa.Connection, found: Sequence[Owner]) -> int:
    """About how many bytes the rows take, generously: the database without packing."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        rows = pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    else:
        size = "SELECT COALESCE(SUM(pg_total_relation_size(to_regclass(quote_ident(n)))), 0) FROM unnest(%s::text[]) n"
        names = [name for owner in found for name in owner.tables]
        rows = connection.exec_driver_sql(size, (names,)).scalar_one()
    return int(rows)


def _write_tables(
    connection: sa.Connection, writer: ContainerWriter, found: Sequence[Owner], progress: Progress
) -> dict[str, Tally]:
    wanted = [(name, owner.kinds.get(name)) for owner in found for name in owner.tables if name not in LEFT_OUT]
    tallies = {}
    for done, (name, typed) in enumerate(wanted):
        progress(done, len(wanted) + 1)
        tally = tallies[name] = Tally()
        writer.add(f"tables/{name}", content.read(connection, content.table(connection, name, typed), tally))
    progress(len(wanted), len(wanted) + 1)
    return tallies


def _manifest(connection: sa.Connection, found: Sequence[Owner], tallies: Mapping[str, Tally]) -> dict[str, Any]:
    typed = {name: dict(owner.kinds[name]) for owner in found for name in owner.tables if name in owner.kinds}
    return {
        "version": VERSION,
        "engine": connection.dialect.name,
        "portable": kinds.is_portable(typed, tallies),
        "owners": [
            {"name": o.name, "version": o.version, "state": o.state, "revision": o.revision, "tables": list(o.tables)}
            for o in found
        ],
        "kinds": typed,
        "rows": {name: tally.count for name, tally in tallies.items()},
        "bytes": sum(tally.size for tally in tallies.values()),
        "digests": {name: tally.digest for name, tally in tallies.items()},
        "counters": {name: last_number(connection, name) for name in tallies},
    }


def _ddl(crm: Crm, connection: sa.Connection, found: Sequence[Owner]) -> dict[str, list[str]]:
    """How the tables of plugins are made that are no part of the application: their code may be gone one day."""
    builtin = {CORE, *(name for name, candidate in crm.plugins.candidates.items() if candidate.builtin)}
    return {one.name: ddl.statements(connection, one.tables) for one in found if one.name not in builtin}
