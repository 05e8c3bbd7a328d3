"""The queue's statements: enqueue, claim, extend, finish, fail, cancel, park. Each works on the caller's connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from gigacore.errors import Misuse, NotFound
from gigacore.ids import uuid7
from gigacore.jobs.declare import JOB_NAME, NOTHING, Job, Payload
from gigacore.jobs.tables import CANCELLED, DEAD, DONE, PARKED, QUEUED, RUNNING, core_job
from gigacore.messages import Msg, msg, packed
from gigacore.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import ReturningUpdate

    from gigacore.context import Context

PAYLOAD_LIMIT: Final = 256 * 1024
LOG_LIMIT: Final = 64 * 1024
ERROR_LIMIT: Final = 8 * 1024
LONGEST_LEASE: Final = timedelta(minutes=10)
VERSION_KEY: Final = "payload version"
DEFAULT_ATTEMPTS: Final = 5
DEFAULT_PRIORITY: Final = 5
J: Final = core_job.c


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds until `lease_until`; `token` proves it."""

    id: int
    name: str
    plugin: str
    payload: Payload
    token: str
    attempts: int
    max_attempts: int
    serial_key: str | None
    actor_kind: str
    actor_user_id: int | None
    actor_name: str
    actor_scopes: tuple[str, ...] | None
    reason: str
    org_id: int
    correlation_id: str
    depth: int

    @property
    def version(self) -> int:
        """Which form the payload has: 1 unless its job declared another when it was enqueued."""
        return int(self.payload.get(VERSION_KEY, 1))


def enqueue(
    ctx: Context,
    job: str | Job,
    payload: Mapping[str, Any] = NOTHING,
    *,
    unique_key: str | None = None,
    serial_key: str | None = None,
    run_at: datetime | None = None,
    system: str = "",
) -> int:
    """Puts a job into the caller's transaction and returns its number: it exists exactly when that commits.

    Of jobs with the same `unique_key` only one waits; a running one does not count, for it may have read too early.
    Jobs of one `serial_key` run one after the other, in their order. `system` = run without limits, for this reason;
    otherwise with the rights that the actor has when it runs. Raises Misuse for a malformed name or payload.
    """
    row = new_row(ctx, job, payload) | {"unique_key": unique_key, "serial_key": serial_key}
    row |= {"run_at": run_at} if run_at else {}
    row |= {"actor_kind": "system", "reason": system} if system else {}
    return insert(ctx.session.connection(), row)


def new_row(ctx: Context, job: str | Job, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a job that `ctx` asks for."""
    name = job.name if isinstance(job, Job) else job
    if isinstance(job, Job) and job.version > 1:
        payload = {**payload, VERSION_KEY: job.version}
    if not JOB_NAME.fullmatch(name):
        raise Misuse(msg("“{name}” is no name of a job; it must look like plugin.verb.", name=name))
    if len(orjson.dumps(dict(payload))) > PAYLOAD_LIMIT:
        raise Misuse(msg("The payload of job {name} is too large; pass ids instead.", name=name))
    actor = ctx.actor
    return blank_row(ctx.now) | {
        "name": name,
        "plugin": job.plugin if isinstance(job, Job) else name.split(".", 1)[0],
        "payload": dict(payload),
        "priority": job.priority if isinstance(job, Job) else DEFAULT_PRIORITY,
        "max_attempts": job.attempts if isinstance(job, Job) else DEFAULT_ATTEMPTS,
        "actor_kind": actor.kind,
        "actor_user_id": actor.user_id,
        "actor_name": actor.name,
        "actor_scopes": list(actor.scopes) if actor.scopes is not None else None,
        "reason": actor.reason,
        "org_id": actor.org_id,
        "correlation_id": ctx.correlation_id,
        "depth": ctx.depth,
    }


def blank_row(now: datetime) -> dict[str, Any]:
    """The columns of every new job."""
    return {
        "state": QUEUED,
        "run_at": now,
        "created_at": now,
        "attempts": 0,
        "progress_done": 0,
        "cancel_requested": False,
        "log": "",
        "depth": 0,
    }


def insert(connection: sa.Connection, row: Mapping[str, Any]) -> int:
    """Inserts a job, or finds the one that waits with the same unique key and keeps it from starting until commit."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(core_job).values(**row).on_conflict_do_nothing().returning(J.id)
    waiting = sa.select(J.id).where(J.unique_key == row.get("unique_key"), J.state.in_((QUEUED, PARKED)))
    while True:
        if (new := connection.execute(statement).scalar()) is not None:
            return int(new)
        # FOR SHARE: whoever claims it meanwhile would read the data as it was before this transaction.
        if (old := connection.execute(waiting.with_for_update(read=True)).scalar()) is not None:
            return int(old)


def due(
    connection: sa.Connection,
    now: datetime,
    plugins: Collection[str],
    *,
    only: int | None = None,
    besides: Collection[str] = (),
    limit: int = 1,
) -> list[int]:
    """The numbers of the jobs to run next: not before their time, and not past an earlier one of the same serial key.

    `only` = this one, if it is due; `besides` = none of these names.
    """
    statement = DUE if only is None else DUE_ONLY
    return list(connection.scalars(statement, _wanted(now, plugins, only, besides, limit)))


def _wanted(
    now: datetime, plugins: Collection[str], only: int | None, besides: Collection[str], limit: int
) -> dict[str, Any]:
    found = {"due_at": now, "due_plugins": sorted(plugins), "due_besides": sorted(besides) or [""], "due_most": limit}
    return found if only is None else found | {"due_only": only}


def _has_come(now: sa.ColumnElement[datetime] | datetime) -> sa.ColumnElement[bool]:
    """True for a job whose time has come, or that was to run at once when the clock was ahead of `now`."""
    return sa.or_(J.run_at <= now, J.run_at == J.created_at)


def _due() -> sa.Select[Any]:
    other = core_job.alias("other")
    blocked = sa.exists().where(
        other.c.serial_key == J.serial_key,
        sa.or_(other.c.state == RUNNING, sa.and_(other.c.state == QUEUED, other.c.id < J.id)),
    )
    return (
        sa.select(J.id)
        .where(J.state == QUEUED, _has_come(sa.bindparam("due_at", type_=J.run_at.type)))
        .where(J.plugin.in_(sa.bindparam("due_plugins", expanding=True)))
        .where(J.name.not_in(sa.bindparam("due_besides", expanding=True)))
        .where(sa.or_(J.serial_key.is_(None), ~blocked))
        .order_by(J.priority, J.run_at, J.id)
        .limit(sa.bindparam("due_most", type_=sa.Integer()))
    )


CLAIMED_COLUMNS: Final = tuple(name for name in Claimed.__slots__ if name != "token")
# Made once: each job asks them twice, and making them takes longer than asking.
DUE: Final = _due()
DUE_ONLY: Final = DUE.where(J.id == sa.bindparam("due_only"))


def _taking(chosen: sa.Select[Any]) -> ReturningUpdate[Any]:
    return (
        sa.update(core_job)
        .where(J.id == chosen.with_for_update(skip_locked=True).scalar_subquery(), J.state == QUEUED)
        .values(
            state=RUNNING, attempts=J.attempts + 1, worker=sa.bindparam("taken_by"),
            lease_until=sa.bindparam("taken_until"), started_at=sa.bindparam("due_at"),
        )
        .returning(*[J[name] for name in CLAIMED_COLUMNS])
    )  # fmt: skip


TAKE: Final = _taking(DUE)
TAKE_ONLY: Final = _taking(DUE_ONLY)


def claim(
    connection: sa.Connection,
    now: datetime,
    lease: timedelta,
    plugins: Collection[str],
    worker: str,
    only: int | None = None,
    besides: Collection[str] = (),
) -> Claimed | None:
    """Takes the next job, or the one numbered `only`, counting the attempt before it runs. None: there is none."""
    token = f"{worker}/{uuid7()}"
    wanted = _wanted(now, plugins, only, besides, 1) | {"taken_by": token, "taken_until": now + lease}
    try:
        with connection.begin_nested():
            row = connection.execute(TAKE if only is None else TAKE_ONLY, wanted).one_or_none()
    except IntegrityError:  # another worker took one of the same serial key at the same moment
        return None
    return None if row is None else claimed(row, token)


def claim_alike(
    connection: sa.Connection, first: Claimed, now: datetime, lease: timedelta, limit: int
) -> list[Claimed]:
    """Takes further jobs that came from the same transaction as `first`, to be run in one with it.

    Only jobs that were never tried: one that fails, or kills its worker, runs by itself from then on.
    """
    if limit < 1 or first.attempts != 1 or first.max_attempts < 2 or first.serial_key or first.actor_scopes is not None:
        return []
    same = [J[name].is_not_distinct_from(getattr(first, name)) for name in ALIKE]
    fresh = [J.state == QUEUED, J.attempts == 0, _has_come(now), J.serial_key.is_(None), J.actor_scopes.is_(None)]
    chosen = sa.select(J.id).where(*fresh, *same).order_by(J.id).limit(limit).with_for_update(skip_locked=True)
    statement = (
        sa.update(core_job)
        .where(J.id.in_(chosen), J.state == QUEUED)
        .values(state=RUNNING, attempts=1, worker=first.token, lease_until=now + lease, started_at=now)
        .returning(*[J[name] for name in CLAIMED_COLUMNS])
    )
    found = [claimed(row, first.token) for row in connection.execute(statement)]
    return sorted(found, key=lambda one: one.id)


ALIKE: Final = (
    "name",
    "max_attempts",
    "actor_kind",
    "actor_user_id",
    "actor_name",
    "reason",
    "org_id",
    "correlation_id",
    "depth",
)


def claimed(row: sa.Row[Any], token: str) -> Claimed:
    """The claimed row as a value."""
    values = dict(zip(CLAIMED_COLUMNS, row, strict=True))
    scopes = values.pop("actor_scopes")
    return Claimed(**values, token=token, actor_scopes=None if scopes is None else tuple(scopes))


def held(job: Claimed) -> sa.ColumnElement[bool]:
    """True while the job still belongs to the worker that claimed it."""
    return sa.and_(J.id == job.id, J.state == RUNNING, J.worker == job.token)


def extend(connection: sa.Connection, job: Claimed, until: datetime) -> bool:
    """Lengthens the lease. False = it was lost to another worker."""
    return connection.execute(sa.update(core_job).where(held(job)).values(lease_until=until)).rowcount == 1


def finish(connection: sa.Connection, job: Claimed, now: datetime, result: object) -> bool:
    """Marks a job done. False = the lease was lost: whoever holds it now runs it again."""
    values = {"state": DONE, "finished_at": now, "result": result, "error": None, "lease_until": None}
    return connection.execute(sa.update(core_job).where(held(job)).values(**values)).rowcount == 1


def fail(
    connection: sa.Connection,
    job: Claimed,
    now: datetime,
    error: str,
    retry_in: timedelta | None,
    told: Msg | None = None,
) -> None:
    """Puts a failed job back for `retry_in` later; None = it is a dead letter, whose result is the reason `told`."""
    if retry_in is None or job.attempts >= job.max_attempts:
        result = {"reason": packed(told)} if told is not None else None
        connection.execute(sa.update(core_job).where(held(job)).values(result=result))
        close(connection, held(job), DEAD, now, error)
    else:
        requeue(connection, held(job), now + retry_in, now, error)


def give_back(connection: sa.Connection, job: Claimed, now: datetime) -> None:
    """Lets a job wait again as if it had not been tried."""
    connection.execute(sa.update(core_job).where(held(job)).values(attempts=J.attempts - 1))
    requeue(connection, held(job), now, now, None)


def lay_aside(connection: sa.Connection, job: Claimed, why: str) -> None:
    """Parks a job that this code cannot run, untried; the next start of a worker takes it up again."""
    values = {"state": PARKED, "attempts": J.attempts - 1, "lease_until": None, "worker": None, "error": why}
    connection.execute(sa.update(core_job).where(held(job)).values(**values))


def close(connection: sa.Connection, where: sa.ColumnElement[bool], state: str, now: datetime, error: str) -> None:
    """Ends a job without a result."""
    values = {"state": state, "finished_at": now, "error": error[-ERROR_LIMIT:], "lease_until": None}
    connection.execute(sa.update(core_job).where(where).values(**values))


def requeue(
    connection: sa.Connection, where: sa.ColumnElement[bool], run_at: datetime, now: datetime, error: str | None
) -> None:
    """Lets a running job wait again; one with a unique key gives way to a younger one that waits already."""
    values = {"state": QUEUED, "run_at": run_at, "lease_until": None, "worker": None}
    values |= {} if error is None else {"error": error[-ERROR_LIMIT:]}
    try:
        with connection.begin_nested():
            connection.execute(sa.update(core_job).where(where).values(**values))
    except IntegrityError:
        close(connection, where, CANCELLED, now, error or "replaced by a later job of the same unique key")


def run_out(lease: sa.ColumnElement[datetime | None], now: datetime) -> sa.ColumnElement[bool]:
    """True for a lease that is over, or so long that the clock was set back since it was given."""
    return sa.or_(lease < now, lease > now + LONGEST_LEASE)


def has_expired(connection: sa.Connection, now: datetime) -> bool:
    """Whether a worker died with a job in hand."""
    query = sa.select(J.id).where(J.state == RUNNING, run_out(J.lease_until, now)).limit(1)
    return connection.execute(query).first() is not None


def sweep(connection: sa.Connection, now: datetime) -> int:
    """Frees the jobs of workers that died: another try, or a dead letter after the last. Returns how many."""
    expired = sa.and_(J.state == RUNNING, run_out(J.lease_until, now))
    rows = connection.execute(
        sa.select(J.id, J.attempts, J.max_attempts).where(expired).with_for_update(skip_locked=True)
    ).all()
    for job_id, attempts, limit in rows:
        where = sa.and_(J.id == job_id, expired)
        if attempts >= limit:
            close(connection, where, DEAD, now, "the worker died while it ran this job")
        else:
            requeue(connection, where, now, now, "the worker died while it ran this job")
    return len(rows)


def park(connection: sa.Connection, plugins: Collection[str]) -> None:
    """Lays aside what belongs to plugins that do not run, and takes up what belongs to those that do again."""
    unknown = J.plugin.not_in(sorted(plugins))
    connection.execute(sa.update(core_job).where(J.state == QUEUED, unknown).values(state=PARKED))
    take_up(connection, plugins)


def take_up(connection: sa.Connection, plugins: Collection[str]) -> None:
    """Lets jobs of these plugins that were laid aside wait for a worker again."""
    known = J.plugin.in_(sorted(plugins))
    connection.execute(sa.update(core_job).where(J.state == PARKED, known).values(state=QUEUED))


def cancel(ctx: Context, job_id: int) -> str:
    """Cancels a waiting job, or asks a running one to stop at its next step; whose it is, the caller has checked."""
    connection = ctx.session.connection()
    state = connection.execute(sa.select(J.state).where(J.id == job_id).with_for_update()).scalar()
    if state is None:
        raise NotFound
    if state in (QUEUED, PARKED):
        close(connection, J.id == job_id, CANCELLED, ctx.now, "cancelled")
        return CANCELLED
    connection.execute(sa.update(core_job).where(J.id == job_id).values(cancel_requested=True))
    return str(state)


def retry(ctx: Context, job_id: int) -> None:
    """Gives a dead or cancelled job a fresh set of attempts. Raises NotFound when there is none such."""
    connection = ctx.session.connection()
    where = sa.and_(J.id == job_id, J.state.in_((DEAD, CANCELLED)))
    if connection.execute(sa.select(J.id).where(where)).scalar() is None:
        raise NotFound
    connection.execute(
        sa.update(core_job).where(where).values(attempts=0, finished_at=None, cancel_requested=False, error=None)
    )
    requeue(connection, where, ctx.now, ctx.now, None)


def purge(connection: sa.Connection, before: datetime) -> int:
    """Forgets jobs that ended well, or were cancelled, before that moment; dead letters stay."""
    ended = sa.and_(J.state.in_((DONE, CANCELLED)), J.finished_at < before)
    return connection.execute(sa.delete(core_job).where(ended)).rowcount
