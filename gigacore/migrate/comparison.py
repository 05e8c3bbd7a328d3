"""Compares declared tables with those of a database, for one owner's tables only."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection
from typing import Any, Final, Literal

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from gigacore.customfields.sql import is_field_index
from gigacore.entity.columns import EnumText
from gigacore.migrate.history import History
from gigacore.migrate.reflection import quiet_about_expressions
from gigacore.search import is_search_index

_ENUM_LENGTH: Final = 40
_OWN_TYPES: Final = "gigacore.entity.columns"


def compare(
    connection: sa.Connection, history: History, metadata: sa.MetaData, present: Collection[str]
) -> ops.MigrationScript:
    """What would bring the tables `present` in the database to those that the owner declares in `metadata`."""
    with quiet_about_expressions():
        return produce_migrations(_context(connection, history, set(present)), _excerpt(metadata, history.tables))


def check(connection: sa.Connection, history: History, metadata: sa.MetaData) -> list[str]:
    """The differences between the owner's declared tables and the database, one line of Python each; [] if none."""
    script = compare(connection, history, metadata, history.tables)
    assert script.upgrade_ops is not None
    return [" ".join(render(op).split()) for op in flatten(script.upgrade_ops)]


def render(op: ops.MigrateOperation) -> str:
    """An operation as Python source, with our own column types where they were declared."""
    source = render_python_code(ops.UpgradeOps([op]), render_as_batch=True, render_item=_render_item)
    lines = [line for line in textwrap.dedent(source).splitlines() if line.strip() and not line.strip().startswith("#")]
    return "\n".join(_indented(textwrap.dedent("\n".join(lines)).splitlines()))


def _indented(lines: list[str]) -> list[str]:
    """Alembic puts a table's columns flush with the call that makes it."""
    if len(lines) < 3 or not lines[0].startswith("op.create_table("):
        return lines
    return [lines[0], *(f"    {line}" for line in lines[1:-1]), lines[-1]]


def flatten(container: ops.OpContainer) -> list[ops.MigrateOperation]:
    """The operations one by one; indexes stand alone, because no engine has to rebuild a table for one."""
    gone = {op.table_name for op in container.ops if isinstance(op, ops.DropTableOp)}
    found: list[ops.MigrateOperation] = []
    for op in container.ops:
        if not isinstance(op, ops.ModifyTableOps):
            found.append(op)
        elif all(isinstance(o, (ops.CreateIndexOp, ops.DropIndexOp)) for o in op.ops):
            found += [] if op.table_name in gone else op.ops
        else:
            found.append(op)
    return found


def _excerpt(metadata: sa.MetaData, tables: Collection[str]) -> sa.MetaData:
    """The tables and those that they refer to; what else is declared, by a broken plugin for instance, is left out."""
    found, wave = set[str](), {name for name in tables if name in metadata.tables}
    while wave:
        found |= wave
        keys = (key for name in wave for key in metadata.tables[name].foreign_keys)
        wave = {key.target_fullname.rpartition(".")[0] for key in keys} & set(metadata.tables) - found
    excerpt = sa.MetaData(naming_convention=metadata.naming_convention)
    for name in sorted(found):
        metadata.tables[name].to_metadata(excerpt)
    return excerpt


def _context(connection: sa.Connection, history: History, present: set[str]) -> MigrationContext:
    options: dict[str, Any] = {
        "version_table": history.version_table,
        "include_name": lambda name, kind, _parents: kind != "table" or name in present,
        "include_object": _belongs(history.tables | present),
        "compare_type": True,
        "render_as_batch": True,
    }
    return MigrationContext.configure(connection, opts=options)


def _belongs(tables: Collection[str]) -> Callable[[SchemaItem, str | None, str, bool, SchemaItem | None], bool]:
    """Keeps foreign tables and the indexes that come and go at run time (custom fields, searching) out of it."""

    def include(item: SchemaItem, name: str | None, kind: str, reflected: bool, _other: SchemaItem | None) -> bool:
        if kind == "table":
            return name in tables
        return not (kind == "index" and reflected and (is_field_index(name or "") or is_search_index(name or "")))

    return include


def _render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    if kind != "type":
        return False
    if isinstance(item, EnumText):
        return f"sa.String({_ENUM_LENGTH})"
    if isinstance(item, sa.types.TypeDecorator):
        return f"columns.{type(item).__name__}()" if type(item).__module__ == _OWN_TYPES else _plain(item)
    return _shared(item) or False


def _plain(item: sa.types.TypeDecorator[Any]) -> str:
    """Any other decorated type as the SQL types that it stands for, so that the file outlives the class."""
    usual, on_sqlite = repr(item.impl), item.load_dialect_impl(sqlite.dialect())
    differs = hasattr(sa, type(on_sqlite).__name__) and repr(on_sqlite) != usual
    return f"sa.{usual}" + (f'.with_variant(sa.{on_sqlite!r}, "sqlite")' if differs else "")


def _shared(item: object) -> str:
    """The name of a type that `columns` composes of SQLAlchemy's, or an empty text."""
    variant = getattr(item, "_variant_mapping", {}).get("sqlite")
    if isinstance(item, JSONB) and isinstance(variant, sa.JSON):
        return "columns.JsonB()"
    if isinstance(item, sa.BigInteger) and isinstance(variant, sa.Integer):
        return "columns.BigId"
    return ""
