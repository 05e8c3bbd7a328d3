"""Taking a plugin out: a signed archive first, then everything that is its own, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import migrate, search
from gigacore.access.profiles import bump
from gigacore.data import bump_generation
from gigacore.errors import Conflict, GigaError, NotFound
from gigacore.files import space
from gigacore.files.container import ContainerWriter
from gigacore.files.sealed import Secrets
from gigacore.files.storage import open_object
from gigacore.jobs.tables import RUNNING, core_job
from gigacore.messages import msg
from gigacore.migrate import History
from gigacore.plugins import footprint, kinds, rows, soft, stored, trail
from gigacore.plugins.archive import ARCHIVE, FOLDER, new_archive
from gigacore.plugins.footprint import OWNED, Owned
from gigacore.plugins.histories import history_of
from gigacore.plugins.order import dependents
from gigacore.plugins.rows import Shape
from gigacore.plugins.stored import StoredPlugin
from gigacore.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from gigacore.application import Crm

ROW_BYTES: Final = 2048
log: Final = logging.getLogger("gigacore.plugins")


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a plugin has in the database. `missing` are tables that its manifest names although they are not there."""

    plugin: StoredPlugin
    tables: tuple[str, ...]
    soft: tuple[soft.SoftColumn, ...]

    @classmethod
    def of(cls, connection: sa.Connection, known: Mapping[str, StoredPlugin], name: str) -> Belongings:
        """What the plugin has, by its stored manifest: its code is not needed."""
        plugin = known[name]
        present = set(sa.inspect(connection).get_table_names()) & set(plugin.manifest.get("tables", ()))
        return cls(plugin, tuple(rows.in_order(connection, present)), tuple(soft.soft_columns(connection, known, name)))

    def shape(self, connection: sa.Connection, name: str) -> Shape:
        """One of its tables with what its columns refer to."""
        table = rows.reflect(connection, name, self.plugin.manifest.get("columns", {}).get(name))
        return Shape(table, self._references(table), (), frozenset(self.tables))

    def core_shape(self, owned: Owned) -> Shape:
        """A table of the core with what its columns refer to."""
        refs = {column: t for column, t in footprint.REFERRED.items() if column in owned.table.c}
        return Shape(owned.table, refs, owned.pairs, frozenset(self.tables), frozenset(owned.needed))

    def _references(self, table: sa.Table) -> dict[str, str]:
        """References by the manifest, the columns that every entity has, and the key of an extension's table."""
        found = {column: t for column, t in footprint.REFERRED.items() if column in table.c}
        declared = self.plugin.manifest.get("references", ())
        found |= {
            one["column"]: footprint.table_of(one["target"]) for one in declared if one.get("table") == table.name
        }
        extended = self.plugin.manifest.get("extension_tables", {}).get(table.name)
        return found | ({"id": footprint.table_of(extended)} if extended else {})


def uninstall(crm: Crm, name: str, *, encrypted: bool = False) -> Path:
    """Removes a plugin with its tables and rows, and returns the archive from which `reinstall` brings it back.

    One transaction: whatever happens, the plugin is wholly there or wholly gone; the audit stays. Its code need not be
    there. With `encrypted` the archive is sealed with the installation's secrets. Raises NotFound, or Conflict while
    others require it, jobs of it run, another operation runs, or the archive does not fit onto the disk; then nothing
    was changed.
    """
    history = _history(crm, name)
    with archived() as keep, migrate.operation(crm.engine) as connection:
        found = check_removable(crm, connection, name, crm.clock.now())
        path = keep(write_archive(crm, connection, found, encrypted=encrypted))
        _drop(connection, found, history)
        trail.note(connection, crm.clock.now(), "uninstalled", name, path=path)
    crm.start()
    return path


@contextmanager
def archived() -> Iterator[Callable[[Path], Path]]:
    """Gives a function that takes note of an archive, which is thrown away again when the operation fails."""
    made: list[Path] = []

    def keep(path: Path) -> Path:
        made.append(path)
        return path

    try:
        yield keep
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def write_archive(crm: Crm, connection: sa.Connection, found: Belongings, *, encrypted: bool = False) -> Path:
    """Writes the signed archive of a plugin, which nobody else can change meanwhile. Raises Conflict without room."""
    key, now = ARCHIVE.key(crm.settings.encryption_key), crm.clock.now()
    sealing = Secrets.of(crm.settings) if encrypted else None
    _lock(connection, found)
    space.require(crm.settings.data_dir, archive_size(connection, found))
    folder = crm.settings.data_dir / FOLDER
    with space.told(), new_archive(folder, found.plugin.name, now, sealing) as (path, writer):
        _write(crm, connection, found, writer)
        writer.seal(_manifest(connection, found, now), key)
    return path


def check_removable(crm: Crm, connection: sa.Connection, name: str, now: datetime) -> Belongings:
    """What would go. Raises NotFound or Conflict with the next command when it cannot."""
    known = stored.read(connection)
    if name not in known:
        raise NotFound(msg("There is no installed plugin {name}.", name=name), fix=msg("See `giga plugin list`."))
    if name in crm.plugins.candidates and crm.plugins.candidates[name].builtin:
        raise stored.part_of_application(name)
    if needing := dependents(known, name):
        raise Conflict(
            msg("These plugins require it: {names}.", names=", ".join(needing)),
            fix=msg("Run `giga plugin uninstall {name}` first.", name=needing[-1]),
        )
    found = Belongings.of(connection, known, name)
    for column in found.soft:
        if column.required and soft.count(connection, column):
            raise Conflict(
                msg("{place} refers to its records and cannot be empty.", place=f"{column.table}.{column.column}"),
                fix=msg("Let these rows refer to something else first."),
            )
    _check_no_job_runs(connection, name, now)
    return found


def _check_no_job_runs(connection: sa.Connection, name: str, now: datetime) -> None:
    j = core_job.c
    running = sa.select(sa.func.count()).where(j.plugin == name, j.state == RUNNING, j.lease_until > now)
    if count := connection.scalar(running):
        raise Conflict(
            msg("{count} jobs of {name} are running.", count=count, name=name),
            fix=msg("Run `giga plugin disable {name}`, restart the workers, then try again.", name=name),
        )


def _history(crm: Crm, name: str) -> History | None:
    """The plugin's migrations, None when its code is gone or does not load: then its tables are dropped by name."""
    try:
        return history_of(crm.plugins.examine(name)[0])
    except GigaError as error:
        log.warning("A plugin is removed without its code", extra={"plugin": name, "reason": str(error)})
        return None


def _lock(connection: sa.Connection, found: Belongings) -> None:
    """Keeps writers off until the end; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.quote
        for name in [*found.tables, *(owned.table.name for owned in OWNED)]:
            mode = "ACCESS EXCLUSIVE" if name in found.tables else "SHARE ROW EXCLUSIVE"
            connection.exec_driver_sql(f"LOCK TABLE {quote(name)} IN {mode} MODE")


def archive_size(connection: sa.Connection, found: Belongings) -> int:
    """About how many bytes the archive takes, generously."""
    count = sum(count_rows(connection, name) for name in found.tables)
    count += sum(owned.count(connection, found.plugin.name) for owned in OWNED)
    return count * ROW_BYTES + sum(size for _, size in _files(connection, found.plugin.name))


def count_rows(connection: sa.Connection, table: str) -> int:
    """The rows of a table."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())


def _files(connection: sa.Connection, name: str) -> list[tuple[str, int]]:
    files = next(owned for owned in OWNED if owned.by_id)
    columns = files.table.c
    return [
        (r[0], r[1]) for r in connection.execute(sa.select(columns.object_id, columns.size).where(files.where(name)))
    ]


def _write(crm: Crm, connection: sa.Connection, found: Belongings, writer: ContainerWriter) -> None:
    name = found.plugin.name
    for table in found.tables:
        writer.add(f"tables/{table}", rows.read(connection, found.shape(connection, table)))
    for owned in OWNED:
        if owned.archived is not None:
            where = sa.and_(owned.where(name), owned.archived(name))
            writer.add(f"core/{owned.table.name}", rows.read(connection, found.core_shape(owned), where))
    writer.add("references", soft.read(connection, found.soft))
    writer.add("values", soft.read_values(connection, soft.foreign_fields(connection, name)))
    for object_id, _ in _files(connection, name):
        try:
            source = open_object(crm.storage, object_id)
            writer.add(f"files/{object_id}", iter(lambda stream=source: stream.read(1 << 16), b""))  # type: ignore[misc]
        except NotFound:
            log.warning("A file is missing in the storage", extra={"object": object_id})


def _manifest(connection: sa.Connection, found: Belongings, now: datetime) -> dict[str, Any]:
    plugin = found.plugin
    return {
        "plugin": plugin.name,
        "version": plugin.version,
        "api": plugin.api,
        "engine": connection.dialect.name,
        "portable": kinds.is_portable(plugin.manifest.get("columns", {}), found.tables),
        "revision": migrate.current(connection, History(plugin.name, Path())),
        "created_at": now.isoformat(),
        "manifest": dict(plugin.manifest),
        "tables": list(found.tables),
        "counters": {table: last_number(connection, table) for table in found.tables},
    }


def last_number(connection: sa.Connection, table: str) -> int | None:
    """The last id that a table gave out, so that none is given out twice."""
    if connection.dialect.name == "sqlite":
        kept = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
        return connection.scalar(sa.select(kept.c.seq).where(kept.c.name == table))
    sequence = _sequence(connection, table)
    return connection.scalar(sa.select(sa.func.pg_sequence_last_value(sequence))) if sequence is not None else None


def settle_number(connection: sa.Connection, table: str, number: int | None) -> None:
    """Lets the next id be greater than that number and than every id of the table."""
    types = {column["name"]: column["type"] for column in sa.inspect(connection).get_columns(table)}
    if isinstance(types.get("id"), sa.Integer):
        clause = sa.table(table, sa.column("id", sa.BigInteger))
        last = max(number or 0, connection.scalar(sa.select(sa.func.max(clause.c.id))) or 0)
        if last:
            _set_last_number(connection, table, last)


def _set_last_number(connection: sa.Connection, table: str, number: int) -> None:
    if connection.dialect.name == "sqlite":
        kept = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
        connection.execute(sa.delete(kept).where(kept.c.name == table))
        connection.execute(sa.insert(kept).values(name=table, seq=number))
    elif (sequence := _sequence(connection, table)) is not None:
        connection.execute(sa.select(sa.func.setval(sequence, number)))


def _sequence(connection: sa.Connection, table: str) -> Any:
    if "id" not in {column["name"] for column in sa.inspect(connection).get_columns(table)}:
        return None
    name = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table, "id")))
    return sa.cast(name, sa.dialects.postgresql.REGCLASS) if name else None


def _drop(connection: sa.Connection, found: Belongings, history: History | None) -> None:
    name = found.plugin.name
    soft.empty(connection, found.soft)
    soft.erase(connection, soft.foreign_fields(connection, name))
    footprint.remove(connection, name)
    search.remove(connection, found.tables)
    if history is not None and migrate.state(connection, history).newer is None:
        migrate.downgrade(connection, history)
    left = set(sa.inspect(connection).get_table_names())
    for table in [*reversed(found.tables), History(name, Path()).version_table]:
        if table in left:
            sa.Table(table, sa.MetaData()).drop(connection)
    stored.forget(connection, name)
    bump(connection)
    bump_generation(connection)
