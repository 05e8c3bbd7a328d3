"""Fields as SQL: their value, and the form in which they are compared and sorted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, func

from gigacore.entity.folding import KEY_LENGTH
from gigacore.entity.spec import FieldSpec
from gigacore.filter.elements import CustomValue


def field_expression(spec: FieldSpec, table: FromClause) -> ColumnElement[Any]:
    """The value of a field; of money the amount. `table` holds the field: for an extension's, the extension's table."""
    column = table.c[spec.column]
    return CustomValue(column, spec.name, spec.kind) if spec.custom else column


def currency_expression(spec: FieldSpec, table: FromClause) -> ColumnElement[Any]:
    """The currency of a money field."""
    if spec.custom:
        return CustomValue(table.c[spec.column], spec.name, "currency")
    return table.c[f"{spec.column}_currency"]


def order_expression(spec: FieldSpec, table: FromClause) -> ColumnElement[Any]:
    """What rows are sorted by: folded text for text, otherwise the value."""
    return folded_expression(spec, table) if spec.is_text else field_expression(spec, table)


def folded_expression(spec: FieldSpec, table: FromClause, *, whole: bool = False) -> ColumnElement[Any]:
    """A text as it is compared. `whole` asks for all of it where the key column may hold but its beginning."""
    if spec.key_column and not (whole and is_cut(spec)):
        key = table.c[spec.key_column]
        return CustomValue(key, spec.name, "text") if spec.custom else key
    return func.giga_fold(field_expression(spec, table), type_=Text())


def is_cut(spec: FieldSpec) -> bool:
    """Whether a value may be longer than its key column."""
    return spec.kind == "longtext" or (spec.max_length or 0) > KEY_LENGTH
