"""What the CRM tells people: work that others hand them, and tasks that are about to be due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from gigacore import notices
from gigacore.access.profiles import load_actor
from gigacore.crm.choosing import kind_of
from gigacore.crm.work import Remind, Task
from gigacore.crm.work_rules import DONE
from gigacore.errors import NotFound
from gigacore.jobs import Job, Schedule
from gigacore.messages import Msg, msg
from gigacore.notices import NotificationKind

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity

ASSIGNED: Final = NotificationKind("crm.assigned", msg("A record was handed to me").text, icon="user-check")
DUE: Final = NotificationKind("crm.task_due", msg("A task of mine is due soon").text, icon="alarm")
KINDS: Final = (ASSIGNED, DUE)
AHEAD: Final = {
    Remind.minutes_5: timedelta(minutes=5), Remind.minutes_15: timedelta(minutes=15),
    Remind.minutes_30: timedelta(minutes=30), Remind.hour_1: timedelta(hours=1), Remind.hours_2: timedelta(hours=2),
    Remind.day_1: timedelta(days=1),
}  # fmt: skip
DST: Final = timedelta(hours=1)
"""How much longer than 24 hours a day may be."""
LATE: Final = timedelta(days=1)
"""A reminder is still given this long after it should have been, when nothing ran in between."""


def owner_changed(ctx: Context, record: Entity) -> None:
    """Tell the person responsible that somebody handed them a record; a task may say not to."""
    owner = getattr(record, "owner_id", None)
    if owner in (None, ctx.actor.user_id) or ctx.source == "import" or not getattr(record, "inform", True):
        return
    entity = type(record).__giga__
    title = str(getattr(record, entity.title, "") or "")
    text = msg("{person} handed you: {kind} “{title}”", person=ctx.actor.name, kind=Msg(entity.label), title=title)
    if ctx.actor.is_system:
        text = msg("You are responsible for: {kind} “{title}”", kind=Msg(entity.label), title=title)
    key = f"{entity.name}:{record.id}:{record.version}"
    notices.notify(ctx, ASSIGNED.name, [owner], text, record=record, key=key, kinds=KINDS)


def remind(ctx: Context, payload: Mapping[str, Any]) -> int:
    """Remind people of open tasks whose reminder is due; each once for a due date. Gives how many."""
    told, zones = 0, dict[int, ZoneInfo]()
    task: Any = Task
    due = [
        (task.remind == name) & (task.due_at > ctx.now - LATE) & (task.due_at <= ctx.now + ahead + DST)
        for name, ahead in AHEAD.items()
    ]
    open_ones = select(Task).where(or_(*due), task.closed_at.is_(None)).order_by(task.due_at)
    for found in ctx.session.scalars(open_ones):
        owner = getattr(found, "owner_id", None)
        if owner is None or found.due_at is None or kind_of(ctx.session.registry, "task_status", found.status) == DONE:
            continue
        if owner not in zones:
            zones[owner] = _zone(ctx, owner)
        if reminder_at(found.due_at, found.remind, zones[owner]) > ctx.now:
            continue
        text = msg("Task “{title}” is due", title=found.title)
        key = f"crm.task:{found.id}:{found.due_at}"
        told += notices.notify(ctx, DUE.name, [owner], text, record=found, key=key, kinds=KINDS)
    return told


def reminder_at(due: datetime, remind: Remind, zone: ZoneInfo) -> datetime:
    """When to remind of what is due then: a day before means the same time of day, in the person's time zone."""
    if remind is Remind.day_1:
        return (due.astimezone(zone) - AHEAD[remind]).astimezone(UTC)
    return due - AHEAD[remind]


def _zone(ctx: Context, user_id: int) -> ZoneInfo:
    try:
        return ZoneInfo(load_actor(ctx.session.connection(), user_id).timezone)
    except NotFound:  # who cannot sign in is told nothing anyway
        return ZoneInfo("UTC")


REMIND: Final = Job("crm.remind", remind, label="Remind of tasks", system="reminders of tasks")
SCHEDULE: Final = Schedule("crm.remind", "crm.remind", every=timedelta(minutes=1))
