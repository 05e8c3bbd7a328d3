"""The audit read back: history of a record, the sealed chain, its verification, and erasure that keeps it valid.

Writers only insert (see `journal`); a sealer chains committed rows afterwards, so that writers do not wait in a queue.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import Connection, Select, func, insert, select, text, update

from gigacore.data.journal import Entry, commitment
from gigacore.data.tables import core_audit, core_audit_seal, core_audit_value
from gigacore.ids import uuid7_floor
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

BATCH: Final = 5_000
WINDOW: Final = timedelta(hours=1)
START: Final = bytes(32)
_LOCK: Final = 0x67696761
_A: Final = core_audit.c
_V: Final = core_audit_value.c
_S: Final = core_audit_seal.c
_CHAINED: Final = (
    _A.id, _A.at, _A.actor_kind, _A.actor_id, _A.actor_name, _A.correlation_id, _A.entity, _A.record_id, _A.record_uid,
    _A.verb, _A.fields, _A.commitment,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One recorded act. `values` maps fields to (before, after); None once they were erased."""

    id: uuid.UUID
    at: datetime
    actor_kind: str
    actor_id: int | None
    actor_name: str
    correlation_id: str
    entity: str
    record_id: int | None
    verb: str
    fields: tuple[str, ...]
    values: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the audit that is not as it was written."""

    audit_id: uuid.UUID | None
    seq: int | None
    message: Msg


def record(
    ctx: Context,
    entity: str,
    verb: str,
    *,
    record_id: int | None = None,
    record_uid: uuid.UUID | None = None,
    values: Any = None,
    event: bool = False,
) -> uuid.UUID:
    """Record an act that is no change of a record (an export, a sign-in), in the caller's transaction."""
    fields = list(values) if isinstance(values, dict) else []
    entry = Entry(entity, verb, record_id, record_uid, None, fields, values, event)
    return ctx.session.journal.write(ctx.session.connection(), ctx, [entry])[0]


def history(
    connection: Connection, entity: str, record_id: int, *, limit: int = 50, before: uuid.UUID | None = None
) -> list[AuditRow]:
    """What happened to a record, newest first. The caller has made sure that the reader may see the record."""
    statement = (
        select(core_audit, _V.body)
        .outerjoin(core_audit_value, _V.audit_id == _A.id)
        .where(_A.entity == entity, _A.record_id == record_id)
        .order_by(_A.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(_A.id < before)
    return [_row(row) for row in connection.execute(statement)]


def entry(connection: Connection, number: uuid.UUID) -> AuditRow | None:
    """One recorded act. The caller has made sure that the reader may see the record."""
    statement = select(core_audit, _V.body).outerjoin(core_audit_value, _V.audit_id == _A.id).where(_A.id == number)
    found = connection.execute(statement).first()
    return None if found is None else _row(found)


def newest_by_others(
    connection: Connection, entity: str, record_id: int, *, since: uuid.UUID, user_id: int | None
) -> str | None:
    """Who last did something to a record after `since` (a UUIDv7 of that moment), other than that user."""
    statement = (
        select(_A.actor_name)
        .where(_A.entity == entity, _A.record_id == record_id, _A.id > since)
        .where(_A.actor_id.is_distinct_from(user_id))
        .order_by(_A.id.desc())
        .limit(1)
    )
    found: str | None = connection.scalar(statement)
    return found


def _row(row: Any) -> AuditRow:
    return AuditRow(
        row.id, row.at, row.actor_kind, row.actor_id, row.actor_name, row.correlation_id, row.entity, row.record_id,
        row.verb, tuple(orjson.loads(row.fields)), None if row.body is None else orjson.loads(row.body),
    )  # fmt: skip


# The chain ----------------------------------------------------------------------------------------------------------


def seal(connection: Connection, now: datetime, *, everything: bool = False) -> int:
    """Chain audit rows that were committed since the last call, in a write transaction. Gives their number.

    Rows may be committed later than they were numbered; the last hour before the newest seal is searched again, with
    `everything` the whole table.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = connection.execute(select(_S.seq, _S.digest, _S.sealed_at).order_by(_S.seq.desc()).limit(1)).first()
    seq, digest = (last.seq, bytes(last.digest)) if last else (0, START)
    floor = None if last is None or everything else uuid7_floor(last.sealed_at - WINDOW)
    total = 0
    while rows := _unsealed(connection, floor):
        seals = []
        for row in rows:
            seq, digest = seq + 1, _link(digest, row)
            seals.append({"seq": seq, "audit_id": row[0], "digest": digest, "sealed_at": now})
        connection.execute(insert(core_audit_seal), seals)
        total += len(rows)
        if len(rows) < BATCH:
            break
    return total


def is_due(connection: Connection) -> bool:
    """Whether rows wait for their seal; a look takes no write lock."""
    last = connection.scalar(select(_S.sealed_at).order_by(_S.seq.desc()).limit(1))
    statement = select(_A.id).outerjoin(core_audit_seal, _S.audit_id == _A.id).where(_S.audit_id.is_(None))
    if last is not None:
        statement = statement.where(_A.id >= uuid7_floor(last - WINDOW))
    return connection.execute(statement.limit(1)).first() is not None


def _unsealed(connection: Connection, floor: uuid.UUID | None) -> Sequence[Any]:
    statement: Select[Any] = (
        select(*_CHAINED).outerjoin(core_audit_seal, _S.audit_id == _A.id).where(_S.audit_id.is_(None)).order_by(_A.id)
    )
    if floor is not None:
        statement = statement.where(_A.id >= floor)
    return connection.execute(statement.limit(BATCH)).all()


def _link(previous: bytes, row: Sequence[Any]) -> bytes:
    return hashlib.sha256(previous + orjson.dumps([_text(value) for value in row])).digest()


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, uuid.UUID):
        return value.hex
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def verify(connection: Connection) -> list[Fault]:
    """Walk the whole chain and compare. An empty list: nothing was altered, removed or inserted."""
    return [*_broken_links(connection), *_broken_values(connection), *_forgotten(connection)]


def _broken_links(connection: Connection) -> Iterator[Fault]:
    expected, digest = 1, START
    statement: Select[Any] = select(_S.seq, _S.audit_id, _S.digest, *_CHAINED)
    statement = statement.outerjoin(core_audit, _A.id == _S.audit_id)
    for row in _paged(connection, statement, _S.seq):
        seq, audit_id, stored, found = row[0], row[1], bytes(row[2]), row[3:]
        if seq != expected:
            yield Fault(None, expected, msg("Links {first} to {last} are missing.", first=expected, last=seq - 1))
        elif found[0] is None:
            yield Fault(audit_id, seq, msg("An audit row is missing."))
        elif _link(digest, found) != stored:
            yield Fault(audit_id, seq, msg("An audit row or its link was altered."))
        expected, digest = seq + 1, stored


def _broken_values(connection: Connection) -> Iterator[Fault]:
    statement: Select[Any] = select(_A.id, _A.commitment, _V.audit_id, _V.salt, _V.body)
    statement = statement.outerjoin(core_audit_value, _V.audit_id == _A.id)
    for audit_id, committed, present, salt, body in _paged(connection, statement, _A.id):
        if present is None:
            yield Fault(audit_id, None, msg("The values of an audit row were removed."))
        elif body is not None and commitment(bytes(salt or b""), bytes(body)) != bytes(committed):
            yield Fault(audit_id, None, msg("The values of an audit row were altered."))


def _paged(connection: Connection, statement: Select[Any], key: Any) -> Iterator[Any]:
    """All rows in the order of `key`, their first column, a batch at a time."""
    batch = statement.order_by(key).limit(BATCH)
    rows = connection.execute(batch).all()
    while rows:
        yield from rows
        rows = connection.execute(batch.where(key > rows[-1][0])).all() if len(rows) == BATCH else []


def _forgotten(connection: Connection) -> Iterator[Fault]:
    """Rows that should have been sealed long ago: inserted behind the sealer's back, or the sealer does not run."""
    newest = connection.scalar(select(func.max(_S.sealed_at)))
    if newest is None:
        return
    statement = select(_A.id).outerjoin(core_audit_seal, _S.audit_id == _A.id).where(_S.audit_id.is_(None))
    for audit_id in connection.scalars(statement.where(_A.id < uuid7_floor(newest - 2 * WINDOW)).limit(BATCH)):
        yield Fault(audit_id, None, msg("An audit row was never sealed."))


def erase_messages(connection: Connection, entity: str, record_id: int) -> int:
    """Erase what was recorded of the messages of incoming web hooks that wrote a record."""
    wrote = select(_A.correlation_id).where(_A.entity == entity, _A.record_id == record_id)
    plain = select(_A.id).where(_A.entity.like("hooks.%"), _A.record_id.is_(None), _A.correlation_id.in_(wrote))
    statement = update(core_audit_value).where(_V.audit_id.in_(plain), _V.body.is_not(None))
    return connection.execute(statement.values(salt=None, body=None)).rowcount


def erase_values(connection: Connection, entity: str, record_id: int) -> int:
    """Erase the recorded values of one record; who did what and when stays, and so does the chain."""
    mine = select(_A.id).where(_A.entity == entity, _A.record_id == record_id)
    statement = update(core_audit_value).where(_V.audit_id.in_(mine), _V.body.is_not(None))
    return connection.execute(statement.values(salt=None, body=None)).rowcount
