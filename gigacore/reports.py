"""Reports: measures side by side for each value of one field, declared once for page, API and file.

A report shows what its reader may see: its figures are worked out in the reader's session, as lists are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gigacore import access, measures, records
from gigacore.data.currency import Totals
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid, NotFound, PluginError
from gigacore.exchange.export import Export, ExportColumn, Wording, plain_text
from gigacore.filter.moments import is_period
from gigacore.measures import Aggregate, Measure
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gigacore.context import Context
    from gigacore.entity import Registry

BY: Final = "by"
LEFT_OUT: Final = msg("Left out: no rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportType:
    """A table of figures; a plugin declares it with `Plugin(declares=[ReportType(...)])`.

    One row for each value of the field `by` that records have, one column for each of the `measures`; the entity of
    each of them has that field. `definition` says in plain words what is told. Raises PluginError without a measure.
    """

    name: str
    label: str
    definition: str
    by: str
    measures: tuple[Measure, ...]

    def __post_init__(self) -> None:
        if not self.measures:
            raise PluginError(self.plugin, msg("The report {name} has no measure.", name=self.name))

    @property
    def plugin(self) -> str:
        """The plugin that declares it."""
        return self.name.partition(".")[0]

    @property
    def timed(self) -> bool:
        """Whether it can be narrowed to a period: each measure knows the date of a record."""
        return all(one.date_field for one in self.measures)

    def field(self, registry: Registry) -> FieldSpec:
        """What its rows stand for."""
        return registry.entity(self.measures[0].entity).field(self.by)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures for one value of the field; `by` is as records show it: a reference has id and label."""

    by: Any
    values: tuple[int | Totals | None, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The currencies that its totals leave out, for there is no rate."""
        found = (value.missing for value in self.values if isinstance(value, Totals))
        return tuple(sorted({code for codes in found for code in codes}))


def visible(ctx: Context, declared: Iterable[ReportType]) -> list[ReportType]:
    """The reports whose entities the actor may view, by label."""
    mine = (one for one in declared if all(access.may(ctx, "view", measure.entity) for measure in one.measures))
    return sorted(mine, key=lambda one: one.label)


def find(ctx: Context, declared: Iterable[ReportType], name: str) -> ReportType:
    """The report of that name. Raises NotFound where there is none, or the actor may not see it."""
    found = next((one for one in visible(ctx, declared) if one.name == name), None)
    if found is None:
        raise NotFound(msg("There is no report {name}, or you may not see it.", name=name))
    return found


def run(ctx: Context, report: ReportType, period: str = "", *, kept: bool = False) -> list[Row]:
    """The rows over what the actor may see, within a named period of the filter language if one is given.

    With `kept` figures over many records may be some minutes old, as `measures.take_age` tells.

    One statement per measure besides labels and rates. Raises Invalid for a period that there is not, or for a report
    without dates, and as `measures.values_by`.
    """
    if period and not (report.timed and is_period(period)):
        raise Invalid.of("period", msg("There is no period {name} for this report.", name=period), "unknown")
    columns: list[Mapping[Any, Any]] = [
        measures.values_by(ctx, one, report.by, period, kept=kept) for one in report.measures
    ]
    keys = {key: None for column in columns for key in column}
    empty = [0 if one.aggregate is Aggregate.count else None for one in report.measures]
    figures = {key: tuple(column.get(key, none) for column, none in zip(columns, empty, strict=True)) for key in keys}
    shown = _shown(ctx, report, list(keys))
    return sorted((Row(shown[key], values) for key, values in figures.items()), key=_order)


def _shown(ctx: Context, report: ReportType, keys: Sequence[Any]) -> dict[Any, Any]:
    """Each value of the field as records show it; a record that is out of sight has no label."""
    target = report.field(ctx.session.registry).target
    if target is None:
        return {key: key for key in keys}
    labels = records.labels_of(ctx.session, target, [key for key in keys if key is not None])
    hidden = {key: {"id": key, "label": None, "hidden": True} for key in keys if key is not None}
    return {None: None} | hidden | {key: {"id": key, "label": label} for key, label in labels.items()}


def _order(row: Row) -> tuple[bool, str]:
    label = row.by.get("label") if isinstance(row.by, Mapping) else row.by
    return label is None, str(label).casefold()


def table(ctx: Context, report: ReportType, rows: Sequence[Row], wording: Wording) -> Export:
    """The report as what is written into CSV files and workbooks; currencies that totals leave out have a column."""
    registry = ctx.session.registry
    field = report.field(registry)
    first = ExportColumn(
        wording.translate(field.label), field, lambda item: item[BY], plain_text(field, registry, wording)
    )
    figures = [_column(measure, place, registry, wording) for place, measure in enumerate(report.measures)]
    return Export([first, *figures, *_left_out(rows, wording)], iter([list(_items(rows))]))


def _column(measure: Measure, place: int, registry: Registry, wording: Wording) -> ExportColumn:
    kind = "integer" if measure.aggregate is Aggregate.count else "money"
    field = FieldSpec(f"value{place}", kind, label=measure.label)
    return ExportColumn(
        wording.translate(measure.label),
        field,
        lambda item: item[field.name],
        plain_text(field, registry, wording),
    )


def _left_out(rows: Sequence[Row], wording: Wording) -> Iterator[ExportColumn]:
    if any(row.missing for row in rows):
        heading = wording.translate(LEFT_OUT.text)
        yield ExportColumn(heading, FieldSpec("missing", "text", label=heading), lambda item: item["missing"], str)


def _items(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        plain = {
            f"value{place}": value.total if isinstance(value, Totals) else value
            for place, value in enumerate(row.values)
        }
        yield {BY: row.by, "missing": ", ".join(row.missing), **plain}
