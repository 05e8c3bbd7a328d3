"""Tables as statements of their engine, for plugins whose code may be gone when the backup is restored."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from gigacore.customfields.sql import is_field_index
from gigacore.migrate.reflection import quiet_about_expressions
from gigacore.search import is_search_index


def statements(connection: sa.Connection, tables: Sequence[str]) -> list[str]:
    """What makes these tables with their indexes; those of custom fields and of searches are made anew."""
    if not tables:
        return []
    return _of_sqlite(connection, tables) if connection.dialect.name == "sqlite" else _of_postgresql(connection, tables)


def _of_sqlite(connection: sa.Connection, tables: Sequence[str]) -> list[str]:
    master = sa.table("sqlite_master", *(sa.column(name) for name in ("type", "name", "tbl_name", "sql")))
    here = sa.and_(master.c.tbl_name.in_(tables), master.c.sql.is_not(None))
    found = connection.execute(sa.select(master.c.name, master.c.sql).where(here).order_by(master.c.type.desc()))
    return [str(sql) for name, sql in found if not _follows(name)]


def _of_postgresql(connection: sa.Connection, tables: Sequence[str]) -> list[str]:
    known = sa.MetaData()
    with quiet_about_expressions():
        known.reflect(connection, only=list(tables))
    made = []
    for one in (table for table in known.sorted_tables if table.name in tables):
        for column in one.columns:
            default = getattr(column.server_default, "arg", None)
            if default is not None and str(default).startswith("nextval("):
                column.server_default = None  # then the column counts by itself: SERIAL
        made.append(str(CreateTable(one).compile(connection)))
        made += [str(CreateIndex(index).compile(connection)) for index in one.indexes if not _of_field(index)]
    return made


def _of_field(index: sa.Index) -> bool:
    return index.name is not None and _follows(str(index.name))


def _follows(name: str) -> bool:
    """Whether an index follows from definitions that are restored as well."""
    return is_field_index(name) or is_search_index(name)
