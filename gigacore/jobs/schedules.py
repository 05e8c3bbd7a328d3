"""Schedules: rows that enqueue a job when their time has come; whoever moves `next_at` first enqueues it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.context import system_actor
from gigacore.errors import Invalid
from gigacore.ids import uuid7
from gigacore.jobs import queue
from gigacore.jobs.declare import Job, Schedule
from gigacore.jobs.tables import core_schedule
from gigacore.messages import msg

S: Final = core_schedule.c
SHORTEST: Final = 60
LONGEST: Final = 366 * 86_400


def next_time(cron: str | None, every: int | None, timezone: str, now: datetime) -> datetime:
    """The first moment after `now` that the crontab line, or the distance in seconds, names."""
    if every:
        return now + timedelta(seconds=every)
    from cronsim import CronSim  # schedules are due hourly at most; a start need not wait for it

    return next(CronSim(cron or "", now.astimezone(ZoneInfo(timezone))))


def check_times(cron: str | None, every: int | None, timezone: str, now: datetime) -> None:
    """Raise Invalid for times that no schedule can have."""
    if bool(cron) == bool(every):
        raise Invalid.of("cron", msg("Give either a distance in seconds or a crontab line."))
    if every and not SHORTEST <= every <= LONGEST:
        raise Invalid.of("every_seconds", msg("This must lie between a minute and a year."))
    try:
        ZoneInfo(timezone)
    except (ValueError, KeyError, OSError):
        raise Invalid.of("timezone", msg("There is no such time zone; one is written like Europe/Paris.")) from None
    from cronsim import CronSimError  # as in `next_time`

    try:
        next_time(cron, every, timezone, now)
    except (CronSimError, StopIteration):  # the latter for a day that never comes
        raise Invalid.of("cron", msg("This is no crontab line; one is written like 30 7 * * 1-5.")) from None


def sync(connection: sa.Connection, declared: Iterable[Schedule], plugins: Collection[str], now: datetime) -> None:
    """Adds newly declared schedules and drops those that their plugin declares no more; changed times stay."""
    wanted = {one.name: one for one in declared}
    present = set(connection.execute(sa.select(S.name)).scalars())
    gone = sa.and_(S.name.not_in(sorted(wanted)), S.plugin.in_(sorted(plugins)))
    connection.execute(sa.delete(core_schedule).where(gone))
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for name in sorted(set(wanted) - present):  # another process that starts just now may be first
        connection.execute(make(core_schedule).values(**row_of(wanted[name], now)).on_conflict_do_nothing())


def row_of(one: Schedule, now: datetime) -> dict[str, Any]:
    """The first values of a schedule's row."""
    seconds = int(one.every.total_seconds()) if one.every else None
    return {
        "uid": uuid7(),
        "name": one.name,
        "plugin": one.plugin,
        "job": one.job,
        "payload": dict(one.payload),
        "cron": one.cron or None,
        "every_seconds": seconds,
        "timezone": one.timezone,
        "enabled": True,
        "next_at": next_time(one.cron, seconds, one.timezone, now),
    }


def is_due(connection: sa.Connection, now: datetime) -> bool:
    """Whether any schedule's time has come."""
    return connection.execute(sa.select(S.id).where(S.enabled, S.next_at <= now).limit(1)).scalar() is not None


def tick(connection: sa.Connection, jobs: dict[str, Job], plugins: Collection[str], now: datetime) -> int:
    """Enqueues what is due, once however long nobody looked; returns how many jobs."""
    rows = connection.execute(
        sa.select(core_schedule).where(S.enabled, S.next_at <= now, S.plugin.in_(sorted(plugins)))
    )
    return sum(fire(connection, row, jobs.get(row.job), now) for row in rows.all())


def fire(connection: sa.Connection, row: sa.Row[Any], job: Job | None, now: datetime) -> bool:
    """Moves one schedule on and enqueues its job in the same transaction; False = another worker was first."""
    later = next_time(row.cron, row.every_seconds, row.timezone, now)
    moved = connection.execute(
        sa.update(core_schedule).where(S.id == row.id, S.next_at == row.next_at).values(next_at=later, last_at=now)
    )
    if moved.rowcount != 1:
        return False
    start(connection, row, job, now)
    return True


def start(connection: sa.Connection, row: sa.Row[Any], job: Job | None, now: datetime) -> int:
    """Enqueues a schedule's job as the system; gives its number, or that of the one that waits already."""
    actor = system_actor(f"schedule {row.name}")
    return queue.insert(
        connection,
        queue.blank_row(now)
        | {
            "name": row.job,
            "plugin": row.plugin,
            "payload": row.payload,
            "priority": job.priority if job else queue.DEFAULT_PRIORITY,
            "max_attempts": job.attempts if job else queue.DEFAULT_ATTEMPTS,
            "unique_key": f"schedule:{row.name}",
            "actor_kind": actor.kind,
            "actor_name": actor.name,
            "reason": actor.reason,
            "org_id": actor.org_id,
            "correlation_id": str(uuid7()),
        },
    )
