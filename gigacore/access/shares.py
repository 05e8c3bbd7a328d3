"""Shares: one record opened to one person or team for one verb, besides what roles and visibility give."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.access.decide import require
from gigacore.access.tables import core_share, core_team, core_user
from gigacore.access.verbs import RESPONSIBLE, VERBS
from gigacore.data.journal import Entry
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity


@dataclass(frozen=True, slots=True)
class Share:
    """Who else may do something with a record; exactly one of `user_id` and `team_id` is set."""

    user_id: int | None
    team_id: int | None
    verb: str
    created_at: datetime
    created_by: int | None


def add(
    ctx: Context, record: Entity, *, user_id: int | None = None, team_id: int | None = None, verb: str = "view"
) -> bool:
    """Share a record. Each share lets its holder look; `responsible` gives all that owning gives.

    Takes `share` on the record, and `assign` to make somebody responsible. Sharing twice changes nothing (False).
    """
    _check(ctx, record, verb)
    row = _party(ctx, user_id, team_id) | {"entity": _name(record), "record_id": record.id, "verb": verb}
    connection, s = ctx.session.connection(), core_share.c
    same = sa.and_(*(getattr(s, name).is_not_distinct_from(value) for name, value in row.items()))
    if connection.scalar(sa.select(s.id).where(same)) is not None:
        return False
    connection.execute(sa.insert(core_share).values(row | {"created_at": ctx.now, "created_by": ctx.actor.user_id}))
    _note(ctx, record, "shared", row)
    return True


def _check(ctx: Context, record: Entity, verb: str) -> None:
    name = _name(record)
    if verb not in VERBS and verb != RESPONSIBLE and verb not in ctx.session.registry.actions.get(name, ()):
        raise Invalid.of("verb", msg("{name} is no verb.", name=verb))
    if not type(record).__giga__.owned:
        raise Invalid.of("record", msg("Records of this kind cannot be shared."))
    require(ctx, "share", name, record)
    if verb != "view":
        # Nobody hands on more than they have: responsibility takes the right to assign, a verb takes that verb.
        require(ctx, "assign" if verb == RESPONSIBLE else verb, name, record)


def _party(ctx: Context, user_id: int | None, team_id: int | None) -> dict[str, Any]:
    if (user_id is None) == (team_id is None):
        raise Invalid.of("user_id", msg("Share with one person or one team."))
    table, id_, field = (core_user, user_id, "user_id") if user_id is not None else (core_team, team_id, "team_id")
    if ctx.session.connection().scalar(sa.select(table.c.id).where(table.c.id == id_)) is None:
        raise Invalid.of(field, msg("There is no such user.") if user_id is not None else msg("There is no such team."))
    return {"user_id": user_id, "team_id": team_id}


def remove(
    ctx: Context, record: Entity, *, user_id: int | None = None, team_id: int | None = None, verb: str | None = None
) -> int:
    """Take shares of a person or team back, of one verb or of all; returns how many. Takes `share` on the record."""
    _check(ctx, record, "view")
    s = core_share.c
    which = [s.entity == _name(record), s.record_id == record.id, s.user_id.is_not_distinct_from(user_id)]
    which.append(s.team_id.is_not_distinct_from(team_id))
    if verb is not None:
        which.append(s.verb == verb)
    removed = ctx.session.connection().scalars(sa.delete(core_share).where(*which).returning(s.verb)).all()
    for one in sorted(removed):
        _note(ctx, record, "unshared", {"user_id": user_id, "team_id": team_id, "verb": one})
    return len(removed)


def of(ctx: Context, record: Entity) -> list[Share]:
    """With whom a record is shared; for whoever may see it."""
    require(ctx, "view", _name(record), record)
    s = core_share.c
    columns = (s.user_id, s.team_id, s.verb, s.created_at, s.created_by)
    query = sa.select(*columns).where(s.entity == _name(record), s.record_id == record.id).order_by(s.id)
    return [Share(*row) for row in ctx.session.connection().execute(query)]


def drop(connection: sa.Connection, entity: str, record_id: int) -> None:
    """Remove all shares of a record that is gone for good, so that none outlives it."""
    which = (core_share.c.entity == entity, core_share.c.record_id == record_id)
    connection.execute(sa.delete(core_share).where(*which))


def _name(record: Entity) -> str:
    return type(record).__giga__.name


def _note(ctx: Context, record: Entity, verb: str, values: dict[str, Any]) -> None:
    shown = {name: values.get(name) for name in ("user_id", "team_id", "verb")}
    entry = Entry(_name(record), verb, record.id, record.uid, record.version, sorted(shown), shown)
    ctx.session.journal.write(ctx.session.connection(), ctx, [entry])
