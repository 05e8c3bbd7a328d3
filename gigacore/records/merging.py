"""Merging two records: one stays and takes over everything that stands on the other, which is gone for good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.data import gone, mark_scoped, trash
from gigacore.data.gone import Gone
from gigacore.data.journal import Entry
from gigacore.entity import ChildSpec, Entity, EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.jobs import enqueue
from gigacore.messages import msg
from gigacore.records import belongings
from gigacore.records.erasing import REGISTER
from gigacore.records.limits import writable_fields
from gigacore.records.obstacles import refuse_if_idle_holds
from gigacore.records.write import check_version, load

if TYPE_CHECKING:
    from gigacore.context import Context

BATCH: Final = 500


def merge(ctx: Context, entity: str, winner_id: int, loser_id: int, *, version: int | None = None) -> Entity:
    """Make two records one, within the caller's unit of work; returns the winner.

    The winner keeps its values and takes those that it lacks; child rows, fields of plugins, references of every
    record, links, activities, shares and files of the loser become its own. The loser goes into the trash, from which
    it does not come back, and into the register, so that no restore makes two of them again.

    Takes the right to edit the winner and to delete the loser; references are moved by rule, whoever owns their
    records. Raises Invalid for one and the same record, InTheWay when rows of plugins that do not run stand on the
    loser, Locked when a frozen record refers to it, StaleVersion for another `version` of the winner.
    """
    session, spec = ctx.session, ctx.session.registry.entity(entity)
    if winner_id == loser_id:
        raise Invalid(msg("A record cannot be merged with itself."))
    winner, loser = load(ctx, entity, winner_id, verb="edit"), load(ctx, entity, loser_id, verb="delete")
    check_version(winner, version)
    refuse_if_idle_holds(ctx, spec, loser_id, "merge")
    _fill(ctx, spec, winner, loser)
    session.flush()
    with session.by_rule():
        for one in _referring(ctx, spec):
            one.point(ctx, loser_id, winner_id)
        _take_extensions(ctx, spec, winner_id, loser_id)
        session.flush()
    label = str(getattr(loser, spec.title_field.attribute, "") or f"#{loser_id}")
    _announce(ctx, spec, winner, loser, label)
    belongings.move(session.connection(), entity, loser_id, winner_id)
    session.expire(loser)
    trash.move(ctx, load(ctx, entity, loser_id, verb="delete"))
    return winner


def _announce(ctx: Context, spec: EntitySpec, winner: Entity, loser: Entity, label: str) -> None:
    connection = ctx.session.connection()
    gone.add(connection, [Gone(loser.uid, spec.name, "merged", winner.uid, ctx.now)])
    values = {"merged": [None, {"id": loser.id, "uid": str(loser.uid), "label": label}]}
    entry = Entry(spec.name, "merged", winner.id, winner.uid, winner.version, ["merged"], values)
    ctx.session.journal.write(connection, ctx, [entry])
    enqueue(ctx, REGISTER, unique_key=REGISTER, system="keep it")


def _fill(ctx: Context, spec: EntitySpec, winner: Entity, loser: Entity) -> None:
    """Gives the winner the values and child rows that it lacks, as far as the actor may write them."""
    writable = writable_fields(ctx.session, spec)
    for field in spec.fields.values():
        if field.readonly or field.computed or field.extension or (writable is not None and field.name not in writable):
            continue
        if field.custom:
            _fill_custom(field, winner, loser)
        else:
            attribute = field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute
            if getattr(winner, attribute) in (None, "") and getattr(loser, attribute) not in (None, ""):
                setattr(winner, attribute, getattr(loser, attribute))
    for child in spec.children.values():
        if writable is None or child.name in writable:
            _take_rows(child, winner, loser)


def _fill_custom(field: FieldSpec, winner: Entity, loser: Entity) -> None:
    value = (loser.custom or {}).get(field.name)
    if value is not None and (winner.custom or {}).get(field.name) is None:
        winner.custom = {**(winner.custom or {}), field.name: value}


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


class _Reference:
    """A field of records, of their child rows or of a plugin's rows that may refer to the loser."""

    def __init__(self, cls: Any, field: FieldSpec) -> None:
        self.cls = cls
        self.field = field

    def point(self, ctx: Context, loser_id: int, winner_id: int) -> None:
        """Lets every such row refer to the winner instead."""
        for row in self._rows(ctx, loser_id):
            if self.field.custom:
                row.custom = {**row.custom, self.field.name: winner_id}
            else:
                setattr(row, self.field.attribute, winner_id)

    def _rows(self, ctx: Context, loser_id: int) -> Iterator[Any]:
        """Rows that refer to the loser, a batch in one flush."""
        column = self.cls.custom[self.field.name].as_integer() if self.field.custom else None
        here = (getattr(self.cls, self.field.attribute) if column is None else column) == loser_id
        statement = mark_scoped(sa.select(self.cls).where(here).order_by(self.cls.id).limit(BATCH))
        while rows := list(ctx.session.scalars(statement)):
            yield from rows
            ctx.session.flush()


def _referring(ctx: Context, spec: EntitySpec) -> Iterator[_Reference]:
    for other in ctx.session.registry.entities.values():
        for field in other.fields.values():
            if field.target == spec.name:
                yield _Reference(field.extension or other.cls, field)
        for child in other.children.values():
            for field in child.fields.values():
                if field.target == spec.name:
                    yield _Reference(child.cls, field)
