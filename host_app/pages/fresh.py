"""Steps that take a fresh sign-in: whoever gave the password long ago gives it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import g, request

from gigacore.access import Caller
from gigacore.access.sign_in import confirm
from gigacore.errors import Invalid, RateLimited, Unauthenticated
from gigacore.messages import msg
from host_app import auth
from host_app.context import Identity, current_crm

FRESH: Final = timedelta(minutes=10)
FIELD: Final = "password"


def is_fresh() -> bool:
    """Whether the reader's password was given within the last ten minutes."""
    identity: Identity | None = g.identity
    if identity is None or identity.session is None:
        return False
    return current_crm().clock.now() - identity.session.verified_at < FRESH


def prove() -> str:
    """Check the password that the form holds, unless the sign-in is fresh; returns the new cookie's value or nothing.

    Raises Invalid at the input of the password.
    """
    identity: Identity | None = g.identity
    if is_fresh() or identity is None or identity.session is None:
        return ""
    password = request.form.get(FIELD, "")
    if not password:
        raise Invalid.of(FIELD, msg("Give your password again to go on."), "required")
    crm, caller = current_crm(), Caller(request.remote_addr or "", request.user_agent.string)
    try:
        raw = confirm(crm.database.engine, crm.clock, identity.session, password, caller)
    except (Unauthenticated, RateLimited) as error:
        raise Invalid.of(FIELD, error.message) from error
    auth.adopt(raw)
    return raw
