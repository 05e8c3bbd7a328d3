"""Ends an operation at its Nth call that changes the database or the disk, for every N, and looks at what is left.

`python -m tests.plugins.killpoints FOLDER SERVER MOST [OPERATION...]`: `SERVER` is a PostgreSQL database, or `sqlite`;
`MOST` bounds the points of each operation (0: every one). Prints as JSON for each operation how many such calls it
makes, how many of them were tried, and what was wrong.

Each point is a process forked from this one, where everything is loaded, and ended by `os._exit`: no handler, no
rollback, no flush. What only reads is no point: ending before it is ending before the next change.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import Crm, Plugin, backups, records
from gigacore.backups import catalogue
from gigacore.data.door import SCOPED
from gigacore.data.tables import core_audit, core_audit_value
from gigacore.errors import GigaError
from gigacore.plugins.health import examine
from gigacore.plugins.reinstallation import reinstall
from gigacore.plugins.removal import uninstall
from gigacore.plugins.upgrading import install, upgrade
from gigacore.testing.databases import Databases, PostgresDatabases, SqliteDatabases, settings
from tests.plugins.samples import CARDS, TOURS, with_folders, with_migrations
from tests.plugins.touring import LATER, contents, use

KILLED = 137
CHANGES_FILES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
READS = re.compile(r"\s*(SELECT|PRAGMA|SHOW|EXPLAIN)\b", re.IGNORECASE)
OF_THE_MOMENT = re.compile(r"(^|_)(uid|at|id)$")
GOES_ON = 25
SCHEMA = {
    "sqlite": ["SELECT type, name, sql FROM sqlite_master WHERE instr(name, '_search') = 0"],
    "postgresql": [
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = current_schema()",
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace",
    ],
}
State = tuple[dict[str, list[str]], list[str]]


def restore(crm: Crm, _name: str) -> None:
    """Goes back to the backup that the scene made."""
    oldest = catalogue.listing(crm.settings.backups)[-1]
    backups.restore(crm, crm.settings.backups / oldest.name, replace=True, safety=False)


def back_up(crm: Crm, _name: str) -> None:
    """Makes a backup and looks whether it is whole."""
    backups.verify(crm, crm.settings.backups / backups.create(crm).name)


def leave_behind(crm: Crm, name: str) -> None:
    """A backup, and one record more than it has."""
    back_up(crm, name)
    with crm.system("one more") as ctx:
        records.create(ctx, "tours.tour", {"title": "Since"})


def nothing(crm: Crm, name: str) -> None:
    """An installation in use is where it starts."""


@dataclass(frozen=True)
class Operation:
    """What is tried; `before` and a new `migration` bring an installation in use to where it starts.

    One that `saves` its work makes fewer calls after it was ended once: it starts from the same place each time.
    """

    run: Callable[[Crm, str], Any]
    before: Callable[[Crm, str], Any] = nothing
    migration: str = ""
    saves: bool = False


OPERATIONS = {
    "install": Operation(install, uninstall),
    "enable": Operation(Crm.enable, Crm.disable),
    "disable": Operation(Crm.disable),
    "upgrade": Operation(upgrade, migration=LATER),
    "uninstall": Operation(uninstall),
    "reinstall": Operation(reinstall, uninstall),
    "backup": Operation(back_up, saves=True),
    "restore": Operation(restore, leave_behind),
}


@dataclass
class Bomb:
    """Counts calls; at the one with number `at` the process is no more. With 0 it only counts."""

    at: int
    folder: str
    count: int = 0
    commits: list[int] = field(default_factory=list)

    def arm(self, engine: sa.Engine) -> None:
        """From now on writing statements, commits, and calls that change files below the folder count."""
        sa.event.listen(engine, "before_cursor_execute", self._statement)
        sa.event.listen(engine, "commit", self._commit)
        sync = os.fsync

        def counted(handle: int) -> None:
            self._tick()
            sync(handle)

        os.fsync = counted
        sys.addaudithook(self._file)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not READS.match(statement):
            self._tick()

    def _commit(self, _connection: Any) -> None:
        self.commits.append(self.count + 1)
        self._tick()

    def _file(self, event: str, given: tuple[Any, ...]) -> None:
        writes = event == "open" and int(given[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in CHANGES_FILES) and str(given[0]).startswith(self.folder):
            self._tick()

    def _tick(self) -> None:
        self.count += 1
        if self.count == self.at:
            os._exit(KILLED)


@dataclass
class Scene:
    """One operation on one database: the place, as it was before, and as it is afterwards.

    `kept` is a database in use; when it is looked at as a `whole`, the doctor looks as well.
    """

    databases: Databases
    folder: Path
    operation: Operation
    plugins: list[Plugin]
    kept: str
    whole: bool = True
    url: str = ""
    old: State = ({}, [])
    new: State = ({}, [])

    def __post_init__(self) -> None:
        self.url = self.databases.copy(self.kept)
        with self.crm() as crm:
            self.operation.before(crm.start(), "tours")
        if self.operation.migration:
            assert self.plugins[0].migrations is not None
            (Path(self.plugins[0].migrations) / "versions" / "0002_later.py").write_text(self.operation.migration)
        self.kept, self.url = self.url, self.databases.copy(self.url)
        shutil.copytree(self.folder, self._files)
        self.old = self.look()
        self.loaded = self.crm().start()

    @property
    def _files(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-kept")

    def crm(self) -> Crm:
        """The installation, not started."""
        return Crm(replace(settings(self.url, self.folder), strict=False), plugins=self.plugins)

    def again(self) -> None:
        """The database and the files as they were kept."""
        self.loaded.close()
        self.databases.drop(self.url)
        self.url = self.databases.copy(self.kept)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._files, self.folder)
        self.loaded = self.crm().start()

    def close(self) -> None:
        """Throws the databases away."""
        self.loaded.close()
        for url in (self.url, self.kept):
            self.databases.drop(url)

    def look(self) -> State:
        """Every row, and every table, index and constraint, once it has started."""
        with self.crm() as crm:
            rows = contents(crm.start()) | {"the last that the audit says": said(crm)}
            with crm.engine.execution_options(**{SCOPED: True}).connect() as connection:
                asked = SCHEMA[connection.dialect.name]
                return rows, sorted(str(row) for one in asked for row in connection.exec_driver_sql(one))

    def tried(self, at: int) -> list[int]:
        """Runs the operation in a process of its own that ends at call `at`; gives how many it makes, and its commits.

        Empty when it was ended. Raises RuntimeError when the operation failed.
        """
        self.loaded.engine.dispose()
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            self._run_and_end(at, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as said:
            told = said.read().decode()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code not in (0, KILLED):
            raise RuntimeError(told)
        return [int(number) for number in told.split()] if code == 0 else []

    def _run_and_end(self, at: int, writer: int) -> None:
        try:
            bomb = Bomb(at, str(self.folder))
            bomb.arm(self.loaded.engine)
            self.operation.run(self.loaded, "tours")
            os.write(writer, " ".join(map(str, [bomb.count, *bomb.commits])).encode())
        except BaseException:  # noqa: BLE001 - it is raised where it is seen
            os.write(writer, traceback.format_exc().encode())
            os._exit(1)
        os._exit(0)

    def faults(self, at: int, *, thorough: bool) -> Iterator[str]:
        """What is wrong after the operation was ended at call `at`; seen through, after the next start and try too."""
        found = self.look()
        done = found != self.old
        if done and settled(found) != settled(self.new):
            yield f"{at}: neither the old nor the new state: {difference(found, self.new)}"
        if done or thorough:
            yield from (f"{at}: {one}" for one in self._going_on(done))
            self.again()

    def _going_on(self, done: bool) -> Iterator[str]:
        with self.crm() as crm:
            crm.start()
            try:
                self.operation.run(crm, "tours")
            except GigaError as error:
                if not done:
                    yield f"the next try: {error}"
            if self.whole:
                yield from (f"{finding.plugin}: {finding.message}" for finding in examine(crm) if finding.serious)
            for one in backups.listing(crm.settings.backups):
                if one.state in ("complete", "verified"):
                    backups.verify(crm, crm.settings.backups / one.name)
        after = self.look()
        if settled(after) != settled(self.new):
            yield f"the next try ends elsewhere: {difference(after, self.new)}"


def said(crm: Crm) -> list[str]:
    """What the audit says that was done last to each plugin."""
    with crm.database.connect() as connection:
        lines = connection.execute(
            sa.select(core_audit.c.verb, core_audit_value.c.body)
            .join(core_audit_value, core_audit_value.c.audit_id == core_audit.c.id)
            .where(core_audit.c.entity == "core.plugin")
            .order_by(core_audit.c.id)
        )
        last = {json.loads(body)["name"]: verb for verb, body in lines}
    return [json.dumps({"name": name, "verb": verb}) for name, verb in sorted(last.items())]


def settled(state: State) -> Any:
    """A state without the ids and moments that each run gives anew."""
    rows, tables = state
    return {name: sorted(map(_lasting, lines)) for name, lines in rows.items()}, tables


def _lasting(line: str) -> str:
    return json.dumps({c: v for c, v in json.loads(line).items() if not OF_THE_MOMENT.search(c)}, sort_keys=True)


def difference(one: State, other: State) -> str:
    """The tables that differ, with what the first one holds, and the schema of either alone."""
    left, right = settled(one)[0], settled(other)[0]
    rows = {name: left.get(name) for name in {*left, *right} if left.get(name) != right.get(name)}
    return f"{rows} {set(one[1]) ^ set(other[1])}"[:1000]


def chosen(total: int, commits: list[int], most: int) -> list[int]:
    """The calls at which it is ended: every one, or the last commits, what follows them, and a few between."""
    if not most:
        return list(range(1, total + 1))
    around = sorted({point for commit in commits for point in (commit, commit + 1) if point <= total})[-2:]
    return sorted({*around, *range(total // most, total, total // most)})[-most:]


def enumerate_points(scene: Scene, most: int) -> dict[str, Any]:
    """Ends the operation at each chosen call, and gives what was seen."""
    total, *commits = scene.tried(0)
    scene.new = scene.look()
    scene.again()
    points, wrong = chosen(total, commits, most), []
    for number, at in enumerate(points, 1):
        if scene.operation.saves:
            scene.again()
        if scene.tried(at):
            wrong.append(f"{at}: it passed")
        wrong += scene.faults(at, thorough=number % GOES_ON == 0 or number == len(points))
    scene.close()
    return {"calls": total, "tried": len(points), "wrong": wrong}


def main(folder: Path, server: str, most: int, names: list[str]) -> None:
    """Tries the named operations, or all."""
    sys.dont_write_bytecode = True  # what only the first run compiles would be a call more
    logging.disable()
    databases: Databases = SqliteDatabases(folder) if server == "sqlite" else PostgresDatabases(server)
    used, migrations = folder / "used", folder / "migrations"
    with_migrations(migrations, TOURS, CARDS)
    url = databases.ready()
    with Crm(settings(url, used), plugins=with_folders(migrations, TOURS, CARDS)) as crm:
        crm.start()
        for name in ("tours", "cards"):
            crm.enable(name)
        use(crm)
    found = {}
    for name in names or OPERATIONS:
        place, own = folder / name, folder / f"{name}-migrations"
        shutil.copytree(used, place)
        shutil.copytree(migrations, own)
        scene = Scene(databases, place, OPERATIONS[name], with_folders(own, TOURS, CARDS), url, not most)
        found[name] = enumerate_points(scene, most)
    databases.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
