"""Deliveries of web hooks: every attempt to tell those who subscribed to an event.

An event becomes one delivery per subscription in the transaction that marks it as consumed. A delivery is tried ten
times over about three days (Standard Webhooks 1.0), with the same id and body each time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore import access, notices, outbound, records
from gigacore.access.profiles import load_actor
from gigacore.entity.kinds import iso
from gigacore.errors import Conflict, GigaError, NotFound
from gigacore.ids import uuid7
from gigacore.jobs import queue
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from gigacore.webhooks import pacing, signing, subscriptions
from gigacore.webhooks.subscriptions import CALLED, HOOK, PURPOSE, TOOL, H, Hook
from gigacore.webhooks.tables import DEAD, DONE, SKIPPED, WAITING, core_hook, core_hook_delivery

if TYPE_CHECKING:
    from gigacore.access.vault import Vault
    from gigacore.context import Context
    from gigacore.jobs import Event, JobRun
    from gigacore.outbound import OutboundRule

JOB: Final = "core.send_hook"
SECONDS: Final = 20.0
READ: Final = 64 * 1024
GONE: Final = msg("the receiver answered 410 Gone")
FAILING: Final = msg("ten attempts over three days failed")
OFF: Final = msg("the web hook is switched off")
HIDDEN: Final = msg("out of the owner's sight")
REFUSED: Final = msg("the receiver did not accept it")
HELD: Final = msg("it waits, for the receiver fails at the moment")
D: Final = core_hook_delivery.c


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one subscription: how the last attempt ended, never what the receiver answered."""

    id: int
    hook_id: int
    message_id: str
    event: str
    state: str
    attempts: int
    status: int | None
    error: Msg | None
    seconds: float | None
    created_at: datetime
    tried_at: datetime | None
    next_at: datetime | None


_DELIVERY: Final = tuple(D[name] for name in Delivery.__slots__)


def consume(ctx: Context, event: Event) -> None:
    """One delivery for each subscription; runs as the system in the unit of work that marks the event as consumed."""
    connection = ctx.session.connection()
    hooks = connection.scalars(sa.select(H.id).where(H.active, H.event == event.name, H.created_at <= event.at)).all()
    payload = {"entity": event.entity, "record": event.record_id, "version": event.version}
    payload |= {"uid": str(event.record_uid), "at": iso(event.at)}
    for hook_id in hooks:
        _deliver(ctx, hook_id, event.name, event.id, payload)


def call(ctx: Context, url: str, data: object, key: str, rule: OutboundRule, vault: Vault) -> int:
    """Queue one message of the actor's own to an address; gives the number of the subscription that holds its log.

    The same `key` is sent once. Raises Invalid for an address that cannot be, Conflict while the subscription is
    switched off, Forbidden.
    """
    access.require(ctx, "create", TOOL)
    subscriptions.check_url(url, rule, names=False, at="url")
    mine = sa.and_(H.user_id == ctx.actor.user_id, H.event == CALLED, H.target_url == url)
    row = ctx.session.connection().execute(sa.select(*HOOK).where(mine)).first()
    hook = Hook(*row) if row is not None else subscriptions.new(ctx, CALLED, url, vault)[0]
    if not hook.active:
        why = hook.why_off or OFF
        raise Conflict(msg("The web hook to {url} is switched off: {why}.", url=url, why=why))
    body = records.dumps({"type": CALLED, "timestamp": iso(ctx.now), "data": data})
    _deliver(ctx, hook.id, CALLED, uuid.uuid5(uuid.NAMESPACE_URL, key), {}, body=body)
    return hook.id


def _deliver(
    ctx: Context, hook_id: int, event: str, event_id: uuid.UUID, payload: Mapping[str, Any], body: bytes | None = None
) -> None:
    """Queue one delivery, unless this event was queued for the subscription before."""
    connection = ctx.session.connection()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {
        "hook_id": hook_id, "message_id": f"msg_{uuid7().hex}", "event_id": event_id, "event": event, "body": body,
        "state": WAITING, "attempts": 0, "created_at": ctx.now, "next_at": ctx.now,
    }  # fmt: skip
    new = connection.execute(make(core_hook_delivery).values(**row).on_conflict_do_nothing().returning(D.id)).scalar()
    if new is not None:
        queue.enqueue(ctx, JOB, {"delivery": new, **payload}, system="web hook")


def send(run: JobRun, payload: Mapping[str, Any], rule: OutboundRule, vault: Vault) -> str:
    """Try one delivery; gives the state in which it stands then. The next attempt is a job of its own."""
    with run.host.database.connect() as connection:
        found = connection.execute(
            sa.select(core_hook_delivery, core_hook)
            .join(core_hook, H.id == D.hook_id)
            .where(D.id == int(payload["delivery"]))
        ).first()  # fmt: skip
    if found is None:
        return "gone"
    row: Any = found._mapping
    if row[D.state] != WAITING:
        return str(row[D.state])
    if not row[H.active]:
        return _close(run, row, SKIPPED, None, OFF, None)
    body = bytes(row[D.body]) if row[D.body] is not None else _build(run, row, payload)
    if body is None:
        return _close(run, row, SKIPPED, None, HIDDEN, None)
    if row[D.attempts] == 0 and (until := pacing.held_until(run.host.database, row[H.id], run.now)) is not None:
        return _hold(run, payload, row, until)
    return _attempt(run, payload, row, body, rule, vault)


def _build(run: JobRun, row: Any, payload: Mapping[str, Any]) -> bytes | None:
    """The body, as the subscription's owner sees the record; None = not at all. It is kept for further attempts."""
    try:
        with run.host.database.connect() as connection:
            owner = load_actor(connection, row[H.user_id])
        with run.host.database.read(owner.automation("web hook")) as ctx:
            data = record_data(ctx, payload, row[D.event])
    except GigaError:
        return None
    body = records.dumps({"type": row[D.event], "timestamp": payload["at"], "data": data})
    with run.host.database.begin() as connection:
        connection.execute(sa.update(core_hook_delivery).where(D.id == row[D.id]).values(body=body))
    return body


def record_data(ctx: Context, payload: Mapping[str, Any], event: str) -> dict[str, Any]:
    """The record of a payload, or what is left of a deleted one. Raises NotFound, Forbidden."""
    entity, number = str(payload["entity"]), int(payload["record"])
    access.require(ctx, "view", entity)
    if event.endswith(".deleted"):
        if not records.could_see(ctx.session, ctx.session.registry.entity(entity), number):
            raise NotFound
        return {"id": number, "uid": payload["uid"], "version": payload["version"]}
    return records.get(ctx, entity, number)


def _attempt(
    run: JobRun, payload: Mapping[str, Any], row: Any, body: bytes, rule: OutboundRule, vault: Vault
) -> str:  # fmt: skip
    keys = [vault.open(row[H.secret], PURPOSE)]
    if row[H.old_secret] and row[H.old_until] > run.now:
        keys.append(vault.open(row[H.old_secret], PURPOSE))
    given = signing.headers(keys, row[D.message_id], run.now, body)
    given |= {"X-Correlation-ID": run.claimed.correlation_id}
    status, seconds, wait = None, None, None
    error: Msg | None = None
    try:
        answer = outbound.call(
            rule, "POST", row[H.target_url], body=body, headers=given, seconds=SECONDS, max_bytes=READ
        )  # fmt: skip
        status, seconds, wait = answer.status, answer.seconds, pacing.retry_after(answer.headers, run.now)
    except outbound.Refused as refused:
        error = refused.message
    except outbound.Unreachable as unreachable:
        error = unreachable.message
    if status is not None and 200 <= status < 300:
        return _close(run, row, DONE, status, None, seconds)
    if status == 410:
        _switch_off(run, row, GONE)
        return _close(run, row, DEAD, status, GONE, seconds)
    return _later(run, payload, row, status, error or REFUSED, seconds, wait)


def _hold(run: JobRun, payload: Mapping[str, Any], row: Any, until: datetime) -> str:
    """Let a delivery wait; it does not count as an attempt."""
    at = pacing.spread(until, SECONDS)
    with run.unit_of_work() as ctx:
        if _update(ctx, row, {"error": HELD, "next_at": at}):
            queue.enqueue(ctx, JOB, payload, run_at=at, system="web hook")
    return WAITING


def _later(
    run: JobRun, payload: Mapping[str, Any], row: Any, status: int | None, error: Msg, seconds: float | None,
    wait: timedelta | None,
) -> str:  # fmt: skip
    attempts = row[D.attempts] + 1
    if attempts >= len(pacing.SCHEDULE):
        if row[H.succeeded_at] is None or row[H.succeeded_at] < row[D.created_at]:
            _switch_off(run, row, FAILING)
        return _close(run, row, DEAD, status, error, seconds)
    at = run.now + max(pacing.pause(attempts), wait or timedelta(0))
    with run.unit_of_work() as ctx:
        values: dict[str, Any] = {"attempts": attempts, "status": status, "error": error, "seconds": seconds}
        values |= {"tried_at": ctx.now, "next_at": at}
        if _update(ctx, row, values):
            queue.enqueue(ctx, JOB, payload, run_at=at, system="web hook")
    return WAITING


def _update(ctx: Context, row: Any, values: Mapping[str, Any]) -> bool:
    """Note an attempt once, although its job may have run twice."""
    unchanged = (D.id == row[D.id], D.attempts == row[D.attempts], D.state == WAITING)
    statement = sa.update(core_hook_delivery).where(*unchanged).values(**values)
    return ctx.session.connection().execute(statement).rowcount == 1


def _close(run: JobRun, row: Any, state: str, status: int | None, error: Msg | None, seconds: float | None) -> str:
    with run.unit_of_work() as ctx:
        values: dict[str, Any] = {"state": state, "status": status, "error": error, "seconds": seconds}
        values |= {"attempts": row[D.attempts] + (state != SKIPPED), "tried_at": ctx.now, "next_at": None}
        if _update(ctx, row, values) and state == DONE:
            subscriptions.put(ctx, row[H.id], succeeded_at=ctx.now)
    return state


def _switch_off(run: JobRun, row: Any, why: Msg) -> None:
    with run.unit_of_work() as ctx:
        subscriptions.put(ctx, row[H.id], active=False, why_off=why)
        subscriptions.record(ctx, row[H.id], "switched_off", {"why": str(why)})
        text = msg("The web hook to {url} was switched off: {why}.", url=row[H.target_url], why=why)
        notices.notify(ctx, "core.hook_off", [row[H.user_id]], text, url="/settings/webhooks")


def deliveries(ctx: Context, hook_id: int, *, before: int | None = None, limit: int = 50) -> list[Delivery]:
    """The log of a subscription, newest first. Raises NotFound."""
    subscriptions.load(ctx, hook_id)
    statement = sa.select(*_DELIVERY).where(D.hook_id == hook_id).order_by(D.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(D.id < before)
    return [Delivery(*row) for row in ctx.session.connection().execute(statement)]


def resend(ctx: Context, delivery_id: int) -> None:
    """Try a delivery anew, with its id and body. Raises NotFound, Conflict while it waits anyway."""
    row = ctx.session.connection().execute(sa.select(core_hook_delivery).where(D.id == delivery_id)).first()
    if row is None:
        raise NotFound
    subscriptions.load(ctx, row.hook_id)
    access.require(ctx, "create", TOOL)
    if row.state == WAITING:
        raise Conflict(msg("This delivery is being tried already."))
    if row.body is None:
        raise Conflict(msg("There is nothing to send: its owner may not see the record."))
    values = {"state": WAITING, "attempts": 0, "next_at": ctx.now}
    ctx.session.connection().execute(sa.update(core_hook_delivery).where(D.id == delivery_id).values(**values))
    queue.enqueue(ctx, JOB, {"delivery": delivery_id}, system="web hook")


def purge(connection: sa.Connection, before: datetime) -> int:
    """Forget deliveries that ended before that moment."""
    ended = sa.and_(D.state != WAITING, D.created_at < before)
    return connection.execute(sa.delete(core_hook_delivery).where(ended)).rowcount
