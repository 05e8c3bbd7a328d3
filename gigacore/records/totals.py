"""Counts, and sums of money, over the records that a filter selects and the actor may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.data import currency
from gigacore.data.currency import Totals
from gigacore.entity import Money
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.records.kept import run
from gigacore.records.limits import reader_of, require
from gigacore.records.read import ListRequest, conditions

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec, FieldSpec


def totals(ctx: Context, entity: str, field: str, filter: object = None, *, base: str | None = None) -> Totals:
    """The sums per currency and their total in `base` (the organisation's currency unless named).

    Currencies without a rate are named, not guessed. Raises Forbidden, and Invalid for what cannot be read or summed.
    """
    spec = _spec(ctx, entity)
    amounts = [money for (money,) in _sums(ctx, spec, _money(ctx, spec, field), filter)]
    return _in_base(ctx, [amounts], base)[0]


def totals_by(ctx: Context, entity: str, field: str, by: str, filter: object = None) -> Mapping[Any, Totals]:
    """The same for each value of the field `by` that has anything to sum, in the organisation's currency.

    One statement for all sums. Raises as `totals` does, and Invalid where the actor may not read `by` or it is no plain
    field of the entity.
    """
    spec = _spec(ctx, entity)
    grouped: dict[Any, list[Money]] = {}
    for money, value in _sums(ctx, spec, _money(ctx, spec, field), filter, _key(ctx, spec, by)):
        grouped.setdefault(value, []).append(money)
    return dict(zip(grouped, _in_base(ctx, list(grouped.values())), strict=True))


def count(ctx: Context, entity: str, filter: object = None) -> int:
    """How many records there are. Raises Forbidden, and Invalid for a filter on what cannot be read."""
    return int(_aggregate(ctx, _spec(ctx, entity), filter, sa.func.count())[0][0])


def counts_by(ctx: Context, entity: str, by: str, filter: object = None) -> Mapping[Any, int]:
    """The same for each value of the field `by` that occurs, in one statement; raises as `totals_by` does."""
    spec = _spec(ctx, entity)
    key = _column(spec, _key(ctx, spec, by).attribute)
    return {value: int(number) for number, value in _aggregate(ctx, spec, filter, sa.func.count(), key)}


def _sums(
    ctx: Context, spec: EntitySpec, field: FieldSpec, filter: object, *by: FieldSpec
) -> list[tuple[Money, *tuple[Any, ...]]]:
    keys = [_column(spec, one) for one in (field.currency_attribute, *(key.attribute for key in by))]
    rows = _aggregate(ctx, spec, filter, sa.func.sum(_column(spec, field.attribute)), *keys)
    return [(Money(Decimal(total), code), *values) for total, code, *values in rows if total is not None]


def _aggregate(
    ctx: Context, spec: EntitySpec, filter: object, value: sa.Function[Any], *keys: sa.Column[Any]
) -> list[tuple[Any, ...]]:
    """`value` for each combination of `keys`, over what the actor sees and the filter selects."""
    where = conditions(ctx, spec, ListRequest(filter))
    statement = sa.select(value, *keys).select_from(spec.table).group_by(*keys)
    at = ("aggregate", spec.name, str(statement))
    return [tuple(row) for row in run(ctx.session, at, where, lambda criteria: statement.where(*criteria))]


def _column(spec: EntitySpec, attribute: str) -> sa.Column[Any]:
    column: sa.Column[Any] = sa.inspect(spec.cls).columns[attribute]
    return column


def _in_base(ctx: Context, groups: Sequence[Sequence[Money]], base: str | None = None) -> list[Totals]:
    connection = ctx.session.connection()
    base = base or currency.base_currency(connection, ctx.actor.org_id)
    return [currency.totals(connection, amounts, base, ctx.now.date()) for amounts in groups]


def _spec(ctx: Context, entity: str) -> EntitySpec:
    spec = ctx.session.registry.entity(entity)
    require(ctx, "view", spec)
    return spec


def _key(ctx: Context, spec: EntitySpec, by: str) -> FieldSpec:
    key = _readable(ctx, spec, by)
    if key.custom or key.extension is not None or key.kind in ("choices", "json"):
        raise Invalid.of(by, msg("There is no field {name}.", name=by), "kind")
    return key


def _readable(ctx: Context, spec: EntitySpec, name: str) -> FieldSpec:
    found = spec.field(name)
    if not reader_of(ctx.session)(spec, found):
        raise Invalid.of(name, msg("There is no field {name}.", name=name), "unknown_field")
    return found


def _money(ctx: Context, spec: EntitySpec, name: str) -> FieldSpec:
    money = _readable(ctx, spec, name)
    if money.kind != "money" or money.custom or money.extension is not None:
        raise Invalid.of(name, msg("Only amounts of money can be summed."), "kind")
    return money
