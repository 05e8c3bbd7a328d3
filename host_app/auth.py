"""Who calls: bearer tokens, server-side sessions behind a cookie, sign-in and sign-out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Response, g, request

from gigacore import access
from gigacore.access import Caller, sessions, tokens
from gigacore.context import Actor
from gigacore.errors import Unauthenticated, Unavailable
from gigacore.messages import msg
from host_app.context import SAFE_METHODS, Identity, current_crm, host

log = logging.getLogger("host_app")


def current() -> Actor:
    """Who acts in this request. Raises Unauthenticated on a public route without sign-in."""
    actor: Actor | None = g.actor
    if actor is None:
        raise Unauthenticated(msg("Please sign in."))
    return actor


def identify() -> Identity | None:
    """Who calls, in one statement. Raises Unauthenticated for a bad bearer token; a dead session is nobody."""
    header = request.headers.get("Authorization")
    if header is not None:
        return _by_token(header)
    raw = request.cookies.get(host().cookie_name)
    return _by_session(raw) if raw else None


def _by_token(header: str) -> Identity:
    crm, (scheme, _, raw) = current_crm(), header.partition(" ")
    found, now = None, crm.clock.now()
    if scheme.lower() == "bearer":
        with _reading() as connection:
            found = tokens.authenticate(connection, raw.strip(), now, crm.guard.cache)
    if found is None:
        raise Unauthenticated(msg("The token is unknown, expired or revoked."))
    actor, due = found
    if due and actor.token_id is not None:
        _note(tokens.touch, actor.token_id, now)
    return Identity(actor, "token", raw)


def _reading() -> AbstractContextManager[sa.Connection]:
    """The connection of a request that reads; one that writes does not hold a second one meanwhile."""
    return nullcontext(g.connection) if request.method in SAFE_METHODS else current_crm().database.connect()


def _by_session(raw: str) -> Identity | None:
    crm = current_crm()
    now = crm.clock.now()
    with _reading() as connection:
        found = sessions.lookup(connection, raw, now, crm.guard.cache)
    if found is None or found.half:
        return None
    if sessions.is_stale(found, now):
        _note(sessions.touch, found.session_id, now)
    return Identity(found.actor, "session", found.csrf_secret, found)


def _note(touch: Callable[[sa.Connection, Any, datetime], None], key: object, now: datetime) -> None:
    """Remember the use; a busy database must not turn a reader away for it."""
    try:
        with current_crm().database.begin() as connection:
            touch(connection, key, now)
    except (sa.exc.OperationalError, Unavailable):
        log.warning("the time of last use could not be written")


def sign_in(email: str, password: str) -> str:
    """Check the password and open a new session; the caller's earlier one ends. Returns the cookie's value.

    Raises Unauthenticated with one and the same text for every reason, RateLimited after too many tries.
    """
    crm, old = current_crm(), request.cookies.get(host().cookie_name, "")
    caller = Caller(request.remote_addr or "", request.user_agent.string)
    return access.sign_in(crm.database.engine, crm.clock, email, password, caller, old=old)


def adopt(raw: str) -> None:
    """Let the rest of this request act with the session that `sign_in` has just opened."""
    g.identity = _by_session(raw)


def sign_out() -> None:
    """End the caller's session."""
    identity: Identity | None = g.identity
    if identity is not None and identity.session is not None:
        crm = current_crm()
        with crm.database.begin() as connection:
            sessions.revoke(connection, identity.session.session_id, crm.clock.now())


def keep_cookie(response: Response, raw: str) -> None:
    """Hand the session to the browser: HttpOnly, SameSite=Lax, `__Host-` over https."""
    age = int(sessions.LIFETIME.total_seconds())
    response.set_cookie(
        host().cookie_name, raw, max_age=age, httponly=True, samesite="Lax", secure=host().secure, path="/"
    )


def drop_cookie(response: Response) -> None:
    """Make the browser forget the session."""
    response.delete_cookie(host().cookie_name, httponly=True, samesite="Lax", secure=host().secure, path="/")
