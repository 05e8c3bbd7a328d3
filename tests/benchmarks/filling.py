"""Filling tables as fast as the databases can: without their indexes, past SQLAlchemy. This is never measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from gigacore.data.inserts import DriverInsert

BATCH: Final = 10_000
INDEXES: Final = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    " AND tablename = :table AND indexname NOT IN (SELECT conname FROM pg_constraint)",
}


@contextmanager
def without_indexes(connection: sa.Connection, table: str, *, imported: bool) -> Iterator[None]:
    """Takes the indexes of a table away and makes the same ones at the end, those of its constraints apart.

    Not on SQLite where rows are to be `imported` afterwards: it leaves no room in an index that it makes of what is
    there, so that an import would split its pages one after the other, which no table that has grown asks of it.
    """
    if imported and connection.dialect.name == "sqlite":
        yield
        return
    found = connection.execute(sa.text(INDEXES[connection.dialect.name]), {"table": table}).all()
    for name, _ in found:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    for _, statement in found:
        connection.exec_driver_sql(statement)


def put(connection: sa.Connection, driver: DriverInsert, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows as the `driver` takes them; on PostgreSQL by COPY."""
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        found = driver.parameters(batch)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(driver.sql, found)
        else:
            _copy(connection, driver.sql.removeprefix("INSERT INTO ").partition(" VALUES")[0], found)


def _copy(connection: sa.Connection, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
