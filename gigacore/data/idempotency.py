"""One effect per key: the answer of a request is kept in the transaction of its effect and given again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, bindparam, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_idempotency
from gigacore.errors import Conflict, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor, Context

KEPT: Final = timedelta(days=30)
_I: Final = core_idempotency.c
_FIND: Final = select(_I.fingerprint, _I.state, _I.status, _I.body, _I.headers).where(
    _I.actor_key == bindparam("who"), _I.key == bindparam("what")
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that was given the first time."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def actor_key(actor: Actor) -> str:
    """Whose keys these are: other people's keys never meet."""
    return f"{actor.kind}:{actor.user_id}:{actor.token_id or ''}"


def claim(ctx: Context, key: str, fingerprint: str, *, wait: bool = False) -> Kept | None:
    """None for the first request with that key, else the kept answer.

    While the first one still runs, a second one waits for it if it is told to, else Conflict is raised. Raises Invalid
    when the key was used for another request.
    """
    connection, who = ctx.session.connection(), actor_key(ctx.actor)
    _lock(connection, f"{who}\n{key}", wait=wait)
    found = connection.execute(_FIND, {"who": who, "what": key}).first()
    if found is None:
        values = {"actor_key": who, "key": key, "fingerprint": fingerprint, "state": "running", "created_at": ctx.now}
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(core_idempotency).values(**values).on_conflict_do_nothing().returning(_I.key)
        if connection.scalar(statement) is not None:
            return None
        raise _running()
    if found.fingerprint != fingerprint:
        raise Invalid(msg("This Idempotency-Key was used for another request."), fix=msg("Send a new key."))
    if found.state == "running":
        raise _running()
    return Kept(found.status, bytes(found.body or b""), found.headers or {})


def keep(ctx: Context, key: str, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Keep the answer, in the transaction of the effect."""
    values: dict[str, Any] = {"state": "done", "status": status, "body": body, "headers": dict(headers)}
    mine = (_I.actor_key == actor_key(ctx.actor), _I.key == key)
    ctx.session.connection().execute(update(core_idempotency).where(*mine).values(**values))


def purge(connection: Connection, now: datetime) -> int:
    """Forget answers older than thirty days."""
    return connection.execute(delete(core_idempotency).where(_I.created_at < now - KEPT)).rowcount


def _lock(connection: Connection, name: str, *, wait: bool) -> None:
    """On PostgreSQL wait, or say at once that the first request still runs; SQLite's write lock made us wait."""
    if connection.dialect.name != "postgresql":
        return
    if wait:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        return
    free = connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
    if not free:
        raise _running()


def _running() -> Conflict:
    return Conflict(msg("The first request with this key is still running."), fix=msg("Try again in a moment."))
