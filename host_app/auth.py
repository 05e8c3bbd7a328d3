"""Who calls: bearer tokens, server-side sessions behind a cookie, sign-in and sign-out."""

from __future__ import annotations

from flask import Response, g, request

from gigacore import access
from gigacore.context import Actor
from gigacore.errors import Unauthenticated
from gigacore.messages import msg
from host_app.context import Identity, current_crm, host

SESSION_DAYS = 14


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
    scheme, _, raw = header.partition(" ")
    actor = access.authenticate_token(current_crm(), raw.strip()) if scheme.lower() == "bearer" else None
    if actor is None:
        raise Unauthenticated(msg("The token is unknown, expired or revoked."))
    return Identity(actor, "token", raw)


def _by_session(raw: str) -> Identity | None:
    found = access.authenticate_session(current_crm(), raw)
    return Identity(found.actor, "session", raw, found.session_id) if found else None


def sign_in(email: str, password: str) -> str:
    """Check the password and open a new session; the caller's earlier one ends. Returns the cookie's value.

    Raises Unauthenticated with one and the same text for every reason, RateLimited after too many tries.
    """
    old = request.cookies.get(host().cookie_name, "")
    return access.sign_in(
        current_crm(), email, password, address=request.remote_addr or "", agent=request.user_agent.string, old=old
    )


def sign_out() -> None:
    """End the caller's session."""
    identity: Identity | None = g.identity
    if identity is not None and identity.session_id is not None:
        access.revoke_session(current_crm(), identity.session_id)


def keep_cookie(response: Response, raw: str) -> None:
    """Hand the session to the browser: HttpOnly, SameSite=Lax, `__Host-` over https."""
    response.set_cookie(host().cookie_name, raw, httponly=True, samesite="Lax", secure=host().secure, path="/")


def drop_cookie(response: Response) -> None:
    """Make the browser forget the session."""
    response.delete_cookie(host().cookie_name, httponly=True, samesite="Lax", secure=host().secure, path="/")
