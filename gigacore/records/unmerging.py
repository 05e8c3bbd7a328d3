"""What a merge would do, and taking a merge back: both know what it carries over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gigacore.data import audit, trash
from gigacore.data.audit import AuditRow
from gigacore.data.journal import Entry
from gigacore.entity import Entity, EntitySpec, FieldSpec
from gigacore.errors import Conflict, GigaError, Invalid, NotFound
from gigacore.messages import Msg, msg
from gigacore.records import belongings, write
from gigacore.records.limits import readable_fields, require
from gigacore.records.merging import BATCH, MERGED, Reference, fillable, referring, require_rights, value_of
from gigacore.records.obstacles import refuse_if_idle_holds
from gigacore.records.undo import before
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

UNMERGED: Final = "unmerged"
STEPS: Final = 20
THINGS: Final[Mapping[str, Msg]] = {
    "core_share": msg("shares"),
    "core_link": msg("links"),
    "core_attachment": msg("files"),
    "core_activity_link": msg("activities"),
}


@dataclass(frozen=True, slots=True)
class Choosable:
    """A field in which two records differ: what the winner has, and what the other one has."""

    field: FieldSpec
    mine: Any
    other: Any


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would do: fields to choose in, what moves with its count, why it would be refused."""

    fields: tuple[Choosable, ...]
    moves: tuple[tuple[Msg, int], ...]
    refusal: GigaError | None = None


@dataclass(frozen=True, slots=True)
class Unmerged:
    """A merge that was taken back: the record that is there again, and what stays with the winner, in words."""

    record: Entity
    left: tuple[Msg, ...]


def merge_plan(ctx: Context, entity: str, winner_id: int, loser_id: int) -> MergePlan:
    """What merging would do, and why it would be refused; changes nothing.

    Raises NotFound when the actor may not see one of the two.
    """
    session, spec = ctx.session, ctx.session.registry.entity(entity)
    winner, loser = write.load(ctx, entity, winner_id), write.load(ctx, entity, loser_id)
    readable = readable_fields(session, spec)
    shown = [field for field in fillable(session, spec) if field.name in readable]
    pairs = [Choosable(field, value_of(winner, field), value_of(loser, field)) for field in shown]
    differing = tuple(one for one in pairs if one.mine != one.other and one.other is not None)
    return MergePlan(differing, tuple(_moves(ctx, spec, loser)), _refusal(ctx, spec, winner_id, loser_id))


def _moves(ctx: Context, spec: EntitySpec, loser: Entity) -> Iterator[tuple[Msg, int]]:
    referred: dict[str, int] = {}
    for one in referring(ctx.session, spec):
        referred[one.owner.label_plural] = referred.get(one.owner.label_plural, 0) + one.count(ctx.session, loser.id)
    yield from ((Msg(label), count) for label, count in referred.items() if count)
    yield from ((Msg(one.label), len(getattr(loser, one.name))) for one in spec.children.values()
                if getattr(loser, one.name))  # fmt: skip
    standing = belongings.count(ctx.session.connection(), spec.name, loser.id)
    yield from ((THINGS[name], count) for name, count in standing.items() if count and name in THINGS)


def _refusal(ctx: Context, spec: EntitySpec, winner_id: int, loser_id: int) -> GigaError | None:
    try:
        if winner_id == loser_id:
            raise Invalid(msg("A record cannot be merged with itself."))
        winner = write.load(ctx, spec.name, winner_id, verb="edit")
        require_rights(ctx, spec, winner, write.load(ctx, spec.name, loser_id, verb="delete"))
        refuse_if_idle_holds(ctx, spec, loser_id, "merge")
    except GigaError as error:
        return error
    return None


def unmerge(ctx: Context, entity: str, winner_id: int, change: UUID) -> Unmerged:
    """Take a merge back (an audit id of the winner), within the caller's unit of work and rights.

    The other record comes back out of the trash under its number, with a new uid, for the register knows the old one
    for good; what moved goes back to it, and the winner gets the values that it had. What was changed, locked or
    removed since is not touched, and named in `left`. Raises NotFound for what is no merge of this record, Conflict
    when the trash holds the other one no more, and what `update` and `trash.restore` raise.
    """
    session, spec = ctx.session, ctx.session.registry.entity(entity)
    winner = write.load(ctx, entity, winner_id, verb="edit")
    require(ctx, "edit", spec, winner)
    row = audit.entry(session.connection(), change)
    if row is None or (row.entity, row.record_id, row.verb) != (entity, winner_id, MERGED):
        raise NotFound
    told = _told(row)
    try:
        back = trash.restore_anew(ctx, UUID(told["uid"]))
    except NotFound:
        raise Conflict(msg("{label} is no longer in the trash.", label=told["label"])) from None
    left = [*_values_back(ctx, winner, row), *_references_back(ctx, spec, told, winner_id)]
    missing = belongings.move_back(session.connection(), entity, told["moved"], told["id"], winner_id)
    if missing:
        left.append(msg("{count} links, files or activities", count=missing))
    entry = Entry(entity, UNMERGED, winner_id, winner.uid, winner.version, [MERGED], {MERGED: [told["label"], None]})
    session.journal.write(session.connection(), ctx, [entry])
    return Unmerged(back, tuple(left))


def _told(row: AuditRow) -> Mapping[str, Any]:
    """What the merge recorded. Raises Conflict for one whose values were erased, or that recorded less."""
    told = row.values[MERGED][1] if isinstance(row.values, dict) else {}
    if "references" not in told:
        raise Conflict(msg("What this change replaced is no longer kept."))
    found: Mapping[str, Any] = told
    return found


def _values_back(ctx: Context, winner: Entity, merged: AuditRow) -> Iterator[Msg]:
    """Gives the winner its values back; names those that were changed since."""
    history = audit.history(ctx.session.connection(), merged.entity, winner.id, limit=STEPS, before=merged.id)
    for row in history:
        if (row.at, row.verb) != (merged.at, "updated") or not isinstance(row.values, dict):
            break
        data, changed = before(ctx, winner, row.values)
        if data:
            write.update(ctx, merged.entity, winner.id, data)
        yield from changed


def _references_back(ctx: Context, spec: EntitySpec, told: Mapping[str, Any], winner_id: int) -> Iterator[Msg]:
    """Lets records refer to the other one again; counts those that say something else since, or are locked."""
    for one in referring(ctx.session, spec):
        ids = told["references"].get(one.key, ())
        batches = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
        if kept := sum(_point_back(ctx, one, batch, told["id"], winner_id) for batch in batches):
            yield msg("{count} × {what}", count=kept, what=Msg(one.owner.label_plural))


def _point_back(ctx: Context, one: Reference, ids: Sequence[int], back_id: int, winner_id: int) -> int:
    """How many of these rows stay as they are; where one of a batch may not change, each is tried by itself."""
    savepoint = ctx.session.begin_nested()
    try:
        with ctx.session.by_rule():
            kept = one.point_back(ctx, ids, back_id, winner_id)
            ctx.session.flush()
    except GigaError:
        savepoint.rollback()
        return 1 if len(ids) == 1 else sum(_point_back(ctx, one, [number], back_id, winner_id) for number in ids)
    savepoint.commit()
    return kept
