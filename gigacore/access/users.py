"""People who sign in: created, changed, deactivated; never deleted, for records and audit name them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gigacore.access import passwords, sessions
from gigacore.access.changes import note
from gigacore.access.decide import require
from gigacore.access.profiles import SUPER_ADMIN, read_grants
from gigacore.access.roles import refuse_more_than_own
from gigacore.access.tables import core_role, core_user, core_user_role
from gigacore.entity import fold
from gigacore.entity.contacts import BadContact, check_email
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.user"
SESSIONS: Final = "core.session"
THEMES: Final = ("system", "light", "dark")
_PREFERENCES: Final = frozenset({"name", "locale", "timezone", "theme"})


@dataclass(frozen=True, slots=True)
class User:
    """What may be shown of a user; never the password's hash."""

    id: int
    uid: str
    org_id: int
    email: str
    name: str
    active: bool
    locale: str
    timezone: str
    theme: str
    created_at: datetime
    last_sign_in_at: datetime | None
    roles: tuple[str, ...] = ()


def create(
    ctx: Context,
    email: str,
    name: str,
    password: str | None = None,
    role: str | Iterable[str] = "user",
    *,
    locale: str = "en",
    timezone: str = "UTC",
) -> int:
    """A new user with one or several roles; returns its id. Without a password it cannot sign in yet.

    Takes `core.user.create`. Raises Invalid for a bad address or password, Conflict for an address that is in use.
    """
    require(ctx, "create", TOOL)
    roles = _roles(ctx, (role,) if isinstance(role, str) else role)
    row = _identity(email, name) | _preferences({"locale": locale, "timezone": timezone})
    row |= {"uid": uuid7(), "org_id": ctx.actor.org_id, "active": True, "theme": "system"}
    row |= {"created_at": ctx.now, "updated_at": ctx.now}
    if password is not None:
        passwords.check_new(password)
        row |= {"password_hash": passwords.hash_password(password), "password_changed_at": ctx.now}
    connection = ctx.session.connection()
    if connection.scalar(sa.select(core_user.c.id).where(core_user.c.email_key == row["email_key"])):
        raise Conflict(msg("There is a user with this e-mail address already."))
    user_id = int(connection.execute(sa.insert(core_user).values(row).returning(core_user.c.id)).scalar_one())
    if roles:
        connection.execute(sa.insert(core_user_role), [{"user_id": user_id, "role_id": role_id} for role_id in roles])
    note(ctx, TOOL, user_id, row["uid"], "created", {"email": row["email"], "name": row["name"]})
    return user_id


def _identity(email: str, name: str) -> dict[str, Any]:
    try:
        address = check_email(email.strip())
    except BadContact as error:
        raise Invalid.of("email", error.message) from error
    clean = " ".join(name.split())[:200]
    if not clean or not clean.isprintable():
        raise Invalid.of("name", msg("A user needs a name."), "required")
    return {"email": address, "email_key": fold(address), "name": clean, "name_key": fold(clean)}


def _preferences(values: dict[str, str]) -> dict[str, Any]:
    locale, zone, theme = values.get("locale"), values.get("timezone"), values.get("theme")
    if locale is not None and (len(locale) > 10 or not locale.replace("_", "").isalpha()):
        raise Invalid.of("locale", msg("This language is not known."))
    if theme is not None and theme not in THEMES:
        raise Invalid.of("theme", msg("This is not one of the possible values."))
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as error:
            raise Invalid.of("timezone", msg("This time zone is not known.")) from error
    return dict(values)


def _roles(ctx: Context, keys: Iterable[str]) -> list[int]:
    """The ids of roles that the actor may hand out. Only a Super Admin makes Super Admins."""
    wanted = sorted(set(keys))
    query = sa.select(core_role.c.key, core_role.c.id).where(core_role.c.key.in_(wanted))
    found = {row.key: row.id for row in ctx.session.connection().execute(query)}
    for key in wanted:
        if key not in found:
            raise Invalid.of("role", msg("There is no role {name}.", name=key))
    actor = ctx.actor
    if SUPER_ADMIN in found and not (actor.is_system or actor.super_admin):
        raise Forbidden(msg("Only a Super Admin may make somebody a Super Admin."))
    if not actor.is_system:
        require(ctx, "assign", "core.role")
        refuse_more_than_own(ctx, read_grants(ctx.session.connection(), tuple(found.values())).grants)
    return list(found.values())


def set_roles(ctx: Context, user_id: int, roles: Iterable[str]) -> None:
    """Replace a user's roles; sessions stay open and have the new rights at once. Takes `core.role.assign`.

    Raises Conflict when nobody would be left who is Super Admin.
    """
    before = get(ctx, user_id)
    protect(ctx, before)
    keys = tuple(roles)
    ids = _roles(ctx, keys)
    require(ctx, "assign", "core.role")
    if SUPER_ADMIN in before.roles and SUPER_ADMIN not in keys:
        _keep_one(ctx, user_id)
    connection = ctx.session.connection()
    connection.execute(sa.delete(core_user_role).where(core_user_role.c.user_id == user_id))
    if ids:
        connection.execute(sa.insert(core_user_role), [{"user_id": user_id, "role_id": role_id} for role_id in ids])
    note(ctx, TOOL, user_id, before.uid, "roles_changed", {"roles": sorted(keys)})


def protect(ctx: Context, user: User) -> None:
    """Raise Forbidden unless the actor may touch this user: only a Super Admin touches a Super Admin."""
    if SUPER_ADMIN in user.roles and not (ctx.actor.is_system or ctx.actor.super_admin):
        raise Forbidden(msg("Only a Super Admin may do this to a Super Admin."))


def _keep_one(ctx: Context, leaving: int) -> None:
    joined = core_user_role.join(core_role).join(core_user)
    others = (
        sa.select(core_user.c.id)
        .select_from(joined)
        .where(core_role.c.key == SUPER_ADMIN, core_user.c.active, core_user.c.id != leaving)
    )
    if ctx.session.connection().scalar(others.limit(1)) is None:
        raise Conflict(msg("There must be a Super Admin."), fix=msg("Make somebody else a Super Admin first."))


def get(ctx: Context, user_id: int) -> User:
    """A user with its roles. Takes `core.user.view`, save for oneself. Raises NotFound."""
    if ctx.actor.user_id != user_id:
        require(ctx, "view", TOOL)
    found = _read(ctx, core_user.c.id == user_id)
    if not found:
        raise NotFound
    return found[0]


def find(ctx: Context, email: str) -> User:
    """The user with an e-mail address. Takes `core.user.view`. Raises NotFound."""
    require(ctx, "view", TOOL)
    found = _read(ctx, core_user.c.email_key == fold(email.strip()))
    if not found:
        raise NotFound(msg("There is no user {email}.", email=email))
    return found[0]


def all_users(ctx: Context) -> list[User]:
    """Every user by name. Takes `core.user.view`."""
    require(ctx, "view", TOOL)
    return _read(ctx, sa.true())


def names(ctx: Context, *, active_only: bool = True) -> list[tuple[int, str]]:
    """Ids and names, which everybody signed in may know: they choose owners from them."""
    query = sa.select(core_user.c.id, core_user.c.name).order_by(core_user.c.name_key)
    if active_only:
        query = query.where(core_user.c.active)
    return [(row.id, row.name) for row in ctx.session.connection().execute(query)]


def _read(ctx: Context, which: sa.ColumnElement[bool]) -> list[User]:
    connection = ctx.session.connection()
    rows = connection.execute(sa.select(core_user).where(which).order_by(core_user.c.name_key)).mappings().all()
    roles: dict[int, list[str]] = {}
    ids = [row["id"] for row in rows]
    pairs = sa.select(core_user_role.c.user_id, core_role.c.key).join(core_role)
    for user_id, key in connection.execute(pairs.where(core_user_role.c.user_id.in_(ids)).order_by(core_role.c.key)):
        roles.setdefault(user_id, []).append(key)
    plain = [name for name in User.__slots__ if name not in ("uid", "roles")]
    return [
        User(uid=str(row["uid"]), roles=tuple(roles.get(row["id"], ())), **{name: row[name] for name in plain})
        for row in rows
    ]


def change(ctx: Context, user_id: int, values: dict[str, str]) -> None:
    """Change name, language, time zone or theme. Oneself, or `core.user.edit`. Raises Invalid for any other field."""
    if ctx.actor.user_id != user_id or ctx.actor.kind != "user":
        require(ctx, "edit", TOOL)
    before = get(ctx, user_id)
    _protect_others(ctx, before)
    for field in values.keys() - _PREFERENCES:
        raise Invalid.of(field, msg("There is no field {name}.", name=field), "unknown_field")
    row = _preferences(values)
    if "name" in row:
        row |= {key: value for key, value in _identity(before.email, row["name"]).items() if key.startswith("name")}
    _update(ctx, before, row | {"updated_at": ctx.now}, "updated", values)


def _protect_others(ctx: Context, user: User) -> None:
    if ctx.actor.user_id != user.id:
        protect(ctx, user)


def set_password(
    ctx: Context, user_id: int, password: str, *, current: str | None = None, keep: str | None = None
) -> None:
    """Change a password; all sessions but `keep` (a stored session id) end.

    For oneself `current` must be right; for others it takes `core.user.edit`, and a Super Admin for a Super Admin.
    """
    actor = ctx.actor
    user = get(ctx, user_id)
    if actor.user_id == user_id and actor.kind == "user":
        _check_current(ctx, user_id, current)
    else:
        require(ctx, "edit", TOOL)
        protect(ctx, user)
    passwords.check_new(password)
    row = {"password_hash": passwords.hash_password(password), "password_changed_at": ctx.now, "updated_at": ctx.now}
    _update(ctx, user, row, "password_changed", {})
    sessions.revoke_all(ctx.session.connection(), user_id, ctx.now, keep=keep)


def _check_current(ctx: Context, user_id: int, current: str | None) -> None:
    query = sa.select(core_user.c.password_hash).where(core_user.c.id == user_id)
    stored = ctx.session.connection().scalar(query)
    if not passwords.verify(stored, current or ""):
        raise Invalid.of("current", msg("The present password is not right."))


def set_active(ctx: Context, user_id: int, active: bool) -> None:
    """Let a user in, or keep it out at once: sessions end, tokens and automations rest. Takes `core.user.edit`."""
    require(ctx, "edit", TOOL)
    user = get(ctx, user_id)
    protect(ctx, user)
    if not active and ctx.actor.user_id == user_id:
        raise Conflict(msg("You cannot deactivate yourself."))
    if not active and SUPER_ADMIN in user.roles:
        _keep_one(ctx, user_id)
    _update(ctx, user, {"active": active, "updated_at": ctx.now}, "activated" if active else "deactivated", {})
    if not active:
        sessions.revoke_all(ctx.session.connection(), user_id, ctx.now)


def devices(ctx: Context, user_id: int) -> list[sessions.Device]:
    """Where a person is signed in, the latest first. Oneself, or `core.session.view`."""
    if ctx.actor.user_id != user_id:
        require(ctx, "view", SESSIONS)
    return sessions.devices(ctx.session.connection(), user_id, ctx.now)


def sign_out(ctx: Context, user_id: int, device: str | None = None) -> None:
    """End one of a person's sessions by its public uid, or all. Oneself, or `core.session.edit`. Raises NotFound."""
    user = get(ctx, user_id)
    if ctx.actor.user_id != user_id:
        require(ctx, "edit", SESSIONS)
        protect(ctx, user)
    connection = ctx.session.connection()
    if device is None:
        sessions.revoke_all(connection, user_id, ctx.now)
    elif not sessions.revoke_device(connection, user_id, device, ctx.now):
        raise NotFound
    note(ctx, TOOL, user_id, user.uid, "signed_out", {"device": device})


def _update(ctx: Context, user: User, row: dict[str, Any], verb: str, shown: dict[str, Any]) -> None:
    ctx.session.connection().execute(sa.update(core_user).where(core_user.c.id == user.id).values(row))
    note(ctx, TOOL, user.id, user.uid, verb, shown)
