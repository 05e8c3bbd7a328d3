"""Measures: figures worked out from records, declared once for tiles, reports and the words that explain them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore import records
from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.records import rollups
from gigacore.records.rollups import Question, take_age
from gigacore.records.totals import in_base
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data.currency import Totals
    from gigacore.entity import Registry

__all__ = ["Aggregate", "Measure", "condition", "take_age", "value", "values_by"]


class Aggregate(enum.Enum):
    """How records become a figure."""

    count = "count"
    sum = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure over the records of an entity; a plugin declares it with `Plugin(declares=[Measure(...)])`.

    `filter` chooses the records, `date_field` is the day or moment that places one in a period, `field` the money that
    is summed. `definition` says in plain words what is counted. `periods` are those that pages ask for at every look:
    where there are many records, the figure is kept for them as well. Raises PluginError for a sum without a field.
    """

    name: str
    label: str
    entity: str
    definition: str
    aggregate: Aggregate = Aggregate.count
    field: str = ""
    filter: Mapping[str, object] | None = None
    date_field: str = ""
    periods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.aggregate is Aggregate.sum and not self.field:
            plugin = self.name.partition(".")[0]
            raise PluginError(
                plugin,
                msg("The measure {name} names no field to sum.", name=self.name),
                fix=msg("Name it in field=, or count with aggregate=Aggregate.count."),
            )


def condition(measure: Measure, period: str = "") -> dict[str, Any] | None:
    """The exact filter behind the figure, within a named period of the filter language if one is given."""
    parts: list[Mapping[str, object]] = [] if measure.filter is None else [measure.filter]
    if period:
        parts.append({"field": measure.date_field, "op": "between", "value": {"period": period}})
    return {"all": parts} if parts else None


def kept_by(registry: Registry, measure: Measure) -> str:
    """The field by whose values the figure is kept where there are many records: that of the entity's board."""
    spec = registry.entity(measure.entity)
    return spec.board if spec.board and rollups.keepable(spec, spec.board) else ""


def question(measure: Measure, by: str, period: str = "") -> Question:
    """What the figure asks for, as it is kept."""
    return Question(measure.entity, by, measure.field, condition(measure, period))


def value(ctx: Context, measure: Measure, period: str = "") -> int | Totals:
    """The figure over what the actor may see: a number, or sums per currency with their total.

    Where there are many records it may be a few minutes old; `take_age` says so. Raises Forbidden, and Invalid where
    the actor may not read a field that the measure needs.
    """
    where = condition(measure, period)
    asked = question(measure, kept_by(ctx.session.registry, measure), period)
    if measure.aggregate is Aggregate.count:
        numbers = rollups.counts(ctx, asked)
        return records.count(ctx, measure.entity, where) if numbers is None else sum(numbers.values())
    sums = rollups.sums(ctx, asked)
    if sums is None:
        return records.totals(ctx, measure.entity, measure.field, where)
    return in_base(ctx, [[money for amounts in sums.values() for money in amounts]])[0]


def values_by(
    ctx: Context, measure: Measure, by: str, period: str = "", *, kept: bool = True
) -> Mapping[Any, int | Totals]:
    """The figure for each value of the field `by`, in one statement besides rates; raises as `value`.

    Without `kept` it is counted anew, however many records there are.
    """
    where, asked = condition(measure, period), question(measure, by, period)
    if measure.aggregate is Aggregate.count:
        numbers = rollups.counts(ctx, asked) if kept else None
        return records.counts_by(ctx, measure.entity, by, where) if numbers is None else numbers
    sums = rollups.sums(ctx, asked) if kept else None
    if sums is None:
        return records.totals_by(ctx, measure.entity, measure.field, by, where)
    return dict(zip(sums, in_base(ctx, list(sums.values())), strict=True))
