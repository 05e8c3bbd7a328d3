"""What those who look after the queue see and do: backlog and age, dead deliveries, schedules. Tool `core.job`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore import access
from gigacore.data import audit
from gigacore.data.tables import core_delivery, core_outbox
from gigacore.errors import NotFound
from gigacore.jobs import relay, schedules
from gigacore.jobs.declare import Job
from gigacore.jobs.oversight import TOOL
from gigacore.jobs.tables import QUEUED, core_job, core_schedule
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

D: Final = core_delivery.c
S: Final = core_schedule.c
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one consumer of events has before it; `oldest` is the moment of the oldest event that waits."""

    consumer: str
    waiting: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """An event that a consumer could not take in, after its last attempt; `error` is technical."""

    event_id: UUID
    consumer: str
    event: str
    entity: str
    record_id: int | None
    at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A schedule as it stands; `every_seconds` or `cron` says when."""

    id: int
    name: str
    plugin: str
    job: str
    cron: str | None
    every_seconds: int | None
    timezone: str
    enabled: bool
    next_at: datetime
    last_at: datetime | None


SCHEDULE_COLUMNS: Final = tuple(S[name] for name in ScheduleState.__slots__)


def oldest_job(ctx: Context) -> datetime | None:
    """Since when the oldest job that is due waits; None = none waits. Raises Forbidden."""
    access.require(ctx, "view", TOOL)
    j = core_job.c
    query = sa.select(sa.func.min(j.run_at)).where(j.state == QUEUED, j.run_at <= ctx.now)
    found: datetime | None = ctx.session.connection().scalar(query)
    return found


def backlogs(ctx: Context) -> list[Backlog]:
    """Every consumer that has events waiting or dead, by name. One statement. Raises Forbidden."""
    access.require(ctx, "view", TOOL)
    open_ = ("new", "running", "parked")
    waits = D.state.in_(open_)
    query = (
        sa.select(
            D.consumer,
            sa.func.count(sa.case((waits, 1))),
            sa.func.count(sa.case((D.state == "dead", 1))),
            sa.func.min(sa.case((waits, core_outbox.c.at)), type_=core_outbox.c.at.type),
        )
        .join(core_outbox, core_outbox.c.id == D.event_id)
        .where(D.state.in_((*open_, "dead")))
        .group_by(D.consumer)
        .order_by(D.consumer)
    )
    return [Backlog(*row) for row in ctx.session.connection().execute(query)]


def dead_deliveries(ctx: Context, limit: int = 50) -> list[DeadDelivery]:
    """Deliveries that were given up, newest event first, at most 200. Raises Forbidden."""
    access.require(ctx, "view", TOOL)
    o = core_outbox.c
    query = (
        sa.select(
            D.event_id, D.consumer, o.name, o.entity, o.record_id, o.at, D.attempts, sa.func.coalesce(D.error, "")
        )
        .join(core_outbox, o.id == D.event_id)
        .where(D.state == "dead")
        .order_by(D.event_id.desc(), D.consumer)
        .limit(min(limit, MOST))
    )
    return [DeadDelivery(*row) for row in ctx.session.connection().execute(query)]


def replay(ctx: Context, event_id: UUID, consumer: str) -> None:
    """Give a dead delivery a fresh set of attempts. Raises NotFound when there is none such, Forbidden."""
    access.require(ctx, "edit", TOOL)
    if not relay.replay(ctx, event_id, consumer):
        raise NotFound
    audit.record(ctx, TOOL, "replayed", values={"event": str(event_id), "consumer": consumer})


def replay_all(ctx: Context, consumer: str) -> int:
    """Give every dead delivery of a consumer a fresh set of attempts; returns how many. Raises Forbidden."""
    access.require(ctx, "edit", TOOL)
    count = relay.replay_all(ctx, consumer)
    audit.record(ctx, TOOL, "replayed", values={"count": count, "consumer": consumer})
    return count


def schedule_listing(ctx: Context) -> list[ScheduleState]:
    """All schedules, by name. Raises Forbidden."""
    access.require(ctx, "view", TOOL)
    rows = ctx.session.connection().execute(sa.select(*SCHEDULE_COLUMNS).order_by(S.name))
    return [ScheduleState(*row) for row in rows]


def switch_schedule(ctx: Context, schedule_id: int, *, enabled: bool) -> None:
    """Switch a schedule on or off; what was missed while it was off is not caught up. Raises NotFound, Forbidden."""
    row = _schedule(ctx, schedule_id)
    values: dict[str, Any] = {"enabled": enabled}
    if enabled:
        values["next_at"] = schedules.next_time(row.cron, row.every_seconds, row.timezone, ctx.now)
    ctx.session.connection().execute(sa.update(core_schedule).where(S.id == schedule_id).values(**values))
    verb = "schedule_on" if enabled else "schedule_off"
    audit.record(ctx, TOOL, verb, record_id=schedule_id, values={"name": row.name})


def change_schedule(
    ctx: Context, schedule_id: int, *, every_seconds: int | None = None, cron: str | None = None, timezone: str = "UTC"
) -> None:
    """Let a schedule run every so many seconds, or by a crontab line in a time zone. It stays so after upgrades.

    Raises Invalid (`every_seconds` below a minute or above a year, `cron`, `timezone`), NotFound, Forbidden.
    """
    row = _schedule(ctx, schedule_id)
    schedules.check_times(cron, every_seconds, timezone, ctx.now)
    times = {"every_seconds": every_seconds, "cron": cron, "timezone": timezone}
    values = times | {"next_at": schedules.next_time(cron, every_seconds, timezone, ctx.now)}
    ctx.session.connection().execute(sa.update(core_schedule).where(S.id == schedule_id).values(**values))
    told = {"name": row.name, "times": [{name: getattr(row, name) for name in times}, times]}
    audit.record(ctx, TOOL, "schedule_changed", record_id=schedule_id, values=told)


def run_schedule(ctx: Context, schedule_id: int, jobs: Mapping[str, Job], plugins: Collection[str]) -> int:
    """Enqueue a schedule's job at once, as the schedule itself would; gives the job's number.

    Its next time stays. Raises NotFound (also while its plugin is off), Forbidden.
    """
    row = _schedule(ctx, schedule_id)
    if row.plugin not in plugins:
        raise NotFound
    connection = ctx.session.connection()
    number = schedules.start(connection, row, jobs.get(row.job), ctx.now)
    connection.execute(sa.update(core_schedule).where(S.id == schedule_id).values(last_at=ctx.now))
    audit.record(ctx, TOOL, "schedule_run", record_id=schedule_id, values={"name": row.name})
    return number


def _schedule(ctx: Context, schedule_id: int) -> sa.Row[Any]:
    access.require(ctx, "edit", TOOL)
    rows: Sequence[sa.Row[Any]] = (
        ctx.session.connection().execute(sa.select(core_schedule).where(S.id == schedule_id)).all()
    )
    if not rows:
        raise NotFound
    return rows[0]
