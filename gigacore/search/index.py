"""The search index of each entity: trigrams of its searchable texts, which the database itself keeps up to date.

SQLite: a contentless FTS5 table beside the entity's, filled by triggers. PostgreSQL: a GIN index of pg_trgm. Like the
indexes of custom fields they follow from declarations and are made after migrations, not by them. Without the means
(an old SQLite, an extension that may not be made) nothing is made, and searches read every record.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from gigacore.data.search_texts import index_name, searched_columns, together
from gigacore.entity import EntitySpec

log: Final = logging.getLogger("gigacore.search")

OLDEST_SQLITE: Final = (3, 34)
_NAME: Final = re.compile(r"_search(_insert|_update|_delete)?$")
_EVENTS: Final = ("insert", "update", "delete")
_PAGES: Final = 4000
"""Pages of 4 KB that a tidying of one index writes at most."""
_MERGE: Final = 16
"""Segments that FTS5 collects before it merges them: its own 4 make a single insert twice as dear."""


def is_search_index(name: str) -> bool:
    """Whether an index or trigger of that name belongs to searching: migrations and backups leave it alone."""
    return _NAME.search(name) is not None


def restore(connection: sa.Connection, specs: Iterable[EntitySpec]) -> None:
    """Make the indexes that are missing or no longer fit their entity: after a migration, a restore, an upgrade."""
    wanted = {spec.table.name: columns for spec in specs if (columns := searched_columns(spec))}
    there = set(sa.inspect(connection).get_table_names())
    kept = {table: columns for table, columns in wanted.items() if table in there}
    if connection.dialect.name == "sqlite":
        _restore_sqlite(connection, kept)
    else:
        _restore_postgresql(connection, kept)


def remove(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Take the indexes of tables away that are about to go; PostgreSQL does that by itself."""
    if connection.dialect.name != "sqlite":
        return
    for table in tables:
        for event in _EVENTS:
            connection.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{index_name(table)}_{event}"')
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{index_name(table)}"')


def present(connection: sa.Connection) -> frozenset[str]:
    """The indexes that searches can use: those of SQLite, for PostgreSQL finds its own."""
    if connection.dialect.name != "sqlite":
        return frozenset()
    named = sa.text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'")
    return frozenset(name for name in connection.scalars(named) if is_search_index(name))


def tidy(connection: sa.Connection) -> None:
    """Merge what writing has left in pieces, for a search looks into each of them; PostgreSQL does it by itself."""
    for index in present(connection):
        connection.exec_driver_sql(f'INSERT INTO "{index}"("{index}", rank) VALUES (\'merge\', {-_PAGES})')  # noqa: S608


def _restore_sqlite(connection: sa.Connection, wanted: dict[str, tuple[str, ...]]) -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return
    rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    stored = {str(name): str(statement) for name, statement in rows}
    for table, columns in wanted.items():
        ddl = _sqlite_ddl(table, columns)
        if any(stored.get(name) != statement for name, statement in ddl.items()):
            _rebuild_sqlite(connection, table, columns, ddl)


def _rebuild_sqlite(connection: sa.Connection, table: str, columns: Sequence[str], ddl: dict[str, str]) -> None:
    remove(connection, [table])
    for statement in ddl.values():
        connection.exec_driver_sql(statement)
    index = index_name(table)
    texts = together("", columns)
    connection.exec_driver_sql(f'INSERT INTO "{index}"("{index}", rank) VALUES (\'automerge\', {_MERGE})')  # noqa: S608
    connection.exec_driver_sql(f'INSERT INTO "{index}"(rowid, texts) SELECT id, {texts} FROM "{table}"')  # noqa: S608


def _sqlite_ddl(table: str, columns: Sequence[str]) -> dict[str, str]:
    """The index and its triggers, by name. Which texts an entry had, FTS5 must be told to take it away."""
    index, old, new = index_name(table), together("OLD.", columns), together("NEW.", columns)
    add = f'INSERT INTO "{index}"(rowid, texts) VALUES (NEW.id, {new});'  # noqa: S608
    away = f'INSERT INTO "{index}"("{index}", rowid, texts) VALUES (\'delete\', OLD.id, {old});'  # noqa: S608
    changed = ", ".join(f'"{name}"' for name in columns)

    def trigger(event: str, body: str) -> str:
        return f'CREATE TRIGGER "{index}_{event[:6].lower()}" AFTER {event} ON "{table}" BEGIN {body} END'

    return {
        index: f"CREATE VIRTUAL TABLE \"{index}\" USING fts5(texts, content='', tokenize='trigram', detail=none)",
        f"{index}_insert": trigger("INSERT", add),
        f"{index}_update": trigger(f"UPDATE OF {changed}", f"{away} {add}"),
        f"{index}_delete": trigger("DELETE", away),
    }


def _restore_postgresql(connection: sa.Connection, wanted: dict[str, tuple[str, ...]]) -> None:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.DBAPIError as error:
        log.warning("searches read every record, for pg_trgm cannot be used: %s", error.orig)
        return
    for table, columns in wanted.items():
        _restore_on_postgresql(connection, table, columns)


def _restore_on_postgresql(connection: sa.Connection, table: str, columns: Sequence[str]) -> None:
    name = index_name(table)
    found = next((one for one in sa.inspect(connection).get_indexes(table) if one["name"] == name), None)
    if found is not None and found["column_names"] == list(columns):
        return
    parts = ", ".join(f'"{column}" gin_trgm_ops' for column in columns)
    connection.exec_driver_sql(f'DROP INDEX IF EXISTS "{name}"')
    connection.exec_driver_sql(f'CREATE INDEX "{name}" ON "{table}" USING gin ({parts})')
