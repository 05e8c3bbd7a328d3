"""Rows of new records, written without SQLAlchemy's unit of work, which costs more than the insert itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Table, column, func, insert, select, text
from sqlalchemy import table as bare_table
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.dml import Insert, ReturningInsert

_MISSING: Final = object()
_SEQUENCE: Final = bare_table("sqlite_sequence", column("name"), column("seq"))
Default = Callable[[], Any]
Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Inserter:
    """Turns objects of one mapped class into rows: (column, attribute, default) per column but the key."""

    statement: Insert
    columns: tuple[tuple[str, str, Default], ...]
    compiled: dict[str, DriverInsert] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, mapped: Any) -> Inserter:
        """The inserter of a mapped class."""
        columns = [(prop.columns[0], prop.key) for prop in mapped.__mapper__.column_attrs]
        rows = [(column.key, key, _default(column.default)) for column, key in columns if key != "id"]
        return cls(insert(mapped.__table__), tuple(rows))

    def row(self, one: Any) -> dict[str, Any]:
        """The row of an object; defaults are set on it too, so that it is complete without being read again."""
        values, row = one.__dict__, {}
        for name, attribute, default in self.columns:
            value = values.get(attribute, _MISSING)
            if value is _MISSING:
                value = values[attribute] = default()
            row[name] = value
        if (number := values.get("id")) is not None:
            row["id"] = number
        return row

    def write(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Insert objects; a single one learns its key from the database, several must have theirs or need none."""
        if not rows:
            return
        keyed = rows[0].__dict__.get("id") is not None
        if keyed or len(rows) > 1:
            self.driver(connection.dialect, keyed).write(connection, [self.row(one) for one in rows])
            return
        asks = connection.dialect.name == "postgresql"
        driver = self.driver(connection.dialect, keyed, asks=asks)
        result = connection.exec_driver_sql(driver.sql, driver.parameters(self.row(rows[0])))
        rows[0].__dict__["id"] = result.scalar_one() if asks else result.lastrowid

    def driver(self, dialect: Dialect, keyed: bool, *, asks: bool = False) -> DriverInsert:
        """The statement as the driver takes it, with the key or asking for it, worked out once per dialect."""
        name = f"{dialect.name}:{keyed}:{asks}"
        if name not in self.compiled:
            keys = [name for name, _, _ in self.columns] + (["id"] if keyed else [])
            statement = self.statement.returning(self.statement.table.c["id"]) if asks else self.statement
            self.compiled[name] = DriverInsert.of(statement, dialect, keys)
        return self.compiled[name]


@dataclass(frozen=True, slots=True)
class DriverInsert:
    """One INSERT for many rows: SQLAlchemy would look at every value of every row three times."""

    sql: str
    binds: tuple[tuple[str, Processor | None], ...]
    positional: bool

    @classmethod
    def of(cls, statement: Insert | ReturningInsert[Any], dialect: Dialect, keys: Sequence[str]) -> DriverInsert:
        """Compiles the statement for these columns."""
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys))
        names = compiled.positiontup if compiled.positional else [str(name) for name in compiled.binds]
        processors = compiled._bind_processors
        return cls(str(compiled), tuple((name, processors.get(name)) for name in names), bool(compiled.positional))

    def write(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Executes it once for all rows."""
        connection.exec_driver_sql(self.sql, [self.parameters(row) for row in rows])

    def parameters(self, row: dict[str, Any]) -> Any:
        """One row's values as the driver takes them."""
        if self.positional:
            return tuple(
                [
                    value if (value := row[name]) is None or process is None else process(value)
                    for name, process in self.binds
                ]
            )
        return {
            name: value if (value := row[name]) is None or process is None else process(value)
            for name, process in self.binds
        }


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
    argument: Any = getattr(default, "arg", None)
    if default is None:
        return _none
    if not default.is_callable:
        return lambda: argument
    return lambda: argument(None)


def _none() -> None:
    return None
