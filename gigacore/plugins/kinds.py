"""The kinds of stored values, by name: what was read on one engine is so written on the other, without any code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from gigacore.data.tables import ExactRate
from gigacore.entity.base import metadata
from gigacore.entity.columns import EnumText, ExactDecimal, JsonB, MessageText, UtcDateTime

Kinds = Mapping[str, str]
TYPES: Final[Mapping[str, TypeEngine[Any]]] = MappingProxyType(
    {
        "moment": UtcDateTime(),
        "exact": ExactDecimal(),
        "rate": ExactRate(),
        "uuid": sa.Uuid(),
        "json": JsonB(),
        "bytes": sa.LargeBinary(),
        "flag": sa.Boolean(),
        "date": sa.Date(),
        "time": sa.Time(),
        "text": sa.String(),
        "integer": sa.BigInteger(),
        "float": sa.Float(),
        "decimal": sa.Numeric(),
    }
)
# The first that fits counts: enums and messages are kept as text, JSONB is JSON, a float is numeric for SQLAlchemy.
_NAMES: Final[tuple[tuple[type[Any], str], ...]] = (
    (UtcDateTime, "moment"),
    (ExactDecimal, "exact"),
    (ExactRate, "rate"),
    (EnumText, "text"),
    (MessageText, "text"),
    (sa.Uuid, "uuid"),
    (sa.JSON, "json"),
    (sa.LargeBinary, "bytes"),
    (sa.Boolean, "flag"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    (sa.String, "text"),
    (sa.Integer, "integer"),
    (sa.Float, "float"),
    (sa.Numeric, "decimal"),
)


def kind_of(column: sa.Column[Any]) -> str:
    """The kind of a column's values; empty for a type that is none of them, which stays as its engine has it."""
    return next((name for cls, name in _NAMES if isinstance(column.type, cls)), "")


def declared(tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The kinds of the columns of declared tables, by table; a table that nothing declares is left out."""
    known = metadata.tables
    return {
        str(name): {str(c.name): kind_of(c) for c in known[name].columns} for name in sorted(tables) if name in known
    }


def is_portable(kinds: Mapping[str, Kinds], tables: Iterable[str]) -> bool:
    """Whether the rows of these tables can be written on another engine."""
    return all(name in kinds and all(kinds[name].values()) for name in tables)


def typed(table: sa.Table, kinds: Kinds | None) -> sa.Table:
    """A reflected table whose columns are read and written by their kinds."""
    for column in table.columns:
        if kind := (kinds or {}).get(column.name, ""):
            column.type = TYPES[kind]
    return table
