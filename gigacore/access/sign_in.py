"""Signing in with e-mail and password: one answer for every failure, limits and history in the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from gigacore.access import limits, passwords, sessions
from gigacore.access.limits import Limit
from gigacore.access.secret_values import digest
from gigacore.access.tables import core_sign_in, core_user
from gigacore.clock import Clock
from gigacore.entity import fold
from gigacore.errors import RateLimited, Unauthenticated
from gigacore.messages import msg
from gigacore.values import dataclass

BY_ACCOUNT: Final = Limit("sign_in.account", 10, 900)
BY_ADDRESS: Final = Limit("sign_in.address", 50, 900)
EMAIL_LENGTH: Final = 254
KNOWN: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from."""

    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the sign-in history."""

    at: datetime
    user_id: int | None
    email: str
    outcome: str
    ip: str | None
    user_agent: str | None


def sign_in(engine: sa.Engine, clock: Clock, email: str, password: str, caller: Caller, *, old: str = "") -> str:
    """Check the password and open a session; returns the cookie's value. The session behind `old` ends.

    Raises Unauthenticated with the same text whatever the reason, and RateLimited after 10 tries on one account or
    50 from one address within a quarter of an hour; an address from which the account was used within 90 days has a
    count of its own, so that strangers who try passwords do not keep its owner out. Counts and history are committed in
    either case; hashing runs outside a transaction, for on SQLite it would keep every other writer waiting.
    """
    now, key = clock.now(), fold(email.strip())[:EMAIL_LENGTH]
    user, refused = _count_and_find(engine, key, caller, now)
    if refused is not None:
        raise refused
    stored = user.password_hash if user is not None else None
    right = passwords.verify(stored, password)
    good = right and user is not None and user.active
    with engine.begin() as connection:
        outcome = "ok" if good else "inactive" if right else "wrong"
        _remember(connection, now, user.id if user is not None else None, key, outcome, caller)
        if good and user is not None:
            limits.forget(connection, BY_ACCOUNT, _subject(key, caller, known=user.known))
            return _open(connection, user, password, caller, now, old)
    raise Unauthenticated(msg("E-mail or password is not right."))


def confirm(engine: sa.Engine, clock: Clock, session: sessions.WebSession, password: str, caller: Caller) -> str:
    """Check the password of whoever is signed in once more; returns the session's new cookie value.

    Raises Unauthenticated for a wrong password, RateLimited after 10 tries, both counted and kept in the history.
    """
    now, user_id = clock.now(), session.actor.user_id
    with engine.begin() as connection:
        user: Any = connection.execute(
            sa.select(core_user.c.email_key, core_user.c.password_hash).where(core_user.c.id == user_id)
        ).one()
        subject = _subject(user.email_key, caller, known=True)
        limited = limits.count(connection, BY_ACCOUNT, subject, now) > BY_ACCOUNT.count
    right = not limited and passwords.verify(user.password_hash, password)
    with engine.begin() as connection:
        outcome = "confirmed" if right else "limited" if limited else "wrong"
        _remember(connection, now, user_id, user.email_key, outcome, caller)
        raw = sessions.rotate(connection, session.session_id, now, verified=True) if right else None
        if raw is not None:
            limits.forget(connection, BY_ACCOUNT, subject)
            return raw
    if limited:
        raise limits.exceeded(BY_ACCOUNT, now)
    raise Unauthenticated(msg("The password is not right."))


def _count_and_find(
    engine: sa.Engine, key: str, caller: Caller, now: datetime
) -> tuple[sa.Row[Any] | None, RateLimited | None]:
    with engine.begin() as connection:
        user: Any = connection.execute(_found(key, caller, now)).first()
        known = user is not None and user.known
        for limit, subject in ((BY_ACCOUNT, _subject(key, caller, known=known)), (BY_ADDRESS, caller.ip)):
            if subject and limits.count(connection, limit, subject, now) > limit.count:
                _remember(connection, now, None, key, "limited", caller)
                return None, limits.exceeded(limit, now)
        return user, None


def _found(key: str, caller: Caller, now: datetime) -> sa.Select[Any]:
    """The account, and whether it has signed in from the caller's address lately."""
    u, s = core_user.c, core_sign_in.c
    lately = sa.exists().where(s.user_id == u.id, s.ip == caller.ip, s.outcome == "ok", s.at > now - KNOWN)
    return sa.select(u.id, u.password_hash, u.active, lately.label("known")).where(u.email_key == key)


def _subject(key: str, caller: Caller, *, known: bool) -> str:
    """What tries are counted by: strangers cannot lock somebody out of an account where it is used."""
    return f"{key} {caller.ip}" if known else key


def _open(connection: sa.Connection, user: sa.Row[Any], password: str, caller: Caller, now: datetime, old: str) -> str:
    values: dict[str, Any] = {"last_sign_in_at": now}
    if passwords.outdated(user.password_hash):
        values["password_hash"] = passwords.hash_password(password)
    connection.execute(sa.update(core_user).where(core_user.c.id == user.id).values(values))
    if old:
        sessions.revoke(connection, digest(old), now)
    return sessions.create(connection, user.id, now, ip=caller.ip, user_agent=caller.user_agent)


def _remember(
    connection: sa.Connection, now: datetime, user_id: int | None, email: str, outcome: str, caller: Caller
) -> None:
    row = {"at": now, "user_id": user_id, "email": email, "outcome": outcome}
    row |= {
        "ip": caller.ip[: sessions.IP_LENGTH] or None,
        "user_agent": caller.user_agent[: sessions.AGENT_LENGTH] or None,
    }
    connection.execute(sa.insert(core_sign_in).values(row))


def history(connection: sa.Connection, *, user_id: int | None = None, limit: int = 100) -> list[Attempt]:
    """The latest attempts, of one user or of everybody; who may look is the caller's to check."""
    s = core_sign_in.c
    query = sa.select(s.at, s.user_id, s.email, s.outcome, s.ip, s.user_agent).order_by(s.id.desc()).limit(limit)
    if user_id is not None:
        query = query.where(s.user_id == user_id)
    return [Attempt(*row) for row in connection.execute(query)]
