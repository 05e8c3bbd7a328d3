"""Rows of new records, written without SQLAlchemy's unit of work, which costs more than the insert itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, column, func, insert, select, text
from sqlalchemy import table as bare_table
from sqlalchemy.sql.dml import Insert

_MISSING: Final = object()
_SEQUENCE: Final = bare_table("sqlite_sequence", column("name"), column("seq"))
Default = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Inserter:
    """Turns objects of one mapped class into rows: (column, attribute, default) per column but the key."""

    statement: Insert
    columns: tuple[tuple[str, str, Default], ...]

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
        if len(rows) == 1:
            result = connection.execute(self.statement, self.row(rows[0]))
            rows[0].__dict__["id"] = result.inserted_primary_key[0]  # type: ignore[index]
        elif rows:
            connection.execute(self.statement, [self.row(one) for one in rows])


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
