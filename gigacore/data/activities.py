"""Activities: what happened with whom and when, linked to many records, shown where their source may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, insert, or_, select, tuple_

from gigacore.data.door import mark_scoped
from gigacore.data.tables import core_activity, core_activity_link
from gigacore.entity import Entity
from gigacore.errors import NotFound
from gigacore.ids import uuid7
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data.session import ActorSession

_A: Final = core_activity.c
_K: Final = core_activity_link.c


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of a timeline."""

    id: int
    at: datetime
    kind: str
    direction: str
    title: str
    summary: str | None
    actor_kind: str
    actor_id: int | None
    actor_name: str
    source_entity: str | None
    source_id: int | None
    plugin: str
    data: Any


_SHOWN: Final = tuple(_A[name] for name in Activity.__slots__)


def log(
    ctx: Context,
    kind: str,
    title: str,
    records: Iterable[Entity | tuple[str, int]],
    *,
    source: Entity | None = None,
    direction: Literal["", "in", "out"] = "",
    at: datetime | None = None,
    summary: str | None = None,
    data: Mapping[str, Any] | None = None,
    plugin: str = "",
) -> int:
    """Record that something happened with these records. Gives the activity's id.

    `kind` is `<plugin>.<kind>` such as `crm.call`; who may see it follows the `source` record (a task, a mail), and
    without one everybody who sees a linked record. `title` is kept as it is, at most 300 characters.
    """
    session = ctx.session
    session.flush()
    moment = at or ctx.now
    values = {
        "uid": uuid7(), "org_id": ctx.actor.org_id, "at": moment, "kind": kind, "direction": direction,
        "title": title[:300], "summary": summary, "actor_kind": ctx.actor.kind, "actor_id": ctx.actor.user_id,
        "actor_name": ctx.actor.name, "plugin": plugin or kind.partition(".")[0],
        "data": dict(data) if data else None,
    }  # fmt: skip
    if source is not None:
        values |= {"source_entity": session.registry.of(source).name, "source_id": source.id}
    connection = session.connection()
    number = connection.execute(insert(core_activity).values(**values).returning(_A.id)).scalar_one()
    ends = sorted({_end(session, one) for one in records})
    rows = [{"activity_id": number, "entity": name, "record_id": key, "at": moment} for name, key in ends]
    if rows:
        connection.execute(insert(core_activity_link), rows)
    session.hooks.activity_logged(ctx, kind, moment, ends)
    return int(number)


def share(ctx: Context, origin: Entity, records: Iterable[Entity]) -> None:
    """Let the history of one record be that of others too, because they come from it."""
    registry = ctx.session.registry
    connection = ctx.session.connection()
    ctx.session.flush()
    mine = select(_K.activity_id, _K.at).where(*_about(registry.of(origin).name, origin.id))
    history = connection.execute(mine).all()
    for record in records:
        entity = registry.of(record).name
        known = set(connection.scalars(select(_K.activity_id).where(*_about(entity, record.id))))
        rows = [
            {"activity_id": number, "entity": entity, "record_id": record.id, "at": at}
            for number, at in history
            if number not in known
        ]
        if rows:
            connection.execute(insert(core_activity_link), rows)


def forget(ctx: Context, source: Entity) -> None:
    """Take back what was logged about a source record, because it changed and is logged anew."""
    session = ctx.session
    mine = (_A.source_entity == session.registry.of(source).name, _A.source_id == source.id)
    session.connection().execute(delete(core_activity).where(*mine))


def timeline(
    ctx: Context,
    entity: str,
    record_id: int,
    *,
    kinds: Sequence[str] = (),
    limit: int = 50,
    before: tuple[datetime, int] | None = None,
) -> list[Activity]:
    """The activities of a record, newest first, without those whose source the actor may not see.

    `before` is (at, id) of the last one shown. Raises NotFound when the record itself may not be seen.
    """
    _require_visible(ctx, entity, record_id)
    statement = select(*_SHOWN).join(core_activity_link, _K.activity_id == _A.id)
    statement = statement.where(*_about(entity, record_id), _visible(ctx.session, entity, record_id))
    if kinds:
        statement = statement.where(_A.kind.in_(kinds))
    if before is not None:
        statement = statement.where(tuple_(_K.at, _A.id) < before)
    statement = statement.order_by(_K.at.desc(), _A.id.desc()).limit(limit)
    return [Activity(*row) for row in ctx.session.connection().execute(mark_scoped(statement))]


def newest_by_others(ctx: Context, entity: str, record_id: int, *, since: UUID) -> str | None:
    """Who last added to a record's timeline after `since` (a UUIDv7 of that moment), other than the actor.

    What the actor may not see does not count. One statement while nothing was added.
    """
    statement = select(_A.actor_name).join(core_activity_link, _K.activity_id == _A.id)
    statement = statement.where(
        *_about(entity, record_id), _A.uid > since, _A.actor_id.is_distinct_from(ctx.actor.user_id)
    )
    connection = ctx.session.connection()
    if connection.execute(statement.limit(1)).first() is None:
        return None
    _require_visible(ctx, entity, record_id)
    seen = statement.where(_visible(ctx.session, entity, record_id)).order_by(_A.id.desc()).limit(1)
    found: str | None = connection.scalar(mark_scoped(seen))
    return found


@dataclass(frozen=True, slots=True)
class Contacts:
    """How often and when there was contact with a record, and the title of the last time."""

    count: int
    at: datetime | None
    title: str | None


CONTACT_KINDS: Final = frozenset({"call", "email", "meeting", "message"})


def is_contact(kind: str) -> bool:
    """Whether an activity of that kind (`voip.call`, `crm.meeting`) is an exchange with a person."""
    return kind.rpartition(".")[2] in CONTACT_KINDS


_CONTACTS: Final = (
    select(func.count().over().label("count"), _A.at, _A.title)
    .select_from(core_activity_link.join(core_activity, _A.id == _K.activity_id))
    .where(_K.entity == bindparam("entity"), _K.record_id == bindparam("record"))
    .where(or_(*(_A.kind.like(f"%.{kind}") for kind in sorted(CONTACT_KINDS))))
    .order_by(_K.at.desc(), _A.id.desc())
    .limit(1)
)


def contacts_of(connection: Any, entity: str, record_id: int) -> Contacts:
    """The exchanges with a record; figures for rules, not judged by policy."""
    row = connection.execute(_CONTACTS, {"entity": entity, "record": record_id}).first()
    return Contacts(0, None, None) if row is None else Contacts(*row)


def last_at(connection: Any, entity: str, record_id: int, kinds: Sequence[str]) -> datetime | None:
    """When the last activity of one of these kinds happened; a figure for rules, not judged by policy."""
    statement: Select[Any] = (
        select(func.max(_K.at)).select_from(core_activity_link).join(core_activity, _A.id == _K.activity_id)
    )
    found: datetime | None = connection.scalar(statement.where(*_about(entity, record_id), _A.kind.in_(kinds)))
    return found


def count_since(connection: Any, entity: str, record_id: int, kinds: Sequence[str], since: datetime) -> int:
    """How many activities of these kinds there were since then; a figure for rules, not judged by policy."""
    statement = select(func.count()).select_from(core_activity_link)
    statement = statement.join(core_activity, _A.id == _K.activity_id)
    recent = statement.where(*_about(entity, record_id), _A.kind.in_(kinds), _K.at >= since)
    return int(connection.scalar(recent))


def _about(entity: str, record_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _K.entity == entity, _K.record_id == record_id


def _visible(session: ActorSession, entity: str, record_id: int) -> ColumnElement[bool]:
    """True for activities without a source and those whose source the actor may see."""
    statement = select(_A.source_entity).distinct().join(core_activity_link, _K.activity_id == _A.id)
    sources = session.connection().scalars(statement.where(*_about(entity, record_id))).all()
    allowed: list[ColumnElement[bool]] = [_A.source_entity.is_(None)]
    for name in sources:
        spec = session.registry.entities.get(name or "")
        if spec is None:
            continue
        cls: Any = spec.cls
        limit = None if session.unlimited else session.guard.criteria(session, spec, "view")
        visible = select(cls.id) if limit is None else select(cls.id).where(limit)
        allowed.append(and_(_A.source_entity == name, _A.source_id.in_(visible)))
    return or_(*allowed)


def _require_visible(ctx: Context, entity: str, record_id: int) -> None:
    cls: Any = ctx.session.registry.entity(entity).cls
    if ctx.session.scalars(select(cls.id).where(cls.id == record_id)).first() is None:
        raise NotFound


def _end(session: ActorSession, one: Entity | tuple[str, int]) -> tuple[str, int]:
    return (session.registry.of(one).name, one.id) if isinstance(one, Entity) else one
