"""The SQL of custom fields that SQLAlchemy has no words for: expression indexes, and the erasing of values.

Every identifier in it is a table of the registry or a validated key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from gigacore.customfields.definitions import KEYED, Definition
from gigacore.entity import Registry
from gigacore.filter.stored import CUSTOM_KEY, literal_path

INDEXABLE: Final = frozenset(
    {"text", "integer", "decimal", "money", "date", "datetime", "choice", "boolean", "url", "email", "phone", "ref"}
)
UNIQUE: Final = INDEXABLE - {"boolean", "money"}
_INDEX: Final = re.compile(r"cf_[0-9a-f]{8}_x_[a-z0-9_]{1,40}", re.ASCII)


def custom_value_expression(column: str, key: str, kind: str, dialect: str) -> str:
    """The SQL text of a custom field's value as it is compared: in indexes and in queries the same.

    `column` qualifies nothing or a table (`custom`, `crm_lead.custom`); for texts it is the folded `custom_key`. Raises
    Misuse for a key that is no custom field's.
    """
    return literal_path(column, key, "text" if kind in KEYED else kind, dialect)


def index_name(table: str, key: str) -> str:
    """The name of a field's index: unique in the database and short enough for PostgreSQL."""
    digest = hashlib.sha256(f"{table}.{key}".encode()).hexdigest()[:8]
    return f"cf_{digest}_{key}"


def create_index(definition: Definition, table: str, dialect: str) -> str:
    """The DDL of a field's index. A unique one also carries the invariant."""
    column = "custom_key" if definition.kind in KEYED else "custom"
    expression = custom_value_expression(column, definition.key, definition.kind, dialect)
    unique = "UNIQUE " if definition.unique else ""
    name = index_name(table, definition.key)
    return f'CREATE {unique}INDEX IF NOT EXISTS {name} ON "{table}" (({expression}))'


def drop_index(table: str, key: str) -> str:
    """The DDL that removes a field's index."""
    return f"DROP INDEX IF EXISTS {index_name(table, key)}"


def is_field_index(name: str) -> bool:
    """Whether an index of that name belongs to a custom field: migrations leave it alone."""
    return _INDEX.fullmatch(name) is not None


def restore_indexes(connection: sa.Connection, registry: Registry, definitions: Iterable[Definition]) -> None:
    """Create the indexes that are missing: after a migration that rebuilt a table, or a restore."""
    for definition in definitions:
        spec = registry.entities.get(definition.entity)
        if spec is not None and definition.has_index:
            connection.exec_driver_sql(create_index(definition, spec.table.name, connection.dialect.name))


def allow_time(connection: sa.Connection) -> None:
    """Let the rest of this transaction take up to a quarter of an hour per statement: it may touch every row."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = '15min'")


def values_present(table: str, key: str, dialect: str) -> str:
    """The statement that counts the rows with a value of a field."""
    return f'SELECT count(*) FROM "{table}" WHERE {_there(key, dialect).format("custom")}'  # noqa: S608


def _there(key: str, dialect: str) -> str:
    if not CUSTOM_KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not the key of a custom field")
    return f"json_type({{0}}, '$.{key}') IS NOT NULL" if dialect == "sqlite" else f"jsonb_exists({{0}}, '{key}')"


def erase_values(table: str, key: str, dialect: str) -> list[str]:
    """The statements that remove a field's values from every row of a table."""
    there = _there(key, dialect)
    less = f"json_remove({{0}}, '$.{key}')" if dialect == "sqlite" else f"{{0}} - '{key}'"
    return [
        f'UPDATE "{table}" SET {column} = {less.format(column)} WHERE {there.format(column)}'  # noqa: S608
        for column in ("custom", "custom_key")
    ]
