"""Measures: figures worked out from records, declared once for tiles, reports and the words that explain them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore import records
from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data.currency import Totals


class Aggregate(enum.Enum):
    """How records become a figure."""

    count = "count"
    sum = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure over the records of an entity; a plugin declares it with `Plugin(declares=[Measure(...)])`.

    `filter` chooses the records, `date_field` is the day or moment that places one in a period, `field` the money that
    is summed. `definition` says in plain words what is counted. Raises PluginError for a sum without a field.
    """

    name: str
    label: str
    entity: str
    definition: str
    aggregate: Aggregate = Aggregate.count
    field: str = ""
    filter: Mapping[str, object] | None = None
    date_field: str = ""

    def __post_init__(self) -> None:
        if self.aggregate is Aggregate.sum and not self.field:
            plugin = self.name.partition(".")[0]
            raise PluginError(plugin, msg("The measure {name} names no field to sum.", name=self.name))


def condition(measure: Measure, period: str = "") -> dict[str, Any] | None:
    """The exact filter behind the figure, within a named period of the filter language if one is given."""
    parts: list[Mapping[str, object]] = [] if measure.filter is None else [measure.filter]
    if period:
        parts.append({"field": measure.date_field, "op": "between", "value": {"period": period}})
    return {"all": parts} if parts else None


def value(ctx: Context, measure: Measure, period: str = "") -> int | Totals:
    """The figure over what the actor may see: a number, or sums per currency with their total.

    Raises Forbidden, and Invalid where the actor may not read a field that the measure needs.
    """
    where = condition(measure, period)
    if measure.aggregate is Aggregate.count:
        return records.count(ctx, measure.entity, where)
    return records.totals(ctx, measure.entity, measure.field, where)


def values_by(ctx: Context, measure: Measure, by: str, period: str = "") -> Mapping[Any, int | Totals]:
    """The figure for each value of the field `by`, in one statement besides rates; raises as `value`."""
    where = condition(measure, period)
    if measure.aggregate is Aggregate.count:
        return records.counts_by(ctx, measure.entity, by, where)
    return records.totals_by(ctx, measure.entity, measure.field, by, where)
