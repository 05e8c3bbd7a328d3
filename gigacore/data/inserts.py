"""Rows of new records, written without SQLAlchemy's unit of work, which costs more than the insert itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Table, column, func, insert, select, text
from sqlalchemy import table as bare_table
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.dml import Insert, ReturningInsert

from gigacore.data.search_texts import AT_ONCE, indexed_at_once
from gigacore.values import dataclass

_SEQUENCE: Final = bare_table("sqlite_sequence", column("name"), column("seq"))
_NAMED: Final = re.compile(r"%\((\w+)\)s")
Default = Callable[[], Any]
Processor = Callable[[Any], Any]
Picker = Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Inserter:
    """Turns objects of one mapped class into rows; how is worked out at the first one, as most classes get none.

    `searched` are the columns of its search index, if it has one.
    """

    def __init__(self, mapped: Any, searched: tuple[str, ...] = ()) -> None:
        self.mapped = mapped
        self.searched = searched
        self._compiled: dict[str, DriverInsert] = {}

    @cached_property
    def statement(self) -> Insert:
        """The INSERT for the class's table."""
        return insert(self.mapped.__table__)

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """The attribute of each column but the key."""
        return {column.key: key for column, key in self._mapped_columns()}

    @cached_property
    def defaults(self) -> tuple[tuple[str, Default], ...]:
        """The attributes that have a default, and what gives it."""
        found = self._mapped_columns()
        return tuple((key, _default(column.default)) for column, key in found if column.default is not None)

    def _mapped_columns(self) -> list[tuple[Any, str]]:
        return [(prop.columns[0], prop.key) for prop in self.mapped.__mapper__.column_attrs if prop.key != "id"]

    def values(self, one: Any, pick: Picker) -> tuple[Any, ...]:
        """The values of an object. What is missing is set on it too, so that it is whole without being read again."""
        values = one.__dict__
        for attribute, default in self.defaults:
            if attribute not in values:
                values[attribute] = default()
        try:
            return pick(values)
        except KeyError:
            for attribute in self.columns.values():
                values.setdefault(attribute, None)
            return pick(values)

    def write(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Insert objects; a single one learns its key from the database, several must have theirs or need none."""
        if not rows:
            return
        keyed = rows[0].__dict__.get("id") is not None
        asks = not keyed and len(rows) == 1 and connection.dialect.name == "postgresql"
        driver = self.driver(connection.dialect, keyed, asks=asks)
        found = driver.parameters([self.values(one, driver.pick) for one in rows])
        if keyed or len(rows) > 1:
            with self.indexing(connection, rows, keyed=keyed):
                connection.exec_driver_sql(driver.sql, found)
            return
        result = connection.exec_driver_sql(driver.sql, found[0])
        rows[0].__dict__["id"] = result.scalar_one() if asks else result.lastrowid

    def indexing(self, connection: Connection, rows: Sequence[Any], *, keyed: bool) -> AbstractContextManager[None]:
        """Fills SQLite's search index of many rows once they are there."""
        if not (self.searched and keyed and len(rows) >= AT_ONCE and connection.dialect.name == "sqlite"):
            return nullcontext()
        ids = [row.__dict__["id"] for row in rows]
        return indexed_at_once(connection, self.statement.table.name, self.searched, ids)

    def driver(self, dialect: Dialect, keyed: bool, *, asks: bool = False) -> DriverInsert:
        """The statement as the driver takes it, with the key or asking for it, worked out once per dialect."""
        name = f"{dialect.name}:{keyed}:{asks}"
        if name not in self._compiled:
            attributes = {**self.columns, "id": "id"} if keyed else self.columns
            statement = self.statement.returning(self.statement.table.c["id"]) if asks else self.statement
            self._compiled[name] = DriverInsert.of(statement, dialect, attributes)
        return self._compiled[name]


@dataclass(frozen=True, slots=True)
class DriverInsert:
    """One INSERT for many rows: SQLAlchemy would look at every value of every row three times.

    `pick` gives the values of one row, `processors` what some places of it need before the driver takes them.
    """

    sql: str
    pick: Picker
    processors: tuple[tuple[int, Processor], ...]

    @classmethod
    def of(
        cls, statement: Insert | ReturningInsert[Any], dialect: Dialect, attributes: Mapping[str, str]
    ) -> DriverInsert:
        """Compiles the statement for these columns, each with the attribute that holds its value."""
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(attributes))
        sql = str(compiled)
        names: list[str] = compiled.positiontup if compiled.positional else _NAMED.findall(sql)
        known = compiled._bind_processors
        processors = [(place, known[name]) for place, name in enumerate(names) if name in known]
        pick = itemgetter(*(attributes[name] for name in names))
        return cls(_NAMED.sub("%s", sql), pick, tuple(processors))

    def parameters(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The values of all rows as the driver takes them: converted by the column, since most need nothing."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, process in self.processors:
            columns[place] = _converted(columns[place], process)
        return list(zip(*columns, strict=True))


def _converted(column: Sequence[Any], process: Processor) -> Sequence[Any]:
    first = column[0]
    if all(value is first for value in column):
        return [None if first is None else process(first)] * len(column)
    return [None if value is None else process(value) for value in column]


def next_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """Keys of the rows to come: taken from the sequence, or following the last on SQLite, whose writer is alone."""
    if connection.dialect.name == "postgresql":
        statement = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        return list(connection.scalars(statement, {"name": table.name, "count": count}))
    used = select(
        func.coalesce(select(_SEQUENCE.c.seq).where(_SEQUENCE.c.name == table.name).scalar_subquery(), 0),
        func.coalesce(select(func.max(table.c.id)).scalar_subquery(), 0),
    )
    first = max(connection.execute(used).one()) + 1
    return list(range(first, first + count))


def _default(default: Any) -> Default:
    argument: Any = default.arg
    return (lambda: argument(None)) if default.is_callable else lambda: argument
