"""Running one claimed job: with whose rights, in which transaction, and what happens when it fails."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import sqlalchemy as sa

from gigacore.clock import Clock
from gigacore.context import Actor, Context, system_actor
from gigacore.errors import Forbidden, GigaError, Invalid, Misuse, NotFound, RateLimited, Unavailable, Unsure, worded
from gigacore.jobs import queue
from gigacore.jobs.declare import Job
from gigacore.jobs.queue import Claimed
from gigacore.jobs.tables import CANCELLED, core_job
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.data import Database

log: Final = logging.getLogger("gigacore.jobs")
P = TypeVar("P")
LONGEST: Final = timedelta(days=1)
PERMANENT = (Forbidden, Invalid, Misuse, NotFound, Unsure)


class Host(Protocol):
    """What jobs need of the composition root; handlers that run outside a transaction receive it."""

    @property
    def database(self) -> Database:
        """The engine and its units of work."""

    @property
    def clock(self) -> Clock:
        """The time."""

    def actor(self, user_id: int) -> Actor:
        """A person with the rights of this moment. Raises NotFound for who may not sign in."""

    def service(self, port: Callable[..., P], *needs: str, key: str = "") -> P | None:
        """What a plugin provides for a port of `gigacore.ports`, or None."""


class Retry(Exception):
    """Raised by a handler: not now, try again `after` this long; the attempt counts."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(f"again in {after}")
        self.after = after


class Cancelled(Exception):
    """Raised by `JobRun.checkpoint` when somebody cancelled the job."""


class Stopping(Exception):
    """Raised by `JobRun.between_steps` when the process is about to end: the job goes on elsewhere, or later."""


class Unknown(Exception):
    """This code does not know the job, or not the form of its payload: newer code may have enqueued it."""


class LeaseLost(Exception):
    """The lease ran out, so another worker may have the job: what this one did is rolled back."""


class JobRun:
    """A long job's view of itself: its own units of work, progress, log, and whether it should stop."""

    def __init__(self, host: Host, claimed: Claimed, actor: Actor, stopping: Event | None = None) -> None:
        self.host = host
        self.stopping = stopping
        self.claimed = claimed
        self.actor = actor
        self.lost = False

    @property
    def id(self) -> int:
        """The job's number."""
        return self.claimed.id

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.host.clock.now()

    def unit_of_work(self) -> AbstractContextManager[Context]:
        """One transaction with the job's actor and correlation id."""
        return self.host.database.unit_of_work(
            self.actor, correlation_id=self.claimed.correlation_id, source="job", depth=self.claimed.depth
        )

    def between_steps(self) -> None:
        """Called outside any transaction, before the next one: lets the worker stop without waiting for the whole job.

        Raises Stopping; the job waits again and the attempt does not count.
        """
        if self.stopping is not None and self.stopping.is_set():
            raise Stopping

    def checkpoint(self, ctx: Context, done: int, total: int | None = None) -> None:
        """Reports progress in the caller's transaction. Raises Cancelled or LeaseLost, which roll it back."""
        values: dict[str, Any] = {"progress_done": done} | ({} if total is None else {"progress_total": total})
        statement = sa.update(core_job).where(queue.held(self.claimed)).values(**values)
        asked = ctx.session.connection().execute(statement.returning(core_job.c.cancel_requested)).scalar()
        if asked is None or self.lost:
            raise LeaseLost
        if asked:
            raise Cancelled

    def log(self, ctx: Context, line: str) -> None:
        """Adds a line to the job's log, in the caller's transaction; the first 64 KB are kept."""
        log = sa.func.substr(core_job.c.log + f"{self.now:%H:%M:%S} {line}\n", 1, queue.LOG_LIMIT)
        ctx.session.connection().execute(sa.update(core_job).where(queue.held(self.claimed)).values(log=log))


def execute(run: JobRun, job: Job) -> None:
    """Runs the handler; a short job is marked done in the transaction that holds its effects."""
    if job.long:
        result = job.handler(run, run.claimed.payload)
        with run.host.database.begin() as connection:
            done(run, connection, result)
        return
    with run.unit_of_work() as ctx:
        result = job.handler(ctx, run.claimed.payload)
        ctx.session.flush()
        done(run, ctx.session.connection(), result)


def done(run: JobRun, connection: sa.Connection, result: object) -> None:
    """Ends the job, unless the lease is gone."""
    plain = result if isinstance(result, Mapping | list | str | int | float | bool) else None
    if not queue.finish(connection, run.claimed, run.now, plain):
        raise LeaseLost


def attempt(host: Host, claimed: Claimed, job: Job | None, watch: set[JobRun], stopping: Event | None = None) -> None:
    """Runs a claimed job to its end, whatever that is; `watch` holds it while its lease must be kept."""
    run, begun, outcome = None, time.monotonic(), "done"
    try:
        if job is None or claimed.version > job.version:
            raise Unknown
        run = JobRun(host, claimed, actor_of(host, claimed, job), stopping)
        watch.add(run)
        execute(run, job)
    except LeaseLost:
        outcome = "lease lost"
    except Unknown:
        outcome = "parked"
        why = "no enabled plugin declares this job" if job is None else f"payload version {claimed.version}"
        with host.database.begin() as connection:
            queue.lay_aside(connection, claimed, why)
    except Stopping:
        outcome = "given back"
        with host.database.begin() as connection:
            queue.give_back(connection, claimed, host.clock.now())
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the worker lives and the job is not lost
        outcome = type(error).__name__
        record_failure(host, claimed, job, error)
    finally:
        if run is not None:
            watch.discard(run)
        note(claimed, outcome, time.monotonic() - begun)


def note(claimed: Claimed, outcome: str, seconds: float) -> None:
    """One line of the log, with what leads back to the request; `fields` are for structured logs."""
    fields = {
        "job": claimed.name,
        "job_id": claimed.id,
        "attempt": claimed.attempts,
        "correlation_id": claimed.correlation_id,
        "actor_kind": claimed.actor_kind,
        "actor_id": claimed.actor_user_id,
        "outcome": outcome,
        "seconds": round(seconds, 4),
    }
    log.info("job %s %s: %s", claimed.id, claimed.name, outcome, extra={"fields": fields})


def attempt_together(host: Host, batch: Sequence[Claimed], job: Job, watch: set[JobRun]) -> None:
    """Runs short jobs of one transaction in one; if anything goes wrong, all of it is undone and each runs alone."""
    runs: list[JobRun] = []
    try:
        actor = actor_of(host, batch[0], job)
        runs = [JobRun(host, one, actor) for one in batch]
        watch.update(runs)
        with runs[0].unit_of_work() as ctx:
            for run in runs:
                result = job.handler(ctx, run.claimed.payload)
                ctx.session.flush()
                done(run, ctx.session.connection(), result)
    except Exception as error:  # noqa: BLE001 - what went wrong is found again, and noted, when each runs alone
        with host.database.begin() as connection:
            for one in batch:
                queue.fail(connection, one, host.clock.now(), f"with others: {error}", timedelta(0))
    finally:
        watch.difference_update(runs)


def record_failure(host: Host, claimed: Claimed, job: Job | None, error: Exception) -> None:
    """Retry, dead letter or cancelled."""
    now = host.clock.now()
    with host.database.begin() as connection:
        if isinstance(error, Cancelled):
            queue.close(connection, queue.held(claimed), CANCELLED, now, "cancelled")
        else:
            text = "".join(traceback.format_exception(error))
            told = worded(error) if isinstance(error, GigaError) else None
            queue.fail(connection, claimed, now, text, retry_delay(claimed, job, error), told)


def retry_delay(claimed: Claimed, job: Job | None, error: Exception) -> timedelta | None:
    """How long to wait before the next attempt; None where another one would fail in the same way."""
    if job is None or isinstance(error, PERMANENT):
        return None
    if isinstance(error, Retry):
        return error.after
    asked = timedelta(seconds=error.retry_after if isinstance(error, Unavailable | RateLimited) else 0)
    return min(max(job.delay(claimed.attempts), asked), LONGEST)


def actor_of(host: Host, claimed: Claimed, job: Job) -> Actor:
    """Who acts: the system with its reason, or the person with the rights of this moment. Raises Forbidden."""
    if job.system or claimed.actor_kind == "system":
        return system_actor(job.system or claimed.reason or claimed.name)
    if claimed.actor_user_id is None:
        raise Forbidden(msg("The job has no person on whose behalf it could run."))
    person = host.actor(claimed.actor_user_id)
    person = replace(person, scopes=claimed.actor_scopes, org_id=claimed.org_id)
    return person.automation(claimed.actor_name) if claimed.actor_kind == "automation" else person
