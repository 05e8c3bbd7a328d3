"""The innermost SQL of a condition: one field against constants, or against another field."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, false, literal, not_, or_, true
from sqlalchemy.sql import operators

from gigacore.entity.kinds import KINDS
from gigacore.entity.money import Money
from gigacore.entity.spec import FieldSpec
from gigacore.filter.ast import Path
from gigacore.filter.elements import AsColumn, CustomValue, ListFilled, ListHas, Starts, contains
from gigacore.filter.evaluation import Check, text_form
from gigacore.filter.expressions import currency_expression, field_expression, folded_expression

Bool = ColumnElement[bool]
Values = tuple[ColumnElement[Any], ...]

_ORDER: Final = {"eq": operators.eq, "lt": operators.lt, "le": operators.le, "gt": operators.gt, "ge": operators.ge}


def compared_values(spec: FieldSpec, table: FromClause) -> Values:
    """What stands for the field in a comparison with another: folded text, amount and currency, or the value."""
    if spec.is_text:
        return (folded_expression(spec, table),)
    value = field_expression(spec, table)
    if isinstance(value, CustomValue):
        value = AsColumn(value, KINDS[spec.kind].column(spec))
    return (value, currency_expression(spec, table)) if spec.kind == "money" else (value,)


def compare_values(op: str, left: Values, right: Values) -> Bool:
    """One field against another: false where either is missing; `distinct` is IS DISTINCT FROM."""
    if op == "distinct":
        return or_(*(mine.is_distinct_from(other) for mine, other in zip(left, right, strict=True)))
    known = [value.is_not(None) for value in (*left, *right)]
    same = [mine == other for mine, other in zip(left[1:], right[1:], strict=True)]
    return and_(*known, _ORDER[op](left[0], right[0]), *same)


def test_field(check: Check, path: Path, table: FromClause, *, strict: bool) -> Bool:
    """One field against constants. Unless `strict`, what is not true may be NULL."""
    if check.op == "never":
        return true() if check.negate else false()
    if check.op == "filled":
        found = _filled(path, table)
        return not_(found) if check.negate else found
    if path.field.kind == "choices":
        return _in_list(check, path.field, table)
    if path.field.kind == "money" and not path.part:
        return _money(check, path.field, table, strict=strict)
    return _plain(check, path, table, strict=strict)


def _plain(check: Check, path: Path, table: FromClause, *, strict: bool) -> Bool:
    spec, value = path.field, check.value
    column: ColumnElement[Any]
    if spec.is_text:
        column = folded_expression(spec, table, whole=check.op == "contains")
        value = _folded(spec, value, check.op)
    elif path.part == "currency":
        column = currency_expression(spec, table)
    else:
        column = field_expression(spec, table)
    return _test(column, check.op, value, negate=check.negate, strict=strict and _nullable(column))


def _folded(spec: FieldSpec, value: Any, op: str) -> Any:
    if isinstance(value, tuple):
        return tuple(text_form(spec, item, op) for item in value)
    return text_form(spec, value, op)


def _test(column: ColumnElement[Any], op: str, value: Any, *, negate: bool, strict: bool) -> Bool:
    if negate:
        return _unlike(column, op, value)
    found = _TESTS[op](column, value)
    return and_(column.is_not(None), found) if strict else found


def _unlike(column: ColumnElement[Any], op: str, value: Any) -> Bool:
    """The negation: true for a missing value."""
    if op == "eq":
        return column.is_distinct_from(_bound(column, value))
    return or_(column.is_(None), not_(_TESTS[op](column, value)))


def _bound(column: ColumnElement[Any], value: Any) -> Any:
    """Integers are bound with 64 bits: one that is too large for a column is then unequal, not an error."""
    if isinstance(value, int) and not isinstance(value, bool):
        return literal(value, BigInteger())
    return value


def _compare(operator: Callable[[Any, Any], Any]) -> Callable[[ColumnElement[Any], Any], Bool]:
    return lambda column, value: operator(column, _bound(column, value))


def _between(column: ColumnElement[Any], bounds: tuple[Any, Any]) -> Bool:
    low, high = bounds
    return column.between(_bound(column, low), _bound(column, high))


def _span(column: ColumnElement[Any], bounds: tuple[Any, Any]) -> Bool:
    start, end = bounds
    return and_(column >= start, column < end)


def _one_of(column: ColumnElement[Any], values: tuple[Any, ...]) -> Bool:
    if isinstance(values[0], int) and not isinstance(values[0], bool):
        return column.in_([literal(value, BigInteger()) for value in values])
    return column.in_(values)


_TESTS: Final[dict[str, Callable[[ColumnElement[Any], Any], Bool]]] = {
    **{name: _compare(operator) for name, operator in _ORDER.items()},
    "in": _one_of,
    "between": _between,
    "span": _span,
    "contains": contains,
    "starts": Starts,
}


def _nullable(column: ColumnElement[Any]) -> bool:
    return bool(getattr(column, "nullable", True))


def _filled(path: Path, table: FromClause) -> Bool:
    spec = path.field
    if spec.kind == "choices":
        return ListFilled(table.c[spec.column], spec.name if spec.custom else None)
    column = field_expression(spec, table)
    return and_(column.is_not(None), column != "") if spec.is_text else column.is_not(None)


def _in_list(check: Check, spec: FieldSpec, table: FromClause) -> Bool:
    found = ListHas(table.c[spec.column], spec.name if spec.custom else None, check.value)
    return not_(found) if check.negate else found


# Money ----------------------------------------------------------------------------------------------------------------


def _money(check: Check, spec: FieldSpec, table: FromClause, *, strict: bool) -> Bool:
    amount, currency = field_expression(spec, table), currency_expression(spec, table)
    if check.op == "in":
        found = or_(*(_amount("eq", item, amount, currency) for item in check.value))
    elif check.op == "between":
        low, high = check.value
        found = and_(_amount("ge", low, amount, currency), _amount("le", high, amount, currency))
    else:
        found = _amount(check.op, check.value, amount, currency)
    if not (strict or check.negate):
        return found
    known = and_(amount.is_not(None), currency.is_not(None), found)
    return not_(known) if check.negate else known


def _amount(op: str, value: Decimal | Money, amount: ColumnElement[Any], currency: ColumnElement[Any]) -> Bool:
    if isinstance(value, Money):
        return and_(_ORDER[op](amount, value.amount), currency == value.currency)
    found: Bool = _ORDER[op](amount, value)
    return found
