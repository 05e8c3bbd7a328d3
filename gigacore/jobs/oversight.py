"""What people see of the queue: their own jobs, or all with the right to the tool `core.job`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import access
from gigacore.errors import NotFound
from gigacore.jobs import queue
from gigacore.jobs.tables import DONE, core_job
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.job"
J: Final = core_job.c


@dataclass(frozen=True, slots=True)
class JobState:
    """One job as its person may see it; `error` is technical and for those who look after the queue."""

    id: int
    name: str
    state: str
    progress_done: int
    progress_total: int | None
    result: Any
    error: str | None
    log: str
    attempts: int
    run_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    actor_user_id: int | None
    actor_name: str


ROUTINE: Final = sa.and_(J.state == DONE, J.reason.startswith("schedule "))
"""Runs of schedules that went well: thousands a day of which nobody asks."""
COLUMNS: Final = tuple(J[name] for name in JobState.__slots__)


def get(ctx: Context, job_id: int, *, verb: str = "view") -> JobState:
    """A job of the actor's own, or any with the right. Raises NotFound."""
    row = ctx.session.connection().execute(sa.select(*COLUMNS).where(J.id == job_id)).one_or_none()
    if row is None:
        raise NotFound
    found = JobState(*row)
    if not is_own(ctx, found) and not may(ctx, verb):
        raise NotFound
    return found


def payload_of(ctx: Context, job_id: int) -> Mapping[str, Any]:
    """What a job was asked to do. Raises NotFound as `get`."""
    get(ctx, job_id)
    found: Mapping[str, Any] = ctx.session.connection().execute(sa.select(J.payload).where(J.id == job_id)).scalar_one()
    return found


def is_own(ctx: Context, job: JobState) -> bool:
    """Whether the actor enqueued the job."""
    return job.actor_user_id is not None and job.actor_user_id == ctx.actor.user_id


def may(ctx: Context, verb: str) -> bool:
    """Whether the actor looks after the queue."""
    return ctx.actor.is_system or access.may(ctx, verb, TOOL)


def listing(
    ctx: Context,
    *,
    everybody: bool = False,
    state: str | None = None,
    name: str | None = None,
    before: int | None = None,
    limit: int = 50,
    routine: bool = True,
) -> list[JobState]:
    """The actor's own jobs, newest first; `everybody` = all. Raises Forbidden without the right to see all.

    Without `routine`, runs of schedules that went well are left out.
    """
    where: list[sa.ColumnElement[bool]] = []
    if everybody:
        access.require(ctx, "view", TOOL)
    else:
        where.append(J.actor_user_id == ctx.actor.user_id)
    where += [J.state == state] if state else []
    where += [J.name == name] if name else []
    where += [J.id < before] if before else []
    where += [] if routine else [sa.not_(sa.func.coalesce(ROUTINE, sa.false()))]
    rows = ctx.session.connection().execute(sa.select(*COLUMNS).where(*where).order_by(J.id.desc()).limit(limit))
    return [JobState(*row) for row in rows]


def counts(ctx: Context) -> Mapping[str, int]:
    """How many jobs are in each state. Raises Forbidden without the right to see all."""
    access.require(ctx, "view", TOOL)
    rows = ctx.session.connection().execute(sa.select(J.state, sa.func.count()).group_by(J.state))
    return {row[0]: row[1] for row in rows}


def routine_runs(ctx: Context) -> int:
    """How many jobs are runs of schedules that went well. Raises Forbidden without the right to see all."""
    access.require(ctx, "view", TOOL)
    return int(ctx.session.connection().scalar(sa.select(sa.func.count()).where(ROUTINE)) or 0)


def names(ctx: Context) -> list[str]:
    """The names of the jobs that are kept, in order. Raises Forbidden without the right to see all."""
    access.require(ctx, "view", TOOL)
    return list(ctx.session.connection().scalars(sa.select(J.name).distinct().order_by(J.name)))


def cancel(ctx: Context, job_id: int) -> str:
    """Cancels a waiting job, or asks a running one to stop at its next step; returns the state. Raises NotFound."""
    get(ctx, job_id, verb="edit")
    return queue.cancel(ctx, job_id)


def retry(ctx: Context, job_id: int) -> None:
    """Gives a dead or cancelled job a fresh set of attempts. Raises NotFound when there is none such."""
    get(ctx, job_id, verb="edit")
    queue.retry(ctx, job_id)
