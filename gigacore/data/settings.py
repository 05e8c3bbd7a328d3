"""Settings kept in the database, for the installation, an organisation or a user; the narrower one wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
from sqlalchemy import Connection, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data import audit
from gigacore.data.engine import dumps
from gigacore.data.generation import bump_generation
from gigacore.data.tables import core_setting
from gigacore.errors import Misuse
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

Scope = Literal["installation", "org", "user"]
_C: Final = core_setting.c
_ORDER: Final = {"installation": 0, "org": 1, "user": 2}
_CHANGED: Final = "giga_settings_changed"


def read(connection: Connection, *, org_id: int | None = None, user_id: int | None = None) -> Mapping[str, Any]:
    """All settings as they hold for an organisation and a user."""
    return {key: orjson.loads(value) for key, value in _stored(connection, org_id, user_id).items()}


def _stored(connection: Connection, org_id: int | None, user_id: int | None) -> Mapping[str, str]:
    scopes = [_C.scope == "installation"]
    if org_id is not None:
        scopes.append((_C.scope == "org") & (_C.scope_id == org_id))
    if user_id is not None:
        scopes.append((_C.scope == "user") & (_C.scope_id == user_id))
    rows = connection.execute(select(_C.scope, _C.key, _C.value).where(or_(*scopes))).all()
    return {key: value for _, key, value in sorted(rows, key=lambda row: _ORDER[row[0]])}


def get(ctx: Context, key: str, default: Any = None) -> Any:
    """One setting as it holds for the actor. What another process changes is seen here within two seconds."""
    stored = _held(ctx).get(key)
    return default if stored is None else orjson.loads(stored)


def _held(ctx: Context) -> Mapping[str, str]:
    """The actor's settings, kept beside the registry: it is made anew when any of them changes."""
    session, actor = ctx.session, ctx.actor
    if session.info.get(_CHANGED):
        return _stored(session.connection(), actor.org_id, actor.user_id)
    known: dict[tuple[int | None, int | None], Mapping[str, str]] = session.registry.memo.setdefault("settings", {})
    who = actor.org_id, actor.user_id
    if who not in known:
        known[who] = _stored(session.connection(), *who)
    return known[who]


def _changed(ctx: Context, verb: str, key: str, scope: Scope) -> None:
    ctx.session.info[_CHANGED] = True
    bump_generation(ctx.session.connection())
    audit.record(ctx, "core.setting", verb, values={"key": key, "scope": scope})


def put(ctx: Context, key: str, value: Any, *, scope: Scope = "installation", plugin: str = "") -> None:
    """Set a value; the caller has checked that the actor may. Scope `org` and `user` are the actor's own."""
    connection = ctx.session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {
        "scope": scope, "scope_id": _scope_id(ctx, scope), "key": key, "value": dumps(value), "plugin": plugin,
        "updated_at": ctx.now, "updated_by": ctx.actor.user_id,
    }  # fmt: skip
    row = dialect.insert(core_setting).values(**values)
    changed = {name: row.excluded[name] for name in ("value", "plugin", "updated_at", "updated_by")}
    connection.execute(row.on_conflict_do_update(index_elements=["scope", "scope_id", "key"], set_=changed))
    _changed(ctx, "changed", key, scope)


def remove(ctx: Context, key: str, *, scope: Scope = "installation") -> None:
    """Let the wider scope, or the declared default, hold again."""
    mine = (_C.scope == scope, _C.scope_id == _scope_id(ctx, scope), _C.key == key)
    ctx.session.connection().execute(delete(core_setting).where(*mine))
    _changed(ctx, "removed", key, scope)


def _scope_id(ctx: Context, scope: Scope) -> int:
    if scope == "user":
        if ctx.actor.user_id is None:
            raise Misuse(msg("Only a user has settings of their own."))
        return ctx.actor.user_id
    return ctx.actor.org_id if scope == "org" else 0
