"""What the actor may see, read and write, asked of the session's guard in the words of this service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore import access
from gigacore.access.decide import guard_of
from gigacore.access.readers import DraftReader
from gigacore.data.tables import core_trash
from gigacore.entity import ChildSpec, Entity, EntitySpec, FieldSpec
from gigacore.filter import Condition, PyEnv, RecordReader, SqlEnv, to_where

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession

_READABLE: Final = "giga_readable"


def require(ctx: Context, verb: str, spec: EntitySpec, record: Entity | None = None) -> None:
    """Raise Forbidden when no role knows the verb, NotFound when `record` is hidden."""
    access.require(ctx, verb, spec.name, record)


def may_act(ctx: Context, verb: str, spec: EntitySpec, record: Entity | None = None) -> bool:
    """Whether the actor may do `verb`, with `record` if one is given."""
    return access.may(ctx, verb, spec.name, record)


def visible(session: ActorSession, spec: EntitySpec, verb: str = "view") -> ColumnElement[bool] | None:
    """The criterion, on the entity's own table, of what the actor sees (or may `verb`); None = everything."""
    if session.actor.is_system:
        return None
    return guard_of(session.context).visible(session, spec, spec.table, verb)


def surely_sees(session: ActorSession, spec: EntitySpec, record: Entity) -> bool:
    """Whether the actor sees a record as it is in memory; False = ask the database."""
    return session.actor.is_system or guard_of(session.context).surely_sees(session, spec, record)


def could_see(session: ActorSession, spec: EntitySpec, record_id: int) -> bool:
    """Whether the actor saw a record that is in the trash, judged by its ownership and openness alone."""
    if visible(session, spec) is None:
        return True
    kept = core_trash.c
    owned = sa.select(kept.owner_id, kept.team_id, kept.visibility)
    row = session.connection().execute(owned.where(kept.entity == spec.name, kept.record_id == record_id)).first()
    return row is not None and spec.owned and surely_sees(session, spec, spec.cls(**row._asdict()))


def known_names(session: ActorSession, target: str) -> dict[int, str]:
    """The names of users, teams and organisations that need not be read again; what is added is kept where it lasts."""
    known = None if session.actor.is_system else guard_of(session.context).names(session, target)
    return {} if known is None else known


def readable_fields(session: ActorSession, spec: EntitySpec) -> frozenset[str]:
    """The names of the fields and children that the actor may read."""
    known: dict[str, frozenset[str]] = session.info.setdefault(_READABLE, {})
    found = known.get(spec.name)
    if found is None:
        readable = reader_of(session)
        children = (child.name for child in spec.children.values() if readable(spec, as_field(spec, child)))
        found = known[spec.name] = guard_of(session.context).readable_names(session, spec).union(children)
    return found


def reader_of(session: ActorSession) -> Callable[[EntitySpec, FieldSpec], bool]:
    """Whether the actor may read a field of an entity."""
    if session.actor.is_system:
        return _not_secret
    guard = guard_of(session.context)
    return lambda spec, field: guard.readable(session, spec, field)


def _not_secret(spec: EntitySpec, field: FieldSpec) -> bool:
    return not field.secret


def writable_fields(session: ActorSession, spec: EntitySpec) -> frozenset[str] | None:
    """The names that input may hold; None = all that are not the server's own."""
    if session.actor.is_system or session.actor.super_admin:
        return None
    return guard_of(session.context).writable_names(session, spec)


def as_field(spec: EntitySpec, child: ChildSpec) -> FieldSpec:
    """Child rows in the eyes of field rules."""
    return FieldSpec(name=child.name, kind="json", label=child.label, entity=spec.name, plugin=spec.plugin)


def condition_sql(ctx: Context, spec: EntitySpec, condition: Condition) -> ColumnElement[bool]:
    """A filter as the end of a WHERE on the entity's own table; records out of sight count as missing in it."""
    session = ctx.session
    environment = SqlEnv(
        table=spec.table,
        registry=session.registry,
        actor=ctx.actor,
        now=ctx.now,
        visible=lambda other: visible(session, other),
    )
    return to_where(condition, environment)


def record_environment(ctx: Context, record: Entity) -> tuple[RecordReader, PyEnv]:
    """What evaluating a rule on one loaded record needs. Rules look at all records, whatever the actor may see."""
    return DraftReader(ctx.session, record), PyEnv(ctx.session.registry, ctx.actor, ctx.now)
