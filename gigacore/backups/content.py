"""What a backup holds of a database: owners with their tables and revisions, and rows that either engine can take."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa

from gigacore import migrate
from gigacore.access.tables import core_session
from gigacore.data.door import SCOPED
from gigacore.data.engine import reading
from gigacore.migrate import History
from gigacore.plugins import kinds, rows, stored
from gigacore.plugins.histories import core_tables
from gigacore.plugins.order import arrange
from gigacore.plugins.tables import ENABLED
from gigacore.values import dataclass

CORE: Final = "core"
LEFT_OUT: Final = frozenset({core_session.name})
"""Sign-in sessions: who was signed out since must not be signed in again by a restore."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The core or a plugin as it is installed: its revision, the tables that are there, and their kinds of values."""

    name: str
    version: str
    state: str
    revision: str | None
    tables: tuple[str, ...]
    kinds: Mapping[str, kinds.Kinds]


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one moment of the whole database until the end, and keeps nobody from writing."""
    marked = engine.execution_options(**{SCOPED: True})
    if engine.dialect.name == "sqlite":
        with reading(marked).connect() as connection:
            yield connection
        return
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with marked.execution_options(**options).connect() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield connection


def owners(connection: sa.Connection) -> list[Owner]:
    """The core first, then every installed plugin after those it requires, disabled and missing ones too."""
    present = set(sa.inspect(connection).get_table_names())
    known = stored.read(connection)
    own = sorted(core_tables() & present)
    found = [Owner(CORE, "", ENABLED, _revision(connection, CORE), tuple(own), kinds.declared(own))]
    for name in in_order(known):
        row = known[name]
        tables = tuple(one for one in row.manifest.get("tables", ()) if one in present)
        typed = {**row.manifest.get("columns", {}), **kinds.declared(tables)}
        found.append(Owner(name, row.version, row.state, _revision(connection, name), tables, typed))
    return found


def in_order(known: Mapping[str, stored.StoredPlugin]) -> list[str]:
    """Plugins so that each stands after those that it requires; one whose requirement is gone stands last."""
    arranged = [plugin.name for plugin in arrange(known, {})[0]]
    return [*arranged, *sorted(set(known) - set(arranged))]


def _revision(connection: sa.Connection, owner: str) -> str | None:
    return migrate.current(connection, History(owner, Path()))


def table(connection: sa.Connection, name: str, typed: kinds.Kinds | None) -> sa.Table:
    """A table as the database has it, its values by their kinds."""
    return rows.reflect(connection, name, typed)


@dataclass(slots=True)
class Tally:
    """How many rows and bytes went by, and a digest that does not depend on their order: engines sort texts apart."""

    count: int = 0
    size: int = 0
    total: int = field(default=0, repr=False)

    def add(self, line: bytes) -> None:
        """Counts a row."""
        self.count += 1
        self.size += len(line)
        self.total = (self.total + int.from_bytes(hashlib.sha256(line).digest())) % (1 << 256)

    @property
    def digest(self) -> str:
        """The digest of all rows so far."""
        return f"{self.total:064x}"


def rows_of(connection: sa.Connection, one: sa.Table) -> Iterator[dict[str, Any]]:
    """The rows of a table in the order of its key, a batch in memory at a time."""
    key = list(one.primary_key.columns) or list(one.columns)[:1]
    statement = sa.select(one).order_by(*key).execution_options(yield_per=rows.BATCH)
    for part in connection.execute(statement).mappings().partitions(rows.BATCH):
        yield from ({str(name): value for name, value in row.items()} for row in part)


def line_of(row: Mapping[str, Any]) -> bytes:
    """A row as a backup holds it, the same on every engine."""
    return orjson.dumps(rows.encode(row), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS)


def read(connection: sa.Connection, one: sa.Table, tally: Tally) -> Iterator[bytes]:
    """The rows of a table as lines, each counted."""
    for line in map(line_of, rows_of(connection, one)):
        tally.add(line)
        yield line


def write(connection: sa.Connection, one: sa.Table, lines: Iterable[Mapping[str, Any]]) -> int:
    """Puts rows into a table; returns how many."""
    count, part, names = 0, [], frozenset(one.columns.keys())
    for line in lines:
        part.append({name: value for name, value in rows.decode(line).items() if name in names})
        count += 1
        if len(part) == rows.BATCH:
            connection.execute(sa.insert(one), part)
            part = []
    if part:
        connection.execute(sa.insert(one), part)
    return count
