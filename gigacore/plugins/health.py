"""What is not in order with the plugins of an installation, found without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.data.door import SCOPED
from gigacore.data.engine import reading
from gigacore.errors import Conflict, GigaError
from gigacore.files.sealed import Secrets
from gigacore.jobs.tables import DEAD, core_job
from gigacore.messages import Msg, msg
from gigacore.plugins import stored
from gigacore.plugins.archive import FOLDER, open_archive
from gigacore.plugins.faults import Fault
from gigacore.plugins.footprint import OWNED
from gigacore.plugins.registration import CORE
from gigacore.plugins.stored import StoredPlugin
from gigacore.plugins.tables import DISABLED, ENABLED
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.migrate import State

MOST_FAULTS: Final = 50
UNOWNED: Final = ("", CORE, "custom")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not in order; `serious` when something does not work because of it."""

    plugin: str
    message: Msg
    fix: Msg | None = None
    serious: bool = True


def examine(crm: Crm) -> list[Finding]:
    """Checks code, tables, requirements, leftovers, jobs and archives of every plugin."""
    with reading(crm.engine).execution_options(**{SCOPED: True}).connect() as connection:
        known = stored.read(connection)
        return [
            *_stopped(known),
            *_faults(crm),
            *_missing_tables(connection, known),
            *_unmet(known),
            *_behind(crm),
            *_leftovers(connection, known),
            *_dead_jobs(connection, known),
            *_archives(crm),
        ]


def _stopped(known: Mapping[str, StoredPlugin]) -> Iterator[Finding]:
    for name, row in known.items():
        if row.state not in (ENABLED, DISABLED):
            fix = msg("Mend it and start again, or run `giga plugin disable {name}`.", name=name)
            if row.held is not None:
                fix = msg("Mend it and run `giga plugin enable {name}`, then start again.", name=name)
            yield Finding(name, msg("It was stopped by a fault: {reason}", reason=row.held or row.reason), fix)


def _faults(crm: Crm) -> Iterator[Finding]:
    """What went wrong while plugins ran, in the past days."""
    for fault in crm.calls.faults.read()[:MOST_FAULTS]:
        yield Finding(fault.plugin, told(fault), serious=False)


def told(fault: Fault) -> Msg:
    """A fault as a sentence."""
    return msg(
        "It failed in {place}, lately on {at} ({count} ×): {error}",
        place=fault.place,
        count=fault.count,
        at=f"{fault.at:%Y-%m-%d %H:%M} UTC",
        error=Msg(fault.error),
    )


def _missing_tables(connection: sa.Connection, known: Mapping[str, StoredPlugin]) -> Iterator[Finding]:
    present = set(sa.inspect(connection).get_table_names())
    for name, row in known.items():
        if lost := sorted(set(row.manifest.get("tables", ())) - present):
            fix = msg("Restore a backup, or run `giga plugin uninstall {name}` and reinstall it.", name=name)
            yield Finding(name, msg("Its tables {names} are missing.", names=", ".join(lost)), fix)


def _unmet(known: Mapping[str, StoredPlugin]) -> Iterator[Finding]:
    for name, row in known.items():
        for wanted in row.requires:
            if row.state != DISABLED and (wanted not in known or known[wanted].state == DISABLED):
                fix = msg("Run `giga plugin enable {name}`.", name=wanted)
                yield Finding(name, msg("It requires {plugin}, which does not run.", plugin=wanted), fix)


def _behind(crm: Crm) -> Iterator[Finding]:
    for state in crm.plugins.current():
        if not state.up_to_date:
            yield Finding(state.owner, _distance(state), msg("Run `giga db upgrade`."))
    for owner, lines in crm.plugins.check().items():
        yield Finding(
            owner, msg("Tables and code differ: {lines}.", lines="; ".join(lines)), msg("Run `giga db check`.")
        )


def _distance(state: State) -> Msg:
    if state.newer is not None:
        return msg("The database is at revision {name}, which the code does not know.", name=state.newer)
    return msg("{count} migrations are missing.", count=len(state.pending))


def _leftovers(connection: sa.Connection, known: Mapping[str, StoredPlugin]) -> Iterator[Finding]:
    """Rows that carry the name of a plugin that is not installed."""
    for owned in OWNED:
        column = owned.table.c.get("plugin")
        if column is None:
            continue
        for name in connection.scalars(sa.select(column).where(column.is_not(None)).distinct()):
            if name not in known and name not in UNOWNED:
                text = msg("Rows of {table} belong to it although it is not installed.", table=owned.table.name)
                yield Finding(name, text, msg("Install it and uninstall it again."), serious=False)
    for table in sa.inspect(connection).get_table_names():
        owner = table.removeprefix("core_version_")
        if owner != table and owner not in known and owner != CORE:
            yield Finding(owner, msg("Its tables are here although it is not installed."), serious=False)


def _dead_jobs(connection: sa.Connection, known: Mapping[str, StoredPlugin]) -> Iterator[Finding]:
    j = core_job.c
    dead = sa.select(j.plugin, sa.func.count()).where(j.state == DEAD, j.plugin.in_(sorted(known))).group_by(j.plugin)
    for name, count in connection.execute(dead):
        yield Finding(name, msg("{count} of its jobs failed for good.", count=count), serious=False)


def _archives(crm: Crm) -> Iterator[Finding]:
    """Archives that could not be reinstalled, and those whose passphrase is not known here."""
    for path in sorted((crm.settings.data_dir / FOLDER).glob("*.zip")):
        name = path.name.partition("-")[0]
        try:
            with open_archive(path, Secrets.of(crm.settings)):
                pass
        except Conflict as error:
            text = msg("The archive {path} was not looked at: {reason}", path=path.name, reason=error.message)
            command = f"giga plugin plan reinstall {name} --archive {path} --passphrase-file FILE"
            yield Finding(name, text, msg("Try it with `{command}`.", command=command), serious=False)
        except GigaError as error:
            yield Finding(name, error.message, error.fix)
