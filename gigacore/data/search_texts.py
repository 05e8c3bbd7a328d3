"""Which texts of an entity a search looks into, and the filling of SQLite's index of them for many new rows at once.

A statement that may fire a trigger is kept undoable by itself, page by page, which makes each row of an import five
times as dear in a large table. Many rows therefore go in without the trigger, and their texts in one statement after
them; all of it is one transaction, so nobody ever meets the table without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gigacore.entity import EntitySpec

SUFFIX: Final = "_search"
AT_ONCE: Final = 16
"""From so many rows on it pays to fill the index afterwards."""


def searched_columns(spec: EntitySpec) -> tuple[str, ...]:
    """The key columns of the entity's own table in which a search looks; none of reference data, which is short."""
    if spec.access == "reference":
        return ()
    own = (f for f in spec.fields.values() if f.search and not f.custom and f.extension is None)
    return tuple(f.key_column for f in own if f.key_column)


def index_name(table: str) -> str:
    """The name of a table's index; on SQLite it is a table."""
    return table[: 63 - len(SUFFIX)] + SUFFIX


def together(prefix: str, columns: Sequence[str]) -> str:
    """The SQL of a row's texts as one."""
    return " || ' ' || ".join(f"coalesce({prefix}\"{name}\", '')" for name in columns)


@contextmanager
def indexed_at_once(connection: Connection, table: str, columns: Sequence[str], ids: Sequence[int]) -> Iterator[None]:
    """Inside, rows with these keys are inserted on SQLite, and none is changed; then their texts are indexed."""
    index = index_name(table)
    stored = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    trigger = connection.exec_driver_sql(stored, (f"{index}_insert",)).scalar()
    if trigger is None:
        yield
        return
    connection.exec_driver_sql(f'DROP TRIGGER "{index}_insert"')
    yield
    connection.exec_driver_sql(str(trigger))
    new = f'SELECT id, {together("", columns)} FROM "{table}" WHERE id BETWEEN ? AND ?'  # noqa: S608
    connection.exec_driver_sql(f'INSERT INTO "{index}"(rowid, texts) {new}', (min(ids), max(ids)))
