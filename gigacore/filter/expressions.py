"""Fields as SQL: their value, and the form in which they are compared and sorted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.sql.expression import Alias

from gigacore.entity.folding import KEY_LENGTH
from gigacore.entity.spec import FieldSpec
from gigacore.filter.elements import CustomValue, Folded


def field_expression(spec: FieldSpec, table: FromClause) -> ColumnElement[Any]:
    """The value of a field; of money the amount.

    `table` is the entity's table or, for a field of an extension, the extension's where that is joined.
    """
    if spec.custom:
        return CustomValue(table.c[spec.column], spec.name, "json" if spec.kind == "choices" else spec.kind)
    return _column(spec, table, spec.column)


def _column(spec: FieldSpec, table: FromClause, name: str) -> ColumnElement[Any]:
    """A column; one of an extension that is not joined is looked up."""
    if spec.extension is None:
        return table.c[name]
    own: FromClause = spec.extension.__table__
    if table is own or (isinstance(table, Alias) and table.element is own):
        return table.c[name]
    found = own.alias()
    return select(found.c[name]).where(found.c.id == table.c.id).correlate_except(found).scalar_subquery()


def currency_expression(spec: FieldSpec, table: FromClause) -> ColumnElement[Any]:
    """The currency of a money field."""
    if spec.custom:
        return CustomValue(table.c[spec.column], spec.name, "currency")
    return _column(spec, table, f"{spec.column}_currency")


def order_expression(spec: FieldSpec, table: FromClause) -> ColumnElement[Any]:
    """What rows are sorted by: folded text for text, otherwise the value."""
    return folded_expression(spec, table) if spec.is_text else field_expression(spec, table)


def folded_expression(spec: FieldSpec, table: FromClause, *, whole: bool = False) -> ColumnElement[Any]:
    """A text as it is compared. `whole` asks for all of it where the key column may hold but its beginning."""
    if spec.key_column and not (whole and is_cut(spec)):
        if spec.custom:
            return CustomValue(table.c[spec.key_column], spec.name, "text")
        return _column(spec, table, spec.key_column)
    return Folded(field_expression(spec, table))


def is_cut(spec: FieldSpec) -> bool:
    """Whether a value may be longer than its key column."""
    return spec.kind == "longtext" or (spec.max_length or 0) > KEY_LENGTH
