"""Sums of money over the records that a filter selects and the actor may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigacore.data.currency import Totals, sum_field
from gigacore.errors import Invalid
from gigacore.filter import parse
from gigacore.messages import msg
from gigacore.records.limits import condition_sql, reader_of, require

if TYPE_CHECKING:
    from gigacore.context import Context


def totals(ctx: Context, entity: str, field: str, filter: object = None, *, base: str | None = None) -> Totals:
    """The sums per currency and their total in `base` (the organisation's currency unless named).

    Currencies without a rate are named, not guessed. Raises Forbidden, and Invalid for what cannot be read or summed.
    """
    session = ctx.session
    spec = session.registry.entity(entity)
    require(ctx, "view", spec)
    readable = reader_of(session)
    money = spec.field(field)
    if not readable(spec, money):
        raise Invalid.of(field, msg("There is no field {name}.", name=field), "unknown_field")
    if money.kind != "money" or money.custom or money.extension is not None:
        raise Invalid.of(field, msg("Only amounts of money can be summed."), "kind")
    condition = parse(filter, spec, session.registry, readable=readable) if filter is not None else None
    where = condition_sql(ctx, spec, condition) if condition is not None else None
    return sum_field(ctx, spec, money, where, base=base)
