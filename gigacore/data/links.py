"""Typed relations between any two records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, insert, or_, select, tuple_

from gigacore.data.journal import Entry
from gigacore.data.tables import core_link
from gigacore.entity import Entity
from gigacore.errors import Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Registry

_L: Final = core_link.c


@dataclass(frozen=True, slots=True)
class LinkKind:
    """A kind of relation. `label` reads from the first record to the second, `reverse` back; empty = symmetric.

    A plugin declares its own with `Plugin(link_kinds=)`; their keys begin with its name (`visits.neighbour`).
    """

    key: str
    label: str
    reverse: str = ""

    @property
    def symmetric(self) -> bool:
        """Whether both ends read alike."""
        return self.reverse in ("", self.label)


KINDS: Final = (
    LinkKind("related", "Related to"),
    LinkKind("duplicate", "Duplicate of", "Has the duplicate"),
    LinkKind("follows", "Follows", "Is followed by"),
    LinkKind("part_of", "Part of", "Consists of"),
    LinkKind("partner", "Partner of"),
)


@dataclass(frozen=True, slots=True)
class Linked:
    """The other end of a link, as seen from one record."""

    link_id: int
    kind: str
    label: str
    entity: str
    record_id: int


def kinds_by_key(more: Iterable[LinkKind] = ()) -> Mapping[str, LinkKind]:
    """The built-in kinds and `more`."""
    return {kind.key: kind for kind in (*KINDS, *more)}


def kinds_of(registry: Registry) -> Mapping[str, LinkKind]:
    """The built-in kinds and those that the running plugins declare, by key."""
    return kinds_by_key(registry.link_kinds)


def link(ctx: Context, first: Entity, second: Entity, kind: LinkKind = KINDS[0], *, reverse: bool = False) -> int:
    """Relate two records. Gives the link's id, that of the present one if they are so related already.

    The actor must be able to edit the first record; with `reverse` the kind reads from the second to the first. Both
    records report the event `linked`.
    """
    registry, connection = ctx.session.registry, ctx.session.connection()
    ctx.session.flush()
    ends = [(registry.of(first).name, first.id), (registry.of(second).name, second.id)]
    if ends[0] == ends[1]:
        raise Invalid(msg("A record cannot be linked to itself."))
    _check_edit(ctx, first)
    if reverse:
        ends.reverse()
    if kind.symmetric:
        ends.sort()
    (from_entity, from_id), (to_entity, to_id) = ends
    values = {
        "from_entity": from_entity, "from_id": from_id, "to_entity": to_entity, "to_id": to_id, "kind": kind.key,
    }  # fmt: skip
    same = connection.scalar(select(_L.id).where(*(_L[name] == value for name, value in values.items())))
    if same is not None:
        return int(same)
    values |= {"uid": uuid7(), "created_at": ctx.now, "created_by": ctx.actor.user_id}
    number = connection.execute(insert(core_link).values(**values).returning(_L.id)).scalar_one()
    reverse = reverse and not kind.symmetric
    _announce(ctx, first, "linked", [None, _tie(registry.of(second).name, second.id, kind.key, reverse)])
    there = not (reverse or kind.symmetric)
    _announce(ctx, second, "linked", [None, _tie(registry.of(first).name, first.id, kind.key, there)])
    return int(number)


def unlink(ctx: Context, record: Entity, link_id: int) -> None:
    """Take a link of that record away. Raises NotFound when it is none of its links."""
    registry, connection = ctx.session.registry, ctx.session.connection()
    name = registry.of(record).name
    _check_edit(ctx, record)
    which = (_L.id == link_id, _at(name, record.id))
    columns = (_L.from_entity, _L.from_id, _L.to_entity, _L.to_id, _L.kind)
    found = connection.execute(select(*columns).where(*which)).first()
    if found is None or connection.execute(delete(core_link).where(*which)).rowcount != 1:
        raise NotFound
    forward = (found.from_entity, found.from_id) == (name, record.id)
    other = (found.to_entity, found.to_id) if forward else (found.from_entity, found.from_id)
    kind = kinds_of(registry).get(found.kind)
    reverse = not forward and not (kind is not None and kind.symmetric)
    _announce(ctx, record, "unlinked", [_tie(*other, found.kind, reverse), None])


def present(ctx: Context, record: Entity, other: tuple[str, int], kind: str, *, reverse: bool) -> int | None:
    """The number of the link between a record and another one (entity, id), read as `link` takes it."""
    here = (ctx.session.registry.of(record).name, record.id)
    known = kinds_of(ctx.session.registry).get(kind)
    ways = [(other, here)] if reverse else [(here, other)]
    if known is not None and known.symmetric:
        ways = [(here, other), (other, here)]
    ends = tuple_(_L.from_entity, _L.from_id, _L.to_entity, _L.to_id).in_([(*first, *second) for first, second in ways])
    found: int | None = ctx.session.connection().scalar(select(_L.id).where(_L.kind == kind, ends))
    return found


def links_of(ctx: Context, record: Entity, kinds: Mapping[str, LinkKind] | None = None) -> list[Linked]:
    """The links of a record whose other end the actor may see, oldest first."""
    known = kinds or kinds_of(ctx.session.registry)
    name = ctx.session.registry.of(record).name
    statement = select(_L.id, _L.from_entity, _L.from_id, _L.to_entity, _L.to_id, _L.kind)
    rows = ctx.session.connection().execute(statement.where(_at(name, record.id)).order_by(_L.id)).all()
    found = []
    for number, from_entity, from_id, to_entity, to_id, key in rows:
        forward = (from_entity, from_id) == (name, record.id)
        entity, other = (to_entity, to_id) if forward else (from_entity, from_id)
        found.append(Linked(number, key, _label(known.get(key), forward, key), entity, other))
    visible = visible_ids(ctx, ((one.entity, one.record_id) for one in found))
    return [one for one in found if one.record_id in visible.get(one.entity, ())]


def visible_ids(ctx: Context, wanted: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    """Which of these records exist and may be seen by the actor: one statement per entity."""
    by_entity: dict[str, set[int]] = {}
    for entity, number in wanted:
        by_entity.setdefault(entity, set()).add(number)
    found: dict[str, set[int]] = {}
    for entity, numbers in by_entity.items():
        spec = ctx.session.registry.entities.get(entity)
        if spec is not None:
            cls: Any = spec.cls
            found[entity] = set(ctx.session.scalars(select(cls.id).where(cls.id.in_(numbers))))
    return found


def _label(kind: LinkKind | None, forward: bool, key: str) -> str:
    if kind is None:
        return key
    return kind.label if forward or kind.symmetric else kind.reverse


def _at(entity: str, record_id: int) -> Any:
    return or_(
        and_(_L.from_entity == entity, _L.from_id == record_id), and_(_L.to_entity == entity, _L.to_id == record_id)
    )


def _check_edit(ctx: Context, record: Entity) -> None:
    session = ctx.session
    if not session.unlimited:
        spec = session.registry.of(record)
        session.guard.check_write(session, spec, record, "edit", frozenset({"links"}), None)


def _tie(entity: str, record_id: int, kind: str, reverse: bool) -> dict[str, Any]:
    """The other end as the audit keeps it, so that the act can be told and taken back."""
    return {"entity": entity, "id": record_id, "kind": kind, "reverse": reverse}


def _announce(ctx: Context, record: Entity, verb: str, pair: list[Any]) -> None:
    name = ctx.session.registry.of(record).name
    entry = Entry(name, verb, record.id, record.uid, record.version, ["links"], {"links": pair})
    ctx.session.journal.write(ctx.session.connection(), ctx, [entry])
