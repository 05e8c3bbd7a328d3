"""Merging two records: one stays and takes over everything that stands on the other, which is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.access import shares
from gigacore.data import gone, mark_scoped, trash
from gigacore.data.gone import Gone
from gigacore.data.journal import Entry
from gigacore.entity import ChildSpec, Entity, EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.jobs import enqueue
from gigacore.messages import msg
from gigacore.records import belongings
from gigacore.records.erasing import REGISTER
from gigacore.records.limits import require, writable_fields
from gigacore.records.obstacles import refuse_if_idle_holds
from gigacore.records.write import check_version, load

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession

BATCH: Final = 500
MERGED: Final = "merged"


def merge(
    ctx: Context,
    entity: str,
    winner_id: int,
    loser_id: int,
    *,
    take: Collection[str] = (),
    version: int | None = None,
) -> Entity:
    """Make two records one, within the caller's unit of work; returns the winner.

    The winner keeps its values and takes those that it lacks, and those of the fields that `take` names; child rows,
    fields of plugins, references of every record, links, activities, shares and files of the loser become its own. The
    loser goes into the trash, from which only `unmerge` takes it back, and into the register, so that no restore makes
    two of them again.

    Takes the right to edit the winner and to delete the loser, and to share the winner where the loser is shared;
    references are moved by rule, whoever owns their records. Raises Invalid for one and the same record, InTheWay when
    rows of plugins that do not run stand on the loser, Locked when a frozen record refers to it, StaleVersion for
    another `version` of the winner.
    """
    session, spec = ctx.session, ctx.session.registry.entity(entity)
    if winner_id == loser_id:
        raise Invalid(msg("A record cannot be merged with itself."))
    winner, loser = load(ctx, entity, winner_id, verb="edit"), load(ctx, entity, loser_id, verb="delete")
    require_rights(ctx, spec, winner, loser)
    check_version(winner, version)
    refuse_if_idle_holds(ctx, spec, loser_id, "merge")
    _fill(ctx, spec, winner, loser, take)
    session.flush()
    with session.by_rule():
        pointed = {one.key: one.point(ctx, loser_id, winner_id) for one in referring(session, spec)}
        _take_extensions(ctx, spec, winner_id, loser_id)
        session.flush()
    moved = belongings.move(session.connection(), entity, loser_id, winner_id)
    _announce(ctx, spec, winner, loser, {"references": {k: ids for k, ids in pointed.items() if ids}, "moved": moved})
    session.expire(loser)
    trash.move(ctx, load(ctx, entity, loser_id, verb="delete"))
    return winner


def require_rights(ctx: Context, spec: EntitySpec, winner: Entity, loser: Entity) -> None:
    """What moves by rule is judged by nothing later; whom the loser is shared with, the winner is then shared with."""
    require(ctx, "edit", spec, winner)
    require(ctx, "delete", spec, loser)
    if spec.owned and shares.of(ctx, loser):
        require(ctx, "share", spec, winner)


def _announce(ctx: Context, spec: EntitySpec, winner: Entity, loser: Entity, took_over: Mapping[str, Any]) -> None:
    connection = ctx.session.connection()
    gone.add(connection, [Gone(loser.uid, spec.name, "merged", winner.uid, ctx.now)])
    label = str(getattr(loser, spec.title_field.attribute, "") or f"#{loser.id}")
    values = {"merged": [None, {"id": loser.id, "uid": str(loser.uid), "label": label, **took_over}]}
    entry = Entry(spec.name, MERGED, winner.id, winner.uid, winner.version, ["merged"], values)
    ctx.session.journal.write(connection, ctx, [entry])
    enqueue(ctx, REGISTER, unique_key=REGISTER, system="keep it")


def fillable(session: ActorSession, spec: EntitySpec) -> list[FieldSpec]:
    """The fields whose values a merge carries over, as far as the actor may write them."""
    writable = writable_fields(session, spec)
    return [
        field
        for field in spec.fields.values()
        if not (field.readonly or field.computed or field.extension) and (writable is None or field.name in writable)
    ]


def value_of(record: Entity, field: FieldSpec) -> Any:
    """The value of a field of a record, None where it is empty."""
    if field.custom:
        return (record.custom or {}).get(field.name)
    found = getattr(record, field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute)
    return None if found == "" else found


def _fill(ctx: Context, spec: EntitySpec, winner: Entity, loser: Entity, take: Collection[str]) -> None:
    """Gives the winner the values and child rows that it lacks, and the values that were chosen."""
    fields = fillable(ctx.session, spec)
    if unknown := sorted(set(take) - {field.name for field in fields}):
        raise Invalid.of("take", msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    for field in fields:
        value = value_of(loser, field)
        if field.name in take or (value is not None and value_of(winner, field) is None):
            _give(field, winner, value)
    writable = writable_fields(ctx.session, spec)
    for child in spec.children.values():
        if writable is None or child.name in writable:
            _take_rows(child, winner, loser)


def _give(field: FieldSpec, winner: Entity, value: Any) -> None:
    if field.custom:
        winner.custom = {**(winner.custom or {}), field.name: value}
    else:
        setattr(winner, field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute, value)


def _take_rows(child: ChildSpec, winner: Entity, loser: Entity) -> None:
    """Adds copies of the loser's rows that say something new."""
    rows: list[Any] = getattr(winner, child.name)
    known = [_values(child, row) for row in rows]
    for row in getattr(loser, child.name):
        values = _values(child, row)
        if values not in known:
            known.append(values)
            added = child.cls()
            for name, value in values.items():
                setattr(added, name, value)
            added.position = len(rows)
            rows.append(added)


def _values(child: ChildSpec, row: Any) -> dict[str, Any]:
    fields = [field for field in child.fields.values() if not (field.readonly or field.computed)]
    names = [field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute for field in fields]
    return {name: getattr(row, name) for name in names if name != "is_primary"}


def _take_extensions(ctx: Context, spec: EntitySpec, winner_id: int, loser_id: int) -> None:
    """Fields of plugins: where the winner has none, it takes the loser's row."""
    for cls in spec.extensions.values():
        row, own = ctx.session.get(cls, loser_id), ctx.session.get(cls, winner_id)
        if row is None or own is not None:
            continue
        copy: Any = cls(id=winner_id)
        for field in cls.__fields__.values():
            setattr(copy, field.attribute, getattr(row, field.attribute))
        ctx.session.add(copy)


class Reference:
    """A field of records, of their child rows or of a plugin's rows that may refer to the loser."""

    def __init__(self, owner: EntitySpec, cls: Any, field: FieldSpec) -> None:
        self.owner = owner
        self.cls = cls
        self.field = field

    @property
    def key(self) -> str:
        """A name for it that lasts: the table and the field."""
        return f"{self.cls.__tablename__}.{self.field.name}"

    def point(self, ctx: Context, loser_id: int, winner_id: int) -> list[int]:
        """Lets every such row refer to the winner instead; returns their ids."""
        return [self._set(row, winner_id) for row in self._rows(ctx, loser_id)]

    def count(self, session: ActorSession, record_id: int) -> int:
        """How many rows refer to a record, whoever may see them."""
        statement = sa.select(sa.func.count()).select_from(self.cls).where(self._column() == record_id)
        return int(session.scalar(mark_scoped(statement)) or 0)

    def point_back(self, ctx: Context, row_ids: Sequence[int], loser_id: int, winner_id: int) -> int:
        """Lets these rows refer to the loser again; gives how many do not: changed since, or gone."""
        here = sa.and_(self.cls.id.in_(row_ids), self._column() == winner_id)
        rows = ctx.session.scalars(mark_scoped(sa.select(self.cls).where(here))).all()
        for row in rows:
            self._set(row, loser_id)
        return len(row_ids) - len(rows)

    def _set(self, row: Any, record_id: int) -> int:
        if self.field.custom:
            row.custom = {**row.custom, self.field.name: record_id}
        else:
            setattr(row, self.field.attribute, record_id)
        return int(row.id)

    def _column(self) -> Any:
        if self.field.custom:
            return self.cls.custom[self.field.name].as_integer()
        return getattr(self.cls, self.field.attribute)

    def _rows(self, ctx: Context, loser_id: int) -> Iterator[Any]:
        """Rows that refer to the loser, a batch in one flush."""
        statement = sa.select(self.cls).where(self._column() == loser_id).order_by(self.cls.id).limit(BATCH)
        while rows := list(ctx.session.scalars(mark_scoped(statement))):
            yield from rows
            ctx.session.flush()


def referring(session: ActorSession, spec: EntitySpec) -> Iterator[Reference]:
    """Every field that may refer to records of an entity."""
    for other in session.registry.entities.values():
        for field in other.fields.values():
            if field.target == spec.name:
                yield Reference(other, field.extension or other.cls, field)
        for child in other.children.values():
            for field in child.fields.values():
                if field.target == spec.name:
                    yield Reference(other, child.cls, field)
