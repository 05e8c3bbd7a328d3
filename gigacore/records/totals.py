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
    found = [money for ((money,),) in _sums(ctx, spec, [summed_field(ctx, spec, field)], filter)]
    return in_base(ctx, [[money for money in found if money is not None]], base)[0]


def totals_by(ctx: Context, entity: str, field: str, by: str, filter: object = None) -> Mapping[Any, Totals]:
    """The same for each value of the field `by` that has anything to sum, in the organisation's currency.

    One statement for all sums. Raises as `totals` does, and Invalid where the actor may not read `by` or it is no plain
    field of the entity.
    """
    return all_totals_by(ctx, entity, (field,), by, filter)[field]


def all_totals_by(
    ctx: Context, entity: str, fields: Sequence[str], by: str, filter: object = None
) -> Mapping[str, Mapping[Any, Totals]]:
    """The same for several fields, still in one statement."""
    spec = _spec(ctx, entity)
    key, money = group_field(ctx, spec, by), [summed_field(ctx, spec, name) for name in fields]
    grouped: dict[tuple[str, Any], list[Money]] = {}
    for amounts, value in _sums(ctx, spec, money, filter, key):
        for name, amount in zip(fields, amounts, strict=True):
            if amount is not None:
                grouped.setdefault((name, value), []).append(amount)
    found: dict[str, dict[Any, Totals]] = {name: {} for name in fields}
    for (name, value), one in zip(grouped, in_base(ctx, list(grouped.values())), strict=True):
        found[name][value] = one
    return found


def count(ctx: Context, entity: str, filter: object = None) -> int:
    """How many records there are. Raises Forbidden, and Invalid for a filter on what cannot be read."""
    return int(_aggregate(ctx, _spec(ctx, entity), filter, [sa.func.count()])[0][0])


def counts_by(ctx: Context, entity: str, by: str, filter: object = None) -> Mapping[Any, int]:
    """The same for each value of the field `by` that occurs, in one statement; raises as `totals_by` does."""
    spec = _spec(ctx, entity)
    key = column_of(spec, group_field(ctx, spec, by).attribute)
    return {value: int(number) for number, value in _aggregate(ctx, spec, filter, [sa.func.count()], key)}


def _sums(
    ctx: Context, spec: EntitySpec, fields: Sequence[FieldSpec], filter: object, *by: FieldSpec
) -> list[tuple[list[Money | None], *tuple[Any, ...]]]:
    """For each combination of currencies and `by`: the sums of the fields, and the values of `by`."""
    names = (*(one.currency_attribute for one in fields), *(key.attribute for key in by))
    sums = [sa.func.sum(column_of(spec, one.attribute)) for one in fields]
    rows = _aggregate(ctx, spec, filter, sums, *(column_of(spec, name) for name in names))
    count = len(fields)
    return [(_amounts(row[:count], row[count : 2 * count]), *row[2 * count :]) for row in rows]


def _amounts(sums: Sequence[Any], codes: Sequence[str]) -> list[Money | None]:
    return [None if one is None else Money(Decimal(one), code) for one, code in zip(sums, codes, strict=True)]


def _aggregate(
    ctx: Context, spec: EntitySpec, filter: object, values: Sequence[sa.Function[Any]], *keys: sa.Column[Any]
) -> list[tuple[Any, ...]]:
    """`values` for each combination of `keys`, over what the actor sees and the filter selects."""
    where = conditions(ctx, spec, ListRequest(filter))
    statement = sa.select(*values, *keys).select_from(spec.table).group_by(*keys)
    at = ("aggregate", spec.name, str(statement))
    return [tuple(row) for row in run(ctx.session, at, where, lambda criteria: statement.where(*criteria))]


def column_of(spec: EntitySpec, attribute: str) -> sa.Column[Any]:
    """The column behind an attribute of an entity."""
    column: sa.Column[Any] = sa.inspect(spec.cls).columns[attribute]
    return column


def in_base(ctx: Context, groups: Sequence[Sequence[Money]], base: str | None = None) -> list[Totals]:
    """Groups of amounts as sums per currency with their totals, in the organisation's currency unless one is named."""
    if not groups:
        return []
    connection = ctx.session.connection()
    base = base or currency.base_currency(connection, ctx.actor.org_id)
    return currency.all_totals(connection, groups, base, ctx.now.date())


def _spec(ctx: Context, entity: str) -> EntitySpec:
    spec = ctx.session.registry.entity(entity)
    require(ctx, "view", spec)
    return spec


def group_field(ctx: Context, spec: EntitySpec, by: str) -> FieldSpec:
    """The field by whose values figures are told. Raises Invalid where the actor may not read it, or it is none."""
    key = _readable(ctx, spec, by)
    if key.custom or key.extension is not None or key.kind in ("choices", "json"):
        raise Invalid.of(by, msg("There is no field {name}.", name=by), "kind")
    return key


def _readable(ctx: Context, spec: EntitySpec, name: str) -> FieldSpec:
    found = spec.field(name)
    if not reader_of(ctx.session)(spec, found):
        raise Invalid.of(name, msg("There is no field {name}.", name=name), "unknown_field")
    return found


def summed_field(ctx: Context, spec: EntitySpec, name: str) -> FieldSpec:
    """The money that is summed. Raises Invalid where the actor may not read it, or it is none."""
    money = _readable(ctx, spec, name)
    if money.kind != "money" or money.custom or money.extension is not None:
        raise Invalid.of(name, msg("Only amounts of money can be summed."), "kind")
    return money
