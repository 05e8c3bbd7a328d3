"""Restoring a backup: everything is checked first, files are laid out, then one transaction changes the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import migrate
from gigacore.access.profiles import bump
from gigacore.backups import content, register, schema, writing
from gigacore.backups.catalogue import BACKUP
from gigacore.backups.content import CORE, Tally
from gigacore.backups.frames import FramedFile, files, store_of, told_missing
from gigacore.data import audit, bump_generation, gone
from gigacore.data.door import SCOPED
from gigacore.data.engine import reading
from gigacore.data.tables import core_state
from gigacore.errors import Conflict, GigaError, PluginError
from gigacore.files import space
from gigacore.files.container import FORMAT, Container, open_container
from gigacore.files.sealed import Secrets
from gigacore.files.tables import core_file
from gigacore.jobs import heartbeat
from gigacore.messages import msg
from gigacore.migrate import History
from gigacore.plugins import gone as aftermath
from gigacore.plugins.histories import core_history
from gigacore.plugins.removal import settle_number
from gigacore.plugins.tables import ENABLED
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.files.storage import Storage

LIMIT: Final = 1 << 50
BEFORE: Final = "before a restore"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a backup holds, and what it would replace: rows by table there, none in an empty installation."""

    path: Path
    made_at: datetime
    version: str
    engine: str
    rows: int
    files: int
    file_bytes: int
    plugins: tuple[str, ...]
    replaced: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `kept_out` records stayed away because they are gone since; `safety` is what was there."""

    path: Path
    rows: int
    files: int
    kept_out: int
    lost_files: int
    safety: Path | None


def inspect(crm: Crm, path: Path, *, known: Secrets | None = None, trusting: bool = False) -> Inspection:
    """Checks a backup wholly and says what restoring it would replace; changes nothing. Raises as `restore`."""
    with open_container(path, BACKUP, known or Secrets.of(crm.settings), trusting=trusting) as opened:
        _check(crm, opened)
        manifest = opened.manifest
    return Inspection(
        path,
        datetime.fromisoformat(manifest["made_at"]),
        manifest["version"],
        manifest["engine"],
        sum(manifest["rows"].values()),
        manifest["files"]["count"],
        manifest["files"]["bytes"],
        tuple(one["name"] for one in manifest["owners"] if one["name"] != CORE),
        _present_rows(crm.engine),
    )


def restore(
    crm: Crm,
    path: Path,
    *,
    known: Secrets | None = None,
    trusting: bool = False,
    replace: bool = False,
    safety: bool = True,
    exact: bool = False,
) -> Restored:
    """Brings database and files to the state of a backup; the application must not run meanwhile.

    One transaction: killed at any moment, the old or the new state is there. An installation that holds records is
    only overwritten with `replace`, and then backed up before, unless `safety` is off. What was purged, erased or
    merged since stays so, by the register of the present installation and the one beside the backup. With `exact` the
    restored rows are read again and compared, and nothing else is done to them: for drills.

    Raises Conflict while other servers or workers use the installation, and NotFound, PluginError or Conflict, with the
    next command, for a backup that is missing, changed, cut short,
    sealed with another secret, newer than the code, of a plugin whose code is not there, or larger than the room on the
    disk; then nothing was changed.
    """
    _make_folder(crm.engine)
    with open_container(path, BACKUP, known or Secrets.of(crm.settings), trusting=trusting) as opened:
        histories = _check(crm, opened)
        check_alone(crm)
        entries = [] if exact else _entries(crm, path, trusting)
        space.require(crm.settings.data_dir, _room(crm.engine, opened))
        kept, kept_out = _keep_present(crm, replace, safety), 0
        with space.told(), _Objects(crm, opened) as objects, migrate.operation(crm.engine) as connection:
            entries += gone.read(connection)
            _rebuild(connection, opened, histories, objects)
            if exact:
                _compare(connection, opened, objects)
            else:
                kept_out = _go_on(crm, connection, histories, entries)
        rows = sum(opened.manifest["rows"].values())
    if not exact:
        _finish(crm, path)
    return Restored(path, rows, objects.count, kept_out, objects.lost, kept)


def check_alone(crm: Crm) -> None:
    """Raises Conflict while other processes, workers or servers, use the installation."""
    with reading(crm.engine).execution_options(**{SCOPED: True}).connect() as connection:
        there = sa.inspect(connection).has_table(core_state.name)
        names = heartbeat.others(connection, crm.clock.now()) if there else []
    if names:
        raise Conflict(
            msg("Other processes use this installation: {names}.", names=", ".join(names)),
            fix=msg(
                "Nothing was changed. Stop these servers and workers, then restore again;"
                " one that was killed counts for {seconds} seconds more.",
                seconds=int(heartbeat.ALIVE.total_seconds()),
            ),
        )


def _make_folder(engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite" and (file := engine.url.database):
        Path(file).parent.mkdir(parents=True, exist_ok=True)


def _check(crm: Crm, opened: Container) -> dict[str, History]:
    """The migrations of every owner whose code is here. Raises PluginError for what this code cannot restore."""
    manifest = opened.manifest
    if manifest["format"] != FORMAT or "owners" not in manifest:
        raise BACKUP.refused(opened.path, msg("it was written in a format that this version does not know"))
    same = manifest["engine"] == crm.engine.dialect.name
    if not (same or manifest["portable"]):
        raise BACKUP.refused(
            opened.path, msg("it was written on {engine}, with values of no known kind", engine=manifest["engine"])
        )
    found = {}
    for owner in manifest["owners"]:
        history = _history(crm, owner["name"])
        if history is not None:
            _check_revision(opened, owner, history)
            found[owner["name"]] = history
        elif owner["tables"] and not same:
            raise PluginError(
                owner["name"],
                msg("The backup holds this plugin, whose code is not here, from another kind of database."),
                fix=msg(
                    "Nothing was changed. Install version {version} of it with pip.", version=owner["version"] or "-"
                ),
            )
    return found


def _history(crm: Crm, name: str) -> History | None:
    if name == CORE:
        return core_history()
    try:
        return crm.plugins.history(name)
    except Exception:  # noqa: BLE001 - a plugin may raise anything; its tables are made without its code then
        return None


def _check_revision(opened: Container, owner: Mapping[str, Any], history: History) -> None:
    if owner["revision"] is not None and owner["revision"] not in history.revisions():
        raise PluginError(
            owner["name"],
            msg(
                "The backup {path} is newer than the code: it is at revision {revision} of {owner}.",
                path=opened.path.name,
                revision=owner["revision"],
                owner=owner["name"],
            ),
            fix=msg(
                "Nothing was changed. Install version {version} or a later one.",
                version=owner["version"] or opened.manifest["version"],
            ),
        )


def _entries(crm: Crm, path: Path, trusting: bool) -> list[gone.Gone]:
    """The registers beside the backup and beside this installation's backups."""
    folders = dict.fromkeys((path.parent.resolve(), crm.settings.backups.resolve()))
    return [one for folder in folders for one in register.beside(folder, crm.settings, trusting=trusting)]


def _room(engine: sa.Engine, opened: Container) -> int:
    """About how many bytes the restored state takes beside the present one: on SQLite the database lies there too."""
    rows = opened.manifest["bytes"] if engine.dialect.name == "sqlite" else 0
    return int(2 * rows + opened.manifest["files"]["bytes"])


def _present_rows(engine: sa.Engine) -> dict[str, int]:
    """Rows of people's records, by table; the core's own rows do not count."""
    with reading(engine).execution_options(**{SCOPED: True}).connect() as connection:
        names = [name for name in schema.present(connection) if not name.startswith("core_")]
        counts = {name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) for name in names}
    return {name: int(count) for name, count in counts.items() if count}


def _keep_present(crm: Crm, replace: bool, safety: bool) -> Path | None:
    """Backs up what would be replaced. Raises Conflict when there is something and nobody agreed to that."""
    replaced = _present_rows(crm.engine)
    if replaced and not replace:
        raise Conflict(
            msg("This installation holds {count} rows, which would go.", count=sum(replaced.values())),
            fix=msg("Nothing was changed. Run it again with --replace; a backup of what is here is made first."),
        )
    if not (replaced and safety):
        return None
    try:
        made = writing.create(crm.start(), reason=BEFORE)
    except GigaError as error:
        raise Conflict(
            msg("What is here could not be backed up first: {reason}", reason=error.message),
            fix=error.fix or msg("Nothing was changed. Add --no-safety to do without."),
        ) from error
    return crm.settings.backups / made.name


class _Objects:
    """The files of a backup in the storage, before the rows that name them; taken away again if those fail."""

    def __init__(self, crm: Crm, opened: Container) -> None:
        running = [one["name"] for one in opened.manifest["owners"] if one["state"] == ENABLED]
        self.storage: Storage = crm.storage_of(running)
        self.opened = opened
        self.ids: dict[str, str] = {}
        self.made: list[str] = []
        self.lost = 0

    @property
    def count(self) -> int:
        """How many files came back."""
        return len(self.ids)

    def __enter__(self) -> _Objects:
        try:
            with told_missing(self.opened), self.opened.open(writing.FILES) as source:
                for one in files(source, store_of(self.opened)):
                    self._take(one)
        except BaseException:
            self._take_away()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._take_away()

    def _take_away(self) -> None:
        for object_id in self.made:
            self.storage.delete(object_id)

    def _take(self, one: FramedFile) -> None:
        stored = self.storage.write_stream(one, limit=LIMIT)  # type: ignore[arg-type]
        self.made.append(stored.object_id)
        if one.stored and not one.whole:
            raise BACKUP.refused(self.opened.path, msg("its file {name} was changed", name=one.stored))
        if one.whole:
            self.ids[one.object_id] = stored.object_id
        else:
            self.lost += 1

    def renamed(self, lines: Iterable[Any]) -> Iterable[Any]:
        """Rows of stored files with the ids of their objects here."""
        return ({**row, "object_id": self.ids.get(row["object_id"], row["object_id"])} for row in lines)


def _rebuild(connection: sa.Connection, opened: Container, histories: Mapping[str, History], objects: _Objects) -> None:
    """Puts the tables and rows of the backup in the place of those that are there."""
    manifest = opened.manifest
    schema.drop(connection, schema.present(connection))
    schema.build(connection, manifest["owners"], histories, manifest["ddl"])
    names = list(manifest["rows"])
    with schema.without_foreign_keys(connection, names):
        for name in names:
            lines = opened.lines(f"tables/{name}")
            if name == core_file.name:
                lines = iter(objects.renamed(lines))
            count = content.write(connection, content.table(connection, name, manifest["kinds"].get(name)), lines)
            if count != manifest["rows"][name]:
                raise BACKUP.refused(opened.path, msg("rows of {name} are missing", name=name))
            settle_number(connection, name, manifest["counters"].get(name))


def _go_on(crm: Crm, connection: sa.Connection, histories: Mapping[str, History], entries: Sequence[gone.Gone]) -> int:
    """Brings what was restored to the present: migrations since, the register, indexes of custom fields."""
    for history in histories.values():
        migrate.upgrade(connection, history)
    heartbeat.forget_all(connection)
    gone.add(connection, entries)
    kept_out = aftermath.apply(connection, gone.read(connection))
    crm.plugins.restore_indexes(connection)
    bump(connection)
    bump_generation(connection)
    return kept_out


def _compare(connection: sa.Connection, opened: Container, objects: _Objects) -> None:
    """Reads every row again. Raises PluginError where one is not what the backup holds."""
    original = {new: old for old, new in objects.ids.items()}
    for name, digest in opened.manifest["digests"].items():
        table, tally = content.table(connection, name, opened.manifest["kinds"].get(name)), Tally()
        for row in content.rows_of(connection, table):
            if name == core_file.name:
                row["object_id"] = original.get(row["object_id"], row["object_id"])
            tally.add(content.line_of(row))
        if tally.digest != digest:
            raise BACKUP.refused(opened.path, msg("rows of {name} came back changed", name=name))


def _finish(crm: Crm, path: Path) -> None:
    crm.upgrade()
    with crm.system(f"restore {path.name}") as ctx:
        audit.record(ctx, "core.backup", "restored", values={"name": path.name})
