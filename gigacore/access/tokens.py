"""API tokens: shown once, kept as a digest, with scopes and an expiry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.access.decide import require
from gigacore.access.profiles import AccessCache
from gigacore.access.secret_values import digest, new_secret
from gigacore.access.tables import core_access, core_token, core_user
from gigacore.context import Actor
from gigacore.errors import Forbidden, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

MARK: Final = "giga_"
TOUCH_EVERY: Final = timedelta(minutes=1)
_SCOPE: Final = re.compile(
    r"(\*|@owned|@reference|@parent|[a-z][a-z0-9_]*\.(\*|[a-z][a-z0-9_]*))\.(\*|@action|[a-z_]+)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """What may be shown of a token: never its value."""

    id: int
    name: str
    prefix: str
    user_id: int
    scopes: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def create(
    ctx: Context,
    user_id: int,
    name: str,
    *,
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A new token; the value is returned once and cannot be read again.

    For oneself anybody may, signed in as a person; for others it takes `core.token.edit`. Scopes only narrow.
    """
    _may_handle(ctx, user_id)
    kept = None if scopes is None else check_scopes(scopes)
    if expires_at is not None and expires_at <= ctx.now:
        raise Invalid.of("expires_at", msg("The expiry must lie in the future."))
    raw = MARK + new_secret()
    row = {"uid": uuid7(), "name": name[:200], "prefix": raw[:12], "hash": digest(raw), "user_id": user_id}
    row |= {"scopes": kept, "created_at": ctx.now, "expires_at": expires_at}
    ctx.session.connection().execute(sa.insert(core_token).values(row))
    return raw


def check_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes as they are kept. Raises Invalid for one that is not `<entity>.<verb>` (`*` allowed in both)."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if not _SCOPE.fullmatch(scope):
            raise Invalid.of("scopes", msg("{scope} is no scope; write for example crm.lead.view.", scope=scope))
    return wanted


def _may_handle(ctx: Context, user_id: int) -> None:
    actor = ctx.actor
    if actor.is_system or (actor.kind == "user" and actor.user_id == user_id):
        return
    if actor.kind == "token":
        raise Forbidden(msg("A token cannot make or revoke tokens."), fix=msg("Sign in to do this."))
    require(ctx, "edit", "core.token")
    if not actor.super_admin and _is_super_admin(ctx, user_id):
        raise Forbidden(msg("Only a Super Admin may do this to a Super Admin."))


def _is_super_admin(ctx: Context, user_id: int) -> bool:
    return AccessCache().profile(ctx.session.connection(), user_id, 0).actor().super_admin


_FOUND: Final = (
    sa.select(
        core_token.c.id, core_token.c.user_id, core_token.c.scopes, core_token.c.last_used_at, core_access.c.generation
    )
    .join(core_user, core_user.c.id == core_token.c.user_id)
    .join(core_access, sa.true())
    .where(
        core_token.c.hash == sa.bindparam("digest"),
        core_token.c.revoked_at.is_(None),
        sa.or_(core_token.c.expires_at.is_(None), core_token.c.expires_at > sa.bindparam("now")),
        core_user.c.active,
    )
)


def authenticate(connection: sa.Connection, raw: str, now: datetime, cache: AccessCache) -> tuple[Actor, bool] | None:
    """The actor behind a token and whether `touch` is due; None when unknown, expired or revoked. One statement."""
    row = connection.execute(_FOUND, {"digest": digest(raw), "now": now}).first()
    if row is None:
        return None
    scopes = None if row.scopes is None else tuple(row.scopes)
    profile = cache.profile(connection, row.user_id, row.generation)
    due = row.last_used_at is None or now - row.last_used_at >= TOUCH_EVERY
    return profile.actor("token", token_id=row.id, scopes=scopes), due


def touch(connection: sa.Connection, token_id: int, now: datetime) -> None:
    """Remember that a token was used."""
    connection.execute(sa.update(core_token).where(core_token.c.id == token_id).values(last_used_at=now))


def tokens_of(ctx: Context, user_id: int) -> list[Token]:
    """A user's tokens, the newest first."""
    _may_handle(ctx, user_id)
    query = sa.select(core_token).where(core_token.c.user_id == user_id).order_by(core_token.c.id.desc())
    return [_token(row) for row in ctx.session.connection().execute(query).mappings()]


def _token(row: sa.RowMapping) -> Token:
    values = {name: row[name] for name in Token.__slots__}
    values["scopes"] = None if values["scopes"] is None else tuple(values["scopes"])
    return Token(**values)


def revoke(ctx: Context, token_id: int) -> None:
    """End a token at once. Raises NotFound for one that is unknown or somebody else's."""
    connection = ctx.session.connection()
    owner = connection.scalar(sa.select(core_token.c.user_id).where(core_token.c.id == token_id))
    if owner is None:
        raise NotFound
    try:
        _may_handle(ctx, owner)
    except Forbidden as error:
        raise NotFound from error
    open_ = sa.and_(core_token.c.id == token_id, core_token.c.revoked_at.is_(None))
    connection.execute(sa.update(core_token).where(open_).values(revoked_at=ctx.now))
