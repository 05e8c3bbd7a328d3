"""Figures and charts of the start page: sales at a glance, priority of the day, pipeline by stage, leads by status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gigacore import access, measures, records
from gigacore.crm.measures import (
    BLOCKED_LEADS,
    FOLLOW_UPS,
    LEADS,
    MONTHS,
    NEVER_CONTACTED,
    NEW_LEADS,
    OPEN_AMOUNT,
    WEIGHTED_AMOUNT,
    WON_AMOUNT,
)
from gigacore.data.currency import Totals
from gigacore.messages import Msg, msg
from gigacore.ui import Bar, Bars, Content, Figure, Figures, Link, Note, Widget

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.measures import Measure

MOST_STAGES: Final = 50
THIS, BEFORE = MONTHS


def sales(ctx: Context) -> Sequence[Content]:
    """The figures of the reader's sales; those over an entity that the reader may not see are left out."""
    found: list[Figure] = []
    if _may(ctx, OPEN_AMOUNT):
        found += [_figure(ctx, OPEN_AMOUNT), _figure(ctx, WEIGHTED_AMOUNT), _monthly(ctx, WON_AMOUNT)]
    if _may(ctx, NEW_LEADS):
        found.append(_monthly(ctx, NEW_LEADS))
    return [Figures(tuple(found), msg("last month"))] if found else []


def priority_of_the_day(ctx: Context) -> Sequence[Content]:
    """What leads ask for before anything else today, each with the list behind it."""
    return [Figures(tuple(_figure(ctx, measure) for measure in (FOLLOW_UPS, NEVER_CONTACTED, BLOCKED_LEADS)))]


def pipeline(ctx: Context) -> Sequence[Content]:
    """The amounts of open opportunities by stage, in the order of the pipelines."""
    amounts: Mapping[Any, Any] = measures.values_by(ctx, OPEN_AMOUNT, "stage_id")
    stages = _stages(ctx)
    several = len({stage["pipeline_id"]["id"] for stage in stages}) > 1
    bars = tuple(_stage_bar(stage, amounts.get(stage["id"]), several, ctx.actor.locale) for stage in stages)
    missing = sorted({code for amount in amounts.values() for code in amount.missing})
    chart = Bars(bars if amounts else (), msg("No open opportunity."), OPEN_AMOUNT.definition)
    return [chart, *([Note(_without(missing), "warn")] if missing else [])]


def leads(ctx: Context) -> Sequence[Content]:
    """How many leads stand in each status."""
    numbers: Mapping[Any, Any] = measures.values_by(ctx, LEADS, "status")
    listed = ctx.session.registry.choice_lists["crm.lead_status"]
    locale = ctx.actor.locale
    bars = tuple(
        Bar(one.labels.get(locale) or Msg(one.label), numbers.get(one.key, 0), numbers.get(one.key, 0), one.colour,
            Link("", entity="crm.lead", filter={"field": "status", "op": "eq", "value": one.key}))
        for one in listed.choices if one.active or one.key in numbers
    )  # fmt: skip
    return [Bars(bars if numbers else (), msg("No lead yet."), LEADS.definition)]


def _may(ctx: Context, measure: Measure) -> bool:
    return access.may(ctx, "view", measure.entity)


def _figure(ctx: Context, measure: Measure) -> Figure:
    value, note = _plain(measures.value(ctx, measure))
    return Figure(measure.label, value, None, measure.definition, _list_of(measure), note)


def _monthly(ctx: Context, measure: Measure) -> Figure:
    value, note = _plain(measures.value(ctx, measure, THIS))
    before, _note = _plain(measures.value(ctx, measure, BEFORE))
    return Figure(measure.label, value, before, measure.definition, _list_of(measure, THIS), note)


def _plain(value: int | Totals) -> tuple[Any, str | Msg]:
    """What to show, and a word about currencies that it leaves out."""
    if not isinstance(value, Totals):
        return value, ""
    return value.total, _without(value.missing) if value.missing else ""


def _without(codes: Sequence[str]) -> Msg:
    return msg("Without {codes}: no rate", codes=", ".join(codes))


def _list_of(measure: Measure, period: str = "") -> Link:
    return Link("", entity=measure.entity, filter=measures.condition(measure, period))


def _stages(ctx: Context) -> list[dict[str, Any]]:
    wanted = records.ListRequest(
        {"field": "kind", "op": "eq", "value": "open"},
        sort=("pipeline_id", "position"), fields=("id", "name", "labels", "pipeline_id", "colour"), limit=MOST_STAGES,
        count=False,
    )  # fmt: skip
    return records.page(ctx, "crm.stage", wanted).items


def _stage_bar(stage: Mapping[str, Any], amount: Totals | None, several: bool, locale: str) -> Bar:
    name = (stage["labels"] or {}).get(locale) or stage["name"]
    label = f"{name} · {stage['pipeline_id']['label']}" if several else name
    link = Link("", entity="crm.opportunity", filter={"field": "stage_id", "op": "eq", "value": stage["id"]})
    if amount is None:
        return Bar(label, 0, "", stage["colour"] or "", link)
    return Bar(label, float(amount.total.amount), amount.total, stage["colour"] or "", link)


ALL: Final = (
    Widget(
        name="crm.sales", label="Sales at a glance", load=sales, policy="signed_in", icon="chart-line", order=5,
        width=3, late=True,
    ),
    Widget(
        name="crm.priority_of_the_day", label="Priority of the day", load=priority_of_the_day, policy="crm.lead.view",
        icon="flag", order=6, width=3, late=True,
    ),
    Widget(
        name="crm.pipeline", label="Pipeline", load=pipeline, policy="crm.opportunity.view", icon="filter", order=40,
        width=2, late=True,
    ),
    Widget(
        name="crm.leads", label="Leads by status", load=leads, policy="crm.lead.view", icon="target", order=50,
        late=True,
    ),
)  # fmt: skip
