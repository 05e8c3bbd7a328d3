"""Web sessions kept on the server: opened after a sign-in, looked up in one statement, rotated, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore.access.profiles import AccessCache
from gigacore.access.secret_values import digest, new_secret
from gigacore.access.tables import core_access, core_session, core_user
from gigacore.context import Actor
from gigacore.ids import uuid7
from gigacore.values import dataclass

LIFETIME: Final = timedelta(days=14)
IDLE: Final = timedelta(hours=24)
TOUCH_EVERY: Final = timedelta(minutes=5)
IP_LENGTH: Final = 45
AGENT_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class WebSession:
    """An open session and who acts in it. `half` waits for its second factor: no policy accepts it.

    `session_id` is the stored digest, `verified_at` when the password was last given.
    """

    session_id: str
    actor: Actor
    csrf_secret: str
    theme: str
    half: bool
    verified_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """One line of a person's list of sessions."""

    uid: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None
    current: bool


def create(
    connection: sa.Connection,
    user_id: int,
    now: datetime,
    *,
    ip: str = "",
    user_agent: str = "",
    half: bool = False,
    lifetime: timedelta = LIFETIME,
) -> str:
    """Open a session; returns the cookie's value, of which only a digest is kept."""
    raw = new_secret()
    row = {
        "id": digest(raw),
        "uid": uuid7(),
        "user_id": user_id,
        "half": half,
        "csrf_secret": new_secret(),
        "created_at": now,
        "seen_at": now,
        "verified_at": now,
        "expires_at": now + lifetime,
        "ip": ip[:IP_LENGTH] or None,
        "user_agent": user_agent[:AGENT_LENGTH] or None,
    }
    connection.execute(sa.insert(core_session).values(row))
    return raw


_KEPT: Final = ("csrf_secret", "half", "verified_at", "seen_at")
_FOUND: Final = (
    sa.select(
        core_session.c.id,
        core_session.c.user_id,
        *(core_session.c[name] for name in _KEPT),
        core_user.c.theme,
        core_access.c.generation,
    )
    .join(core_user, core_user.c.id == core_session.c.user_id)
    .join(core_access, sa.true())
    .where(
        core_session.c.id == sa.bindparam("hash"),
        core_session.c.revoked_at.is_(None),
        core_session.c.expires_at > sa.bindparam("now"),
        core_session.c.seen_at > sa.bindparam("idle"),
        core_user.c.active,
    )
)


def lookup(connection: sa.Connection, raw: str, now: datetime, cache: AccessCache) -> WebSession | None:
    """The session behind a cookie, None when unknown, expired, idle for a day or revoked.

    One statement; roles and teams come from the cache as long as the access generation stays the same.
    """
    row = connection.execute(_FOUND, {"hash": digest(raw), "now": now, "idle": now - IDLE}).mappings().first()
    if row is None:
        return None
    profile = cache.profile(connection, row["user_id"], row["generation"])
    return _web_session(row, profile.actor())


def _web_session(row: Mapping[Any, Any], actor: Actor) -> WebSession:
    return WebSession(session_id=row["id"], actor=actor, **{name: row[name] for name in (*_KEPT, "theme")})


def is_stale(found: WebSession, now: datetime) -> bool:
    """Whether `touch` is due; asked so that not every request writes."""
    return now - found.seen_at >= TOUCH_EVERY


def touch(connection: sa.Connection, session_id: str, now: datetime) -> None:
    """Remember that the session is in use."""
    connection.execute(sa.update(core_session).where(core_session.c.id == session_id).values(seen_at=now))


def rotate(connection: sa.Connection, session_id: str, now: datetime, *, verified: bool = False) -> str | None:
    """Give a session a new value (after a change of rights or a second factor); None if it is gone.

    `verified` says that the password was just given again.
    """
    raw = new_secret()
    values: dict[str, Any] = {"id": digest(raw), "csrf_secret": new_secret(), "seen_at": now}
    if verified:
        values |= {"verified_at": now, "half": False}
    open_ = sa.and_(core_session.c.id == session_id, core_session.c.revoked_at.is_(None))
    changed = connection.execute(sa.update(core_session).where(open_).values(values))
    return raw if changed.rowcount else None


def revoke(connection: sa.Connection, session_id: str, now: datetime) -> None:
    """End one session."""
    _revoke(connection, core_session.c.id == session_id, now)


def revoke_device(connection: sa.Connection, user_id: int, uid: str, now: datetime) -> bool:
    """End one of a user's sessions by its public uid; False if there is none."""
    try:
        device = core_session.c.uid == UUID(uid)
    except ValueError:
        return False
    return _revoke(connection, sa.and_(core_session.c.user_id == user_id, device), now)


def revoke_all(connection: sa.Connection, user_id: int, now: datetime, *, keep: str | None = None) -> None:
    """End all sessions of a user, but for `keep`."""
    _revoke(connection, sa.and_(core_session.c.user_id == user_id, core_session.c.id != (keep or "")), now)


def _revoke(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> bool:
    open_ = sa.and_(which, core_session.c.revoked_at.is_(None))
    return bool(connection.execute(sa.update(core_session).where(open_).values(revoked_at=now)).rowcount)


def devices(connection: sa.Connection, user_id: int, now: datetime, *, current: str | None = None) -> list[Device]:
    """A user's open sessions, the latest first."""
    s = core_session.c
    open_ = (s.user_id == user_id, s.revoked_at.is_(None), s.expires_at > now, s.seen_at > now - IDLE)
    rows = connection.execute(sa.select(core_session).where(*open_).order_by(s.seen_at.desc())).mappings()
    names = ("created_at", "seen_at", "expires_at", "ip", "user_agent")
    return [
        Device(uid=str(row["uid"]), current=row["id"] == current, **{name: row[name] for name in names}) for row in rows
    ]


def sweep(connection: sa.Connection, now: datetime) -> int:
    """Remove sessions that ended a month ago; returns how many."""
    old = core_session.c.expires_at < now - timedelta(days=30)
    return connection.execute(sa.delete(core_session).where(old)).rowcount
