"""Many records at once, by the same rules as one: rights, locks, hooks, key columns, audit and events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from gigacore.data import file_uses, rollups
from gigacore.data.changes import Change
from gigacore.data.custom import set_custom
from gigacore.data.faults import translated_errors
from gigacore.data.flush import Collector, entry_of
from gigacore.data.inserts import next_ids
from gigacore.entity import Entity, EntitySpec
from gigacore.errors import GigaError, Misuse, NotFound
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data.session import ActorSession

CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of the records: the ids of those that were written, the errors of others by their position."""

    ids: list[int]
    refused: dict[int, GigaError]


def insert(ctx: Context, records: Sequence[Entity], *, keep_going: bool = False) -> Inserted:
    """Write new records, with the child rows in their collections, in a few statements.

    The objects are of one entity and do not join the session: read them again to change them. Hooks are called as for
    single records; `after_save` sees the objects as they were written. With `keep_going` a record that rights or
    rules refuse is left out, otherwise its error is raised.
    """
    session = ctx.session
    if not session.writable:
        raise Misuse(msg("This session only reads."), fix=msg("Open a unit of work to write."))
    if not records:
        return Inserted([], {})
    session.flush()
    changes, refused = _judged(session, records, keep_going)
    if not changes:
        return Inserted([], refused)
    records = [change.record for change in changes]
    connection, plan = session.connection(), changes[0].plan
    with session.door.opened(), translated_errors():
        numbers = next_ids(connection, plan.spec.table, len(records))
        for record, number in zip(records, numbers, strict=True):
            record.id = number
        plan.inserter.write(connection, records)
        for child in plan.spec.children.values():
            session.plans.children[child.cls].inserter.write(connection, _child_rows(records, child.name))
    rollups.refresh_referred(session, changes)
    file_uses.settle(session, changes)
    session.journal.write(connection, ctx, (entry_of(change) for change in changes))
    for change in changes:
        change.announce(session)
    return Inserted(numbers, refused)


def _judged(
    session: ActorSession, records: Sequence[Entity], keep_going: bool
) -> tuple[list[Change], dict[int, GigaError]]:
    collector, changes, refused = Collector(session), list[Change](), dict[int, GigaError]()
    plan = session.plans.entities[type(records[0])]
    for position, record in enumerate(records):
        collector.apply_defaults(record, plan)
        change = Change(plan, record, "created")
        collector.update(change)
        try:
            collector.judge(change)
        except GigaError as error:
            if not keep_going:
                raise
            refused[position] = error
            continue
        collector.complete(change)
        changes.append(change)
    session.raised.clear()
    return changes, refused


def _child_rows(records: Sequence[Entity], name: str) -> list[Any]:
    rows = []
    for record in records:
        for position, row in enumerate(record.__dict__.get(name) or ()):
            row.parent_id = record.id
            if row.position is None:
                row.position = position
            rows.append(row)
    return rows


def update(ctx: Context, spec: EntitySpec, ids: Sequence[int], values: Mapping[str, Any]) -> int:
    """Set the same values, by field name, on all these records. Gives the number of records.

    Raises NotFound when the actor may not see one of them, Forbidden, Locked or Invalid as for a single record; then
    nothing at all is to be committed.
    """

    def change(record: Any) -> None:
        for name, value in values.items():
            field = spec.field(name)
            if field.custom:
                set_custom(record, field, value)
            else:
                attribute = field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute
                setattr(record, attribute, value)

    return _each(ctx, spec, ids, change)


def delete(ctx: Context, spec: EntitySpec, ids: Sequence[int]) -> int:
    """Move all these records into the trash. Gives their number; raises as `update`."""
    return _each(ctx, spec, ids, ctx.session.delete)


def _each(ctx: Context, spec: EntitySpec, ids: Sequence[int], act: Callable[[Any], None]) -> int:
    session, cls, done = ctx.session, spec.cls, 0
    for chunk in _chunks(list(dict.fromkeys(ids))):
        records = session.scalars(select(cls).where(cls.id.in_(chunk))).all()
        if len(records) != len(chunk):
            raise NotFound
        for record in records:
            act(record)
        session.flush()
        for record in records:
            if record in session:
                session.expunge(record)
        done += len(records)
    return done


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
