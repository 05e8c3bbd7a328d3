"""Sums of money over the records that a filter selects and the actor may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore.data.currency import Totals, sum_field, sum_field_by
from gigacore.errors import Invalid
from gigacore.filter import parse
from gigacore.messages import msg
from gigacore.records.limits import condition_sql, reader_of, require

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from gigacore.context import Context
    from gigacore.entity import EntitySpec, FieldSpec


def totals(ctx: Context, entity: str, field: str, filter: object = None, *, base: str | None = None) -> Totals:
    """The sums per currency and their total in `base` (the organisation's currency unless named).

    Currencies without a rate are named, not guessed. Raises Forbidden, and Invalid for what cannot be read or summed.
    """
    spec = _spec(ctx, entity)
    return sum_field(ctx, spec, _money(ctx, spec, field), _where(ctx, spec, filter), base=base)


def totals_by(ctx: Context, entity: str, field: str, by: str, filter: object = None) -> Mapping[Any, Totals]:
    """The same for each value of the field `by` that has anything to sum, in the organisation's currency.

    Raises as `totals` does, and Invalid where the actor may not read `by` or it is no plain field of the entity.
    """
    spec = _spec(ctx, entity)
    key = _readable(ctx, spec, by)
    if key.custom or key.extension is not None or key.kind in ("choices", "json"):
        raise Invalid.of(by, msg("There is no field {name}.", name=by), "kind")
    return sum_field_by(ctx, spec, _money(ctx, spec, field), key, _where(ctx, spec, filter))


def _spec(ctx: Context, entity: str) -> EntitySpec:
    spec = ctx.session.registry.entity(entity)
    require(ctx, "view", spec)
    return spec


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


def _where(ctx: Context, spec: EntitySpec, filter: object) -> ColumnElement[bool] | None:
    if filter is None:
        return None
    session = ctx.session
    condition = parse(filter, spec, session.registry, readable=reader_of(session))
    return condition_sql(ctx, spec, condition)
