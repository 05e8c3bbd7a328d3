"""Delivers committed events to their consumers: claim, handle and mark done in one transaction; retry, dead letter."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import groupby
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from gigacore.context import Context, system_actor
from gigacore.data.tables import core_delivery, core_outbox
from gigacore.ids import uuid7
from gigacore.jobs.declare import Consumer
from gigacore.jobs.queue import ERROR_LIMIT, run_out
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.jobs.run import Host

D: Final = core_delivery.c
BATCH: Final = 50
# About 75 hours in ten attempts, as Standard Webhooks 1.0 recommends.
RETRY_SECONDS: Final = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)


@dataclass(frozen=True, slots=True)
class Event:
    """One committed change: what happened to which record, by whom; values are read from the record or the audit."""

    id: UUID
    at: datetime
    name: str
    entity: str
    record_id: int | None
    record_uid: UUID | None
    version: int | None
    fields: tuple[str, ...]
    audit_id: UUID
    correlation_id: str
    depth: int
    actor_kind: str
    actor_id: int | None
    actor_name: str


@dataclass(frozen=True, slots=True)
class Held:
    """One delivery that this worker holds."""

    event: Event
    consumer: str
    attempts: int
    token: str


EVENT_COLUMNS: Final = tuple(core_outbox.c[name] for name in Event.__slots__)


def waits(now: datetime) -> sa.ColumnElement[bool]:
    """True for a delivery that may be made: its time has come, it was never tried, or its worker died."""
    fresh = sa.and_(D.state == "new", sa.or_(D.next_at <= now, D.attempts == 0))
    return sa.or_(fresh, sa.and_(D.state == "running", run_out(D.lease_until, now)))


def due(now: datetime, consumer: Consumer) -> sa.ColumnElement[bool]:
    """True for a delivery of this consumer whose turn it is."""
    mine = sa.and_(D.consumer == consumer.name, waits(now))
    if not consumer.ordered:
        return mine
    other = core_delivery.alias("other")
    earlier = sa.exists().where(
        other.c.consumer == D.consumer,
        other.c.record_key == D.record_key,
        other.c.state.in_(("new", "running")),
        other.c.event_id < D.event_id,
    )
    return sa.and_(mine, ~earlier)


def waiting_consumers(connection: sa.Connection, now: datetime, known: Sequence[str]) -> list[str]:
    """The consumers that have something to do."""
    found = connection.execute(sa.select(D.consumer).where(waits(now), D.consumer.in_(known)).distinct())
    return sorted(found.scalars())


def claim(connection: sa.Connection, now: datetime, lease: timedelta, consumer: Consumer) -> list[Held]:
    """Takes up to `BATCH` deliveries of one consumer, oldest first, counting the attempt before it is made."""
    chosen = sa.select(D.event_id).where(due(now, consumer)).order_by(D.event_id).limit(BATCH)
    token = str(uuid7())
    statement = (
        sa.update(core_delivery)
        .where(D.consumer == consumer.name, D.event_id.in_(chosen.with_for_update(skip_locked=True)))
        .values(state="running", attempts=D.attempts + 1, lease=token, lease_until=now + lease)
        .returning(D.event_id, D.attempts)
    )
    attempts = {row[0]: row[1] for row in connection.execute(statement)}
    if not attempts:
        return []
    rows = connection.execute(
        sa.select(*EVENT_COLUMNS).where(core_outbox.c.id.in_(attempts)).order_by(core_outbox.c.id)
    )
    return [Held(event_of(row), consumer.name, attempts[row[0]], token) for row in rows]


def event_of(row: Sequence[Any]) -> Event:
    """The event of an outbox row."""
    values = dict(zip(Event.__slots__, row, strict=True))
    return Event(**values | {"fields": tuple(orjson.loads(values["fields"]))})


def mine(held: Held) -> sa.ColumnElement[bool]:
    """True while the delivery still belongs to the worker that claimed it."""
    return sa.and_(
        D.event_id == held.event.id, D.consumer == held.consumer, D.lease == held.token, D.state == "running"
    )


def deliver(host: Host, consumer: Consumer, held: Held) -> None:
    """Hands one event over; what the consumer writes commits together with the mark that it is done."""
    try:
        if consumer.long:
            consumer.handle(host, held.event)
            with host.database.begin() as connection:
                mark_done(connection, held, host.clock.now())
            return
        with unit_of_work(host, consumer, held.event) as ctx:
            consumer.handle(ctx, held.event)
            ctx.session.flush()
            mark_done(ctx.session.connection(), held, ctx.now)
    except LostDelivery:
        return
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the relay lives and the event is not lost
        record_failure(host, consumer, held, error)


def deliver_together(host: Host, consumer: Consumer, batch: Sequence[Held]) -> bool:
    """Hands over events of one transaction in one transaction; False = nothing was done, try them one by one.

    An import makes hundreds of events at once: a commit for each would cost more than what consumers do.
    """
    if consumer.long or len(batch) < 2:
        return False
    try:
        with unit_of_work(host, consumer, batch[0].event) as ctx:
            for held in batch:
                consumer.handle(ctx, held.event)
                ctx.session.flush()
                mark_done(ctx.session.connection(), held, ctx.now)
    except Exception:  # noqa: BLE001 - it is found again, and noted, when the events are delivered one by one
        return False
    return True


def together(batch: Sequence[Held]) -> list[list[Held]]:
    """The deliveries in runs of the same correlation and depth, in their order."""
    runs = groupby(batch, key=lambda held: (held.event.correlation_id, held.event.depth))
    return [list(run) for _, run in runs]


def unit_of_work(host: Host, consumer: Consumer, event: Event) -> AbstractContextManager[Context]:
    """The consumer's transaction, one step deeper than the event so that loops of events end."""
    actor = system_actor(f"event consumer {consumer.name}")
    return host.database.unit_of_work(actor, correlation_id=event.correlation_id, source="event", depth=event.depth + 1)


class LostDelivery(Exception):
    """The lease ran out, so another worker may have the delivery: what this one did is rolled back."""


def mark_done(connection: sa.Connection, held: Held, now: datetime) -> None:
    """Marks a delivery done. Raises LostDelivery."""
    values: Mapping[str, Any] = {"state": "done", "done_at": now, "lease_until": None, "error": None}
    if connection.execute(sa.update(core_delivery).where(mine(held)).values(**values)).rowcount != 1:
        raise LostDelivery


def record_failure(host: Host, consumer: Consumer, held: Held, error: Exception) -> None:
    """Another attempt later, with jitter, or a dead letter."""
    now = host.clock.now()
    values: dict[str, Any] = {"error": "".join(traceback.format_exception(error))[-ERROR_LIMIT:], "lease_until": None}
    if held.attempts >= consumer.attempts:
        values |= {"state": "dead"}
    else:
        values |= {"state": "new", "next_at": now + retry_after(held.attempts)}
    with host.database.begin() as connection:
        connection.execute(sa.update(core_delivery).where(mine(held)).values(**values))


def retry_after(attempts: int) -> timedelta:
    """The pause after that many attempts, up to a fifth longer so that many failures do not return together."""
    seconds = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    return timedelta(seconds=seconds * (1 + SystemRandom().random() / 5))


def release(host: Host, held: Sequence[Held]) -> None:
    """Gives claimed deliveries back untried; a worker that stops does so."""
    with host.database.begin() as connection:
        for one in held:
            values = {"state": "new", "attempts": one.attempts - 1, "lease_until": None}
            connection.execute(sa.update(core_delivery).where(mine(one)).values(**values))


def replay(ctx: Context, event_id: UUID, consumer: str) -> bool:
    """Gives a dead delivery a fresh set of attempts. False when there is none."""
    where = sa.and_(D.event_id == event_id, D.consumer == consumer, D.state == "dead")
    return bool(_again(ctx, where))


def replay_all(ctx: Context, consumer: str) -> int:
    """Gives all dead deliveries of a consumer a fresh set of attempts; returns how many."""
    return _again(ctx, sa.and_(D.consumer == consumer, D.state == "dead"))


def _again(ctx: Context, where: sa.ColumnElement[bool]) -> int:
    values = {"state": "new", "attempts": 0, "next_at": ctx.now, "error": None}
    return ctx.session.connection().execute(sa.update(core_delivery).where(where).values(**values)).rowcount


def purge(connection: sa.Connection, before: datetime) -> int:
    """Forgets events from before that moment that nobody waits for any more; their deliveries go with them."""
    open_delivery = sa.exists().where(D.event_id == core_outbox.c.id, D.state.in_(("new", "running", "dead")))
    old = sa.delete(core_outbox).where(core_outbox.c.at < before, ~open_delivery)
    return connection.execute(old).rowcount
