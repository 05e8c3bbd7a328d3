"""Figures of large entities, kept by owner, team and openness, so that each reader gets theirs at once, with their age.

A figure is kept under the very statement that would be asked now. Whatever makes it another question (a changed
definition, a stage that the reader may not see, the next day) finds nothing kept, and is counted instead.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore.access.decide import guard_of
from gigacore.access.reach import Everything, Shared, Visible, Within
from gigacore.access.sql import EntityRows
from gigacore.data.tables import core_rollup, core_rollup_part
from gigacore.entity import Money
from gigacore.filter.elements import Among
from gigacore.records.few import among_few
from gigacore.records.kept import Criteria, run
from gigacore.records.limits import require, visible
from gigacore.records.read import condition_of
from gigacore.records.totals import column_of, group_field, summed_field
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.access.policy import Policy
    from gigacore.context import Context
    from gigacore.entity import EntitySpec, FieldSpec, Registry

WEIGHTED: Final = "weighted"
GROUPS: Final = frozenset({"ref", "choice", "enum"})
"""The kinds of fields by whose values figures are kept."""
OWNERSHIP: Final = ("owner_id", "team_id", "visibility")
KNOWN: Final = timedelta(seconds=10)
_MEMO: Final = "rollups"
_AS_OF: Final = "figures_as_of"
_BATCH: Final = 1000
_REACHES: Final = (Everything, Shared, Visible, Within)
R: Final = core_rollup.c
P: Final = core_rollup_part.c


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted, or with `field` summed, over the records that `filter` selects: for each value of `by`."""

    entity: str
    by: str = ""
    field: str = ""
    filter: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """How many records of one value of the group there are, and their sum in one currency."""

    value: Any
    currency: str | None
    records: int
    total: Any


def counts(ctx: Context, question: Question) -> Mapping[Any, int] | None:
    """The kept numbers of records that the actor may see, by value; None = nothing is kept, count them."""
    parts = answer(ctx, question)
    return None if parts is None else numbers(parts)


def sums(ctx: Context, question: Question) -> Mapping[Any, list[Money]] | None:
    """The kept sums over the records that the actor may see, by value; None = nothing is kept, sum them up."""
    parts = answer(ctx, question)
    return None if parts is None else amounts(parts)


def numbers(parts: Iterable[Part]) -> dict[Any, int]:
    """How many records there are, by value."""
    found: dict[Any, int] = {}
    for part in parts:
        found[part.value] = found.get(part.value, 0) + part.records
    return found


def amounts(parts: Iterable[Part]) -> dict[Any, list[Money]]:
    """What they sum up to, by value."""
    found: dict[Any, list[Money]] = {}
    for part in parts:
        if part.total is not None and part.currency:
            found.setdefault(part.value, []).append(Money(part.total, part.currency))
    return found


def take_age(ctx: Context) -> datetime | None:
    """As of when the oldest kept figure is that this context was given since the last call; None = all are of now."""
    found = ctx.notes.pop(_AS_OF, None)
    return found if isinstance(found, datetime) else None


# Reading --------------------------------------------------------------------------------------------------------------


def answer(ctx: Context, question: Question) -> list[Part] | None:
    """What is kept of the records that the actor may see; None = nothing.

    Raises Forbidden without the right to view the entity, Invalid for a field that may not be read.
    """
    session = ctx.session
    spec = session.registry.entity(question.entity)
    require(ctx, "view", spec)
    if ctx.actor.is_system or not (keys := _kept_keys(ctx).get(spec.name)):
        return None
    for name, check in ((question.by, group_field), (question.field, summed_field)):
        if name:
            check(ctx, spec, name)
    if among_few(ctx, spec, None) is not None:
        return None  # somebody who sees few records is told those of now as soon
    policy = guard_of(ctx).policy(session, spec, "view")
    key = key_of(ctx, question) if _by_ownership(policy) else ""
    return _read(ctx, question, key, policy) if key in keys else None


def _by_ownership(policy: Policy) -> bool:
    """Whether owner, team and openness decide on a record, besides shares."""
    if policy.unlimited:
        return True
    return policy.entity.owned and policy.lasting and all(isinstance(arm.reach, _REACHES) for arm in policy.arms())


def _kept_keys(ctx: Context) -> Mapping[str, set[str]]:
    """The keys of what is kept, by entity; read anew every few seconds."""
    memo = ctx.session.registry.memo
    at, known = memo.get(_MEMO, (None, {}))
    if at is None or not at <= ctx.now < at + KNOWN:
        known = {}
        for entity, key in ctx.session.connection().execute(sa.select(R.entity, R.key)):
            known.setdefault(entity, set()).add(key)
        memo[_MEMO] = (ctx.now, known)
    return known  # type: ignore[no-any-return]


def _read(ctx: Context, question: Question, key: str, policy: Policy) -> list[Part] | None:
    own = _without_shares(policy)
    where = [] if policy.unlimited else [own.sql(EntityRows(ctx.session, core_rollup_part))]
    rows = run(ctx.session, "rollup", where, _kept_select, {"rollup": key}).all()
    if not rows:
        return None  # it went since the keys were read
    ctx.notes[_AS_OF] = min(rows[0].refreshed_at, ctx.notes.get(_AS_OF, rows[0].refreshed_at))
    spec = ctx.session.registry.entity(question.entity)
    by = spec.fields.get(question.by)
    parts = [Part(_value(by, row.value), row.currency, row.records, row.total) for row in rows if row.records]
    return parts if policy.unlimited else [*parts, *_shared_parts(ctx, question, policy, own)]


def _without_shares(policy: Policy) -> Policy:
    return replace(policy, allow=tuple(arm for arm in policy.allow if not isinstance(arm.reach, Shared)))


def _kept_select(where: Criteria) -> sa.Select[Any]:
    """One row with nothing where the figure is kept but the reader sees none of it; no row where it is not kept."""
    mine = sa.and_(P.rollup_id == R.id, *where)
    records, total = sa.func.sum(P.records).label("records"), sa.func.sum(P.total).label("total")
    return (
        sa.select(R.refreshed_at, P.value, P.currency, sa.cast(records, sa.BigInteger).label("records"), total)
        .select_from(core_rollup.outerjoin(core_rollup_part, mine))
        .where(R.key == sa.bindparam("rollup"))
        .group_by(R.refreshed_at, P.value, P.currency)
    )


def _shared_parts(ctx: Context, question: Question, policy: Policy, own: Policy) -> list[Part]:
    """What is shared with the reader one by one and seen for no other reason: few records, counted now."""
    session, spec = ctx.session, policy.entity
    ids = [one for arm in policy.allow if isinstance(arm.reach, Shared) for one in arm.reach.ids(ctx.actor)]
    if not ids:
        return []
    seen = visible(session, spec)
    elsewhere = sa.not_(sa.func.coalesce(own.sql(EntityRows(session, spec.table)), sa.false()))
    where = [Among(spec.table.c.id, sa.union_all(*ids)), elsewhere, *([] if seen is None else [seen])]
    where += [] if question.filter is None else [condition_of(ctx, spec, question.filter)]
    at = ("rollup shares", spec.name, question.by, question.field)
    return [Part(*row) for row in run(session, at, where, lambda mine: _live_select(spec, question, ()).where(*mine))]


def _value(by: FieldSpec | None, text: str | None) -> Any:
    """A value of the group, as records have it."""
    if by is None or text is None:
        return None
    if by.kind == "ref":
        return int(text)
    return by.enum(text) if by.kind == "enum" and by.enum else text


# What is kept ---------------------------------------------------------------------------------------------------------


def keepable(spec: EntitySpec, by: str) -> bool:
    """Whether figures can be kept by the values of this field."""
    field = spec.fields.get(by)
    return field is not None and field.kind in GROUPS and not field.custom and field.extension is None


def board_sums(spec: EntitySpec) -> list[str]:
    """The amounts that a board of the entity sums up, whoever reads: those of its list, and the weighted ones."""
    plain = (one for one in spec.fields.values() if one.kind == "money" and not one.custom and one.extension is None)
    return [one.name for one in plain if one.listed or one.name == WEIGHTED]


def key_of(ctx: Context, question: Question) -> str:
    """What the question is kept under: the same for everybody for whom it means the same at this moment."""
    spec = ctx.session.registry.entity(question.entity)
    statement = _live_select(spec, question, OWNERSHIP)
    if question.filter is not None:
        statement = statement.where(condition_of(ctx, spec, question.filter))
    compiled = statement.compile(dialect=ctx.session.connection().dialect)
    told = repr((str(compiled), sorted(compiled.params.items())))
    return hashlib.sha256(told.encode()).hexdigest()


def _live_select(spec: EntitySpec, question: Question, ownership: Sequence[str]) -> sa.Select[Any]:
    """The figure for each combination of value, ownership and currency, over all records of the entity."""
    summed = spec.fields.get(question.field)
    keys = [
        _column(spec, spec.fields[question.by].attribute if question.by else ""),
        *(_column(spec, name if spec.owned else "") for name in ownership),
        _column(spec, summed.currency_attribute if summed else ""),
    ]
    total = sa.func.sum(column_of(spec, summed.attribute)) if summed else sa.null()
    groups = [one for one in keys if isinstance(one, sa.Column)]
    return sa.select(*keys, sa.func.count(), total).select_from(spec.table).group_by(*groups)


def _column(spec: EntitySpec, attribute: str) -> sa.ColumnElement[Any]:
    return column_of(spec, attribute) if attribute else sa.null()


@dataclass(frozen=True, slots=True)
class Kept:
    """A figure as it was counted: over which entity, when, how long that took, up to which event."""

    key: str
    entity: str
    refreshed_at: datetime
    seconds: float
    seen: UUID | None
    rows: Sequence[Mapping[str, Any]] = ()


def stored(connection: sa.Connection) -> Mapping[str, Kept]:
    """What is kept, by key."""
    columns = (R.key, R.entity, R.refreshed_at, R.seconds, R.seen)
    return {row.key: Kept(*row) for row in connection.execute(sa.select(*columns))}


def compute(ctx: Context, question: Question, key: str, seen: UUID | None) -> Kept:
    """Count a question over all records, in a session of the system."""
    spec = ctx.session.registry.entity(question.entity)
    statement = _live_select(spec, question, OWNERSHIP)
    if question.filter is not None:
        statement = statement.where(condition_of(ctx, spec, question.filter))
    begun = time.monotonic()
    names = ("value", *OWNERSHIP, "currency", "records", "total")
    rows = [dict(zip(names, _plain(row), strict=True)) for row in ctx.session.connection().execute(statement)]
    return Kept(key, spec.name, ctx.now, time.monotonic() - begun, seen, rows)


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as it is stored: values of enums and references as text."""
    value, owner, team, openness, *rest = row
    text = None if value is None else str(getattr(value, "value", value))
    return (text, owner, team, getattr(openness, "value", openness), *rest)


def store(connection: sa.Connection, kept: Kept) -> None:
    """Put a figure in the place of what was kept under its key."""
    forget(connection, [kept.key])
    header = {"key": kept.key, "entity": kept.entity, "refreshed_at": kept.refreshed_at, "seconds": kept.seconds}
    number = connection.execute(sa.insert(core_rollup).values(**header, seen=kept.seen).returning(R.id)).scalar_one()
    for start in range(0, len(kept.rows), _BATCH):
        rows = [{"rollup_id": number, **row} for row in kept.rows[start : start + _BATCH]]
        connection.execute(sa.insert(core_rollup_part), rows)


def forget(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Keep these no longer."""
    connection.execute(sa.delete(core_rollup).where(R.key.in_(keys)))


def known_anew(registry: Registry) -> None:
    """Let the next reader of this process look what is kept."""
    registry.memo.pop(_MEMO, None)
