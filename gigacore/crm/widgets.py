"""What waits for a reader on the start page: tasks of today, open opportunities, the newest leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.messages import msg
from gigacore.ui import Content, Entries, Entry, Link, Widget

if TYPE_CHECKING:
    from gigacore.context import Context

SHOWN: Final = 6
SUBJECTS: Final = ("opportunity_id", "lead_id", "contact_id", "company_id")
MINE: Final = {"field": "owner_id", "op": "eq", "value": {"ref": "actor.id"}}


def _found(ctx: Context, entity: str, where: Mapping[str, Any] | None, *fields: str, sort: str) -> list[dict[str, Any]]:
    wanted = records.ListRequest(where, sort=(sort,), fields=("id", *fields), limit=SHOWN, count=False)
    return records.page(ctx, entity, wanted).items


def tasks_of_today(ctx: Context) -> Sequence[Content]:
    """The reader's open tasks that are due until the end of the day, the longest overdue first."""
    today = ctx.now.astimezone(ctx.actor.zone).date()
    night = datetime.combine(today + timedelta(days=1), time(), ctx.actor.zone)
    where = {
        "all": [
            MINE,
            {"field": "status.kind", "op": "eq", "value": "open"},
            {"field": "due_at", "op": "lt", "value": night.isoformat()},
        ]
    }
    found = _found(ctx, "crm.task", where, "title", "due_at", *SUBJECTS, sort="due_at")
    items = [_task(item, ctx) for item in found]
    return [Entries(tuple(items), msg("Nothing is due today."), Link("All tasks", entity="crm.task"))]


def _task(item: Mapping[str, Any], ctx: Context) -> Entry:
    """A task with the name of what it is about, as far as the reader may see that."""
    labels = (item[name]["label"] for name in SUBJECTS if item.get(name))
    about = next((label for label in labels if label and label not in item["title"]), "")
    due: datetime = item["due_at"]
    return Entry(item["title"], "crm.task", item["id"], due.astimezone(ctx.actor.zone).date(), due < ctx.now, about)


def open_opportunities(ctx: Context) -> Sequence[Content]:
    """The reader's open opportunities, those that should close first."""
    where = {"all": [MINE, {"field": "stage_id.kind", "op": "eq", "value": "open"}]}
    found = _found(ctx, "crm.opportunity", where, "title", "amount", sort="expected_close")
    items = [Entry(item["title"], "crm.opportunity", item["id"], item["amount"]) for item in found]
    return [Entries(tuple(items), msg("No open opportunity."), Link("All opportunities", entity="crm.opportunity"))]


def newest_leads(ctx: Context) -> Sequence[Content]:
    """The leads that came in last, whoever looks after them."""
    found = _found(ctx, "crm.lead", None, "name", "created_at", sort="-created_at")
    items = [Entry(item["name"], "crm.lead", item["id"], item["created_at"].date()) for item in found]
    return [Entries(tuple(items), msg("No lead yet."), Link("All leads", entity="crm.lead"))]


ALL: Final = (
    Widget(
        name="crm.tasks_of_today", label="My tasks for today", load=tasks_of_today, policy="crm.task.view",
        icon="checkbox", order=10,
    ),
    Widget(
        name="crm.open_opportunities", label="My open opportunities", load=open_opportunities,
        policy="crm.opportunity.view", icon="briefcase", order=20,
    ),
    Widget(
        name="crm.newest_leads", label="Newest leads", load=newest_leads, policy="crm.lead.view", icon="target",
        order=30,
    ),
)  # fmt: skip
