"""One-time links by which somebody chooses a password: for new users, and for those who forgot theirs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.access import limits, links, passwords, sessions, users
from gigacore.access.changes import note
from gigacore.access.decide import require
from gigacore.access.sign_in import BY_ACCOUNT
from gigacore.access.tables import core_user
from gigacore.context import Actor
from gigacore.errors import Misuse, NotFound
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

PURPOSE: Final = "password"
LIFETIME: Final = timedelta(days=2)


def issue(ctx: Context, user_id: int) -> str:
    """A link's secret with which the person sets a password once, within two days; earlier links end.

    The secret is given once and cannot be read again. Takes `core.user.edit`, and a Super Admin for a Super Admin.
    """
    require(ctx, "edit", users.TOOL)
    user = users.get(ctx, user_id)
    users.protect(ctx, user)
    links.revoke(ctx, PURPOSE, users.TOOL, user_id)
    expires = ctx.now + LIFETIME
    raw = links.create(ctx, PURPOSE, users.TOOL, user_id, person=user.name, expires_at=expires, max_uses=1)
    note(ctx, users.TOOL, user_id, user.uid, "invited", {"expires_at": expires})
    return raw


def invited(connection: sa.Connection, raw: str, now: datetime) -> tuple[Actor, str]:
    """Who acts through a link, and the e-mail address that it is for. Raises NotFound: wrong, spent or too old."""
    link = links.follow(connection, raw, PURPOSE, now)
    u = core_user.c
    email = connection.scalar(sa.select(u.email).where(u.id == link.record_id, u.active))
    if email is None:
        raise NotFound
    return link.actor, str(email)


def redeem(ctx: Context, raw: str, password: str) -> None:
    """Set the password of the person whom the link is for, and spend the link; that person's sessions end.

    The context's actor is the one that `invited` gave. Raises NotFound, or Invalid for a bad password.
    """
    passwords.check_new(password)
    connection, u = ctx.session.connection(), core_user.c
    link = links.follow(connection, raw, PURPOSE, ctx.now, use=True)
    if ctx.actor.token_id != link.actor.token_id:
        raise Misuse(msg("The link belongs to another actor."))
    row = {"password_hash": passwords.hash_password(password), "password_changed_at": ctx.now, "updated_at": ctx.now}
    changed = sa.update(core_user).where(u.id == link.record_id, u.active).values(row).returning(u.uid, u.email_key)
    user = connection.execute(changed).first()
    if user is None:
        raise NotFound
    note(ctx, users.TOOL, link.record_id, user.uid, "password_changed", {})
    sessions.revoke_all(connection, link.record_id, ctx.now)
    limits.forget(connection, BY_ACCOUNT, user.email_key)
