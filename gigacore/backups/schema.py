"""Taking the tables of an installation away and building them as a backup has them, inside one operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import migrate
from gigacore.errors import Conflict
from gigacore.messages import msg
from gigacore.migrate import History
from gigacore.plugins import stored


def present(connection: sa.Connection) -> list[str]:
    """The tables of the installation that is there: the core's, and those that installed plugins own."""
    names = set(sa.inspect(connection).get_table_names())
    owned = {table for row in stored.read(connection).values() for table in row.manifest.get("tables", ())}
    return sorted(name for name in names if name.startswith("core_") or name in owned)


def drop(connection: sa.Connection, tables: Sequence[str]) -> None:
    """Drops tables, whatever they refer to among each other. Raises Conflict when another table refers to them."""
    quote = connection.dialect.identifier_preparer.quote
    if connection.dialect.name == "sqlite":
        for name in tables:
            connection.exec_driver_sql(f"DROP TABLE {quote(name)}")
    elif tables:
        try:
            connection.exec_driver_sql(f"DROP TABLE {', '.join(map(quote, tables))}")
        except sa.exc.InternalError as error:
            raise Conflict(
                msg("Tables that are not this application's refer to its own: {reason}.", reason=str(error.orig)[:300]),
                fix=msg("Nothing was changed. Remove those references first."),
            ) from error


def build(
    connection: sa.Connection,
    owners: Iterable[Mapping[str, Any]],
    histories: Mapping[str, History],
    ddl: Mapping[str, Sequence[str]],
) -> None:
    """Makes the tables of each owner at its revision, empty: by its migrations, without code by its statements."""
    for owner in owners:
        name, revision = owner["name"], owner["revision"]
        if name in histories:
            if revision is not None:
                migrate.upgrade(connection, histories[name], revision)
        else:
            for statement in ddl.get(name, ()):
                connection.exec_driver_sql(statement.replace("%", "%%"))
            _set_revision(connection, name, revision)
        for table in owner["tables"]:
            connection.execute(sa.delete(sa.table(table)))


def _set_revision(connection: sa.Connection, owner: str, revision: str | None) -> None:
    if revision is None:
        return
    name = History(owner, Path()).version_table
    column = sa.Column("version_num", sa.String(32), primary_key=True)
    table = sa.Table(name, sa.MetaData(), column)
    table.create(connection)
    connection.execute(sa.insert(table).values(version_num=revision))


@contextmanager
def without_foreign_keys(connection: sa.Connection, tables: Sequence[str]) -> Iterator[None]:
    """Lets rows be written in any order; at the end every reference is checked. SQLite's operation does so anyway."""
    if connection.dialect.name == "sqlite":
        yield
        return
    found = connection.exec_driver_sql(
        "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON"
        " c.oid = k.conrelid WHERE k.contype = 'f' AND c.relname = ANY(%s::text[]) AND"
        " c.relnamespace = current_schema()::regnamespace",
        (list(tables),),
    ).all()
    quote = connection.dialect.identifier_preparer.quote
    for table, name, _ in found:
        connection.exec_driver_sql(f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(name)}")
    yield
    for table, name, definition in found:
        connection.exec_driver_sql(f"ALTER TABLE {quote(table)} ADD CONSTRAINT {quote(name)} {definition}")
