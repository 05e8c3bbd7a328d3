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
from gigacore.entity import EntitySpec, Registry
from gigacore.entity.spec import SIGHT
from gigacore.filter.stored import CUSTOM_KEY, literal_path

INDEXABLE: Final = frozenset(
    {"text", "integer", "decimal", "money", "date", "datetime", "choice", "boolean", "url", "email", "phone", "ref"}
)
UNIQUE: Final = INDEXABLE - {"boolean", "money"}
BY_NAME: Final = "_n"
_INDEX: Final = re.compile(r"cf_[0-9a-f]{8}_x_[a-z0-9_]{1,42}", re.ASCII)


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


def create_indexes(definition: Definition, spec: EntitySpec, dialect: str) -> list[str]:
    """The DDL of a field's indexes: one of its values, which carries the invariant of a unique field too.

    A text that many records share has a second one, by which a list filtered by it is read in the order of names.
    """
    table, keyed = spec.table.name, definition.kind in KEYED
    expression = custom_value_expression("custom_key" if keyed else "custom", definition.key, definition.kind, dialect)
    unique, name = "UNIQUE " if definition.unique else "", index_name(table, definition.key)
    sight = ("id", *SIGHT) if spec.owned and not definition.unique else ()
    made = {name: (f"({expression})", *sight)}
    if keyed and sight:
        by_name = spec.fields[spec.by_name]
        made[f"{name}{BY_NAME}"] = (f"({expression})", by_name.key_column or by_name.column, *sight)
    return [
        f'CREATE {unique}INDEX IF NOT EXISTS {one} ON "{table}" ({", ".join(columns)})' for one, columns in made.items()
    ]


def drop_indexes(table: str, key: str) -> list[str]:
    """The DDL that removes a field's indexes."""
    return [f"DROP INDEX IF EXISTS {index_name(table, key)}{end}" for end in ("", BY_NAME)]


def is_field_index(name: str) -> bool:
    """Whether an index of that name belongs to a custom field: migrations leave it alone."""
    return _INDEX.fullmatch(name) is not None


def restore_indexes(connection: sa.Connection, registry: Registry, definitions: Iterable[Definition]) -> None:
    """Create the indexes that are missing: after a migration that rebuilt a table, or a restore."""
    for definition in definitions:
        spec = registry.entities.get(definition.entity)
        if spec is not None and definition.has_index:
            for statement in create_indexes(definition, spec, connection.dialect.name):
                connection.exec_driver_sql(statement)


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
