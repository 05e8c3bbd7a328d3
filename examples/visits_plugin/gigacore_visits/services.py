"""When the next visit is due, what pages show of it, and what people do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.data import settings
from gigacore.ui import Content, Fact, Facts, Link, Note, Rows
from gigacore_visits.models import CompanyVisits

if TYPE_CHECKING:
    from gigacore import Context
    from gigacore.entity import Entity

DEFAULT_DAYS: Final = 90
SHOWN: Final = 5


def _rhythm(ctx: Context, visits: CompanyVisits | None) -> timedelta:
    own = visits.visit_every if visits is not None else None
    return timedelta(days=own or int(settings.get(ctx, "visits.every", DEFAULT_DAYS)))


def _next_days(ctx: Context, company: Any) -> list[date]:
    visits = ctx.session.get(CompanyVisits, company.id)
    if visits is None or visits.last_visit is None:
        return []
    return [visits.last_visit + _rhythm(ctx, visits) * turn for turn in range(1, 4)]


def summary(ctx: Context, company: Entity) -> Sequence[Content]:
    """The panel: the last visit and the next."""
    days = _next_days(ctx, company)
    visits = ctx.session.get(CompanyVisits, company.id)
    if not days or visits is None:
        return [Note("Not visited yet")]
    return [Facts((Fact("Last visit", visits.last_visit), Fact("Next visit", days[0])))]


def upcoming(ctx: Context, company: Entity) -> Sequence[Content]:
    """The tab: the days of the next visits."""
    days = _next_days(ctx, company)
    return [Rows(("Next visit",), tuple((day,) for day in days))] if days else [Note("Not visited yet")]


def due(ctx: Context) -> Sequence[Content]:
    """The tile: companies whose visit is due by the common rhythm, longest ago first."""
    before = (ctx.now.date() - _rhythm(ctx, None)).isoformat()
    wanted = records.ListRequest(
        {"field": "visits.last_visit", "op": "le", "value": before},
        fields=("id", "name"), sort=("visits.last_visit",), limit=SHOWN, count=False,
    )  # fmt: skip
    found = records.page(ctx, "crm.company", wanted).items
    return [Link(item["name"], entity="crm.company", id=item["id"]) for item in found] or [Note("No visit is due")]


def log_visit(ctx: Context, company: Entity, params: Mapping[str, object]) -> None:
    """Keep the day of a visit."""
    records.update(ctx, "crm.company", company.id, {"visits": {"last_visit": str(params["day"])}})


def plan_visits(ctx: Context, ids: Sequence[int], params: Mapping[str, object]) -> None:
    """A task for each chosen company."""
    day = date.fromisoformat(str(params["day"]))
    due_at = datetime.combine(day, time(9), ctx.actor.zone).isoformat()
    for number in ids:
        records.create(ctx, "crm.task", {"title": "Visit", "company_id": number, "due_at": due_at})


def visited(ctx: Context) -> list[tuple[int, str, date | None]]:
    """Companies that were visited, the latest first."""
    wanted = records.ListRequest(
        {"field": "visits.last_visit", "op": "empty", "value": False},
        fields=("id", "name", "visits.last_visit"), sort=("-visits.last_visit",), limit=50, count=False,
    )  # fmt: skip
    found = records.page(ctx, "crm.company", wanted).items
    return [(item["id"], item["name"], item["visits"]["last_visit"]) for item in found]
