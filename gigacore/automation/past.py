"""Trying a rule on the past: what it would have started, and why not, had it been switched on.

Its trigger and conditions are judged on the records as they were, rebuilt from the audit; nothing is run. A rule that
follows the clock is judged day by day on the records as they stand now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from gigacore import records
from gigacore.access.readers import DraftReader
from gigacore.automation import store
from gigacore.automation.declare import Due, Tick
from gigacore.automation.engine import surroundings
from gigacore.automation.judge import Overlay, before_reader, gone, happened, python_values, trace
from gigacore.automation.program import Do, Jump, Unless
from gigacore.automation.rule import Definition, Kit
from gigacore.data import links
from gigacore.data.tables import core_audit, core_audit_value, core_outbox
from gigacore.filter import PyEnv, RecordReader, matches, parse
from gigacore.jobs.relay import EVENT_COLUMNS, event_of
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec
    from gigacore.jobs import Event

MOST_EVENTS: Final = 5_000
MOST_HITS: Final = 200
MOST_MISSES: Final = 50
DAY: Final = timedelta(days=1)
PAGE: Final = 200
ALWAYS: Final[Mapping[str, Any]] = {"is": True, "all": ()}
E: Final = core_outbox.c
A: Final = core_audit.c


@dataclass(frozen=True, slots=True)
class Hit:
    """One event of the past on which the rule was judged. `label` is empty for a record out of sight or gone.

    `trace` tells why it would have started, or why not; `would` are the actions that it would have come by, its
    branches judged on the record as it was.
    """

    at: datetime
    event: str
    entity: str
    record_id: int
    label: str
    trace: Any
    would: tuple[Do, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What the rule would have done: events looked at, how many would have started it, the first of them.

    `misses` are the first of those that its trigger met and its conditions refused, `missed` counts them all.
    `as_now` tells that the records were judged as they stand now.
    """

    events: int
    matched: int
    hits: list[Hit]
    missed: int
    misses: list[Hit]
    complete: bool
    as_now: bool = False


def on_past(ctx: Context, kit: Kit, name: str, body: Mapping[str, Any], since: datetime) -> Past:
    """Judge a rule on what happened since then, oldest first: the same past always gives the same answer.

    Only records that the actor may see count. Raises Invalid for a rule that cannot be.
    """
    definition = store.check(ctx, kit, name or "trial", body)
    if definition.trigger.clock is not None:
        judged = list(islice(_by_clock(ctx, definition, since), MOST_EVENTS + 1))
        return _past(judged[:MOST_EVENTS], len(judged), as_now=True)
    rows = ctx.session.connection().execute(
        sa.select(*EVENT_COLUMNS)
        .where(E.name.in_(definition.events), E.at >= since)
        .order_by(E.id)
        .limit(MOST_EVENTS + 1)
    ).all()  # fmt: skip
    events = [event_of(row) for row in rows[:MOST_EVENTS]]
    seen = links.visible_ids(ctx, {(event.entity, event.record_id) for event in events if event.record_id})
    met = [event for event in events if event.record_id is None or event.record_id in seen.get(event.entity, set())]
    return _past([hit for event in met if (hit := _judge(ctx, definition, event)) is not None], len(rows))


def _past(judged: list[Hit], looked_at: int, *, as_now: bool = False) -> Past:
    hits = [one for one in judged if one.trace["is"]]
    misses = [one for one in judged if not one.trace["is"]]
    events, complete = min(looked_at, MOST_EVENTS), looked_at <= MOST_EVENTS
    return Past(events, len(hits), hits[:MOST_HITS], len(misses), misses[:MOST_MISSES], complete, as_now)


def _by_clock(ctx: Context, definition: Definition, since: datetime) -> Iterator[Hit]:
    """What the clock would have found, a day at a time; each occasion of a record once."""
    clock, met, start = definition.trigger.clock, set[tuple[int, str]](), since
    while clock is not None and start < ctx.now:
        end = min(start + DAY, ctx.now)
        due = clock(Tick(definition.entity, definition.params, start, end, ctx.actor.timezone))
        for number, occasion in _due(ctx, definition, due):
            if (number, occasion) not in met:
                met.add((number, occasion))
                yield _as_now(ctx, definition, number, end)
        start = end


def _due(ctx: Context, definition: Definition, due: Due | None) -> Iterator[tuple[int, str]]:
    """The records that are due, each with the value that makes the occasion; 0 = no record."""
    if due is None or definition.entity is None or due.filter is None:
        yield from () if due is None else [(0, due.occasion)]
        return
    fields, cursor = ("id", due.field) if due.field else ("id",), None
    while True:
        wanted = records.ListRequest(due.filter, ("id",), fields, PAGE, cursor, count=False)
        page = records.page(ctx, definition.entity.name, wanted)
        yield from ((item["id"], str(item.get(due.field) if due.field else due.occasion)) for item in page.items)
        if (cursor := page.next) is None:
            return


def _as_now(ctx: Context, definition: Definition, number: int, at: datetime) -> Hit:
    """How one record would have gone at that moment, as it stands now."""
    spec, name = definition.entity, definition.trigger.name
    if spec is None or not number:
        return Hit(at, name, "", 0, "", ALWAYS, tuple(actions_of(definition)))
    record = records.load(ctx, spec.name, number)
    reader, env = surroundings(ctx, spec, record, {})
    found = trace(definition.when, spec, ctx.session.registry, reader, env)
    would = tuple(_path(definition, spec, reader, env)) if found["is"] else ()
    return Hit(at, name, spec.name, number, str(getattr(record, spec.title, "") or ""), found, would)


def _judge(ctx: Context, definition: Definition, event: Event) -> Hit | None:
    """How one event would have gone; None when it is not what the trigger waits for."""
    what = happened(ctx.session.connection(), event)
    spec = definition.entity
    if not definition.trigger.fires(definition.params, what):
        return None
    if spec is None or event.record_id is None:
        return Hit(event.at, event.name, event.entity, 0, "", ALWAYS, tuple(actions_of(definition)))
    record = ctx.session.get(spec.cls, event.record_id)
    now: RecordReader = gone(spec, what.before)
    if record is not None:
        later = _undone_since(ctx, spec, event.record_id, event.audit_id)
        now = Overlay(DraftReader(ctx.session, record), later)
    env = PyEnv(ctx.session.registry, ctx.actor, event.at, before_reader(spec, now, what.before))
    found = trace(definition.when, spec, ctx.session.registry, now, env)
    label = "" if record is None else str(getattr(record, spec.title, "") or "")
    would = tuple(_path(definition, spec, now, env)) if found["is"] else ()
    return Hit(event.at, event.name, event.entity, event.record_id, label, found, would)


def actions_of(definition: Definition) -> list[Do]:
    """The actions of a rule, in their order, those of every branch included."""
    return [step for step in definition.program if isinstance(step, Do)]


def _path(definition: Definition, spec: EntitySpec, record: RecordReader, env: PyEnv) -> Iterator[Do]:
    """The actions on the record's way through the program; waits are passed over."""
    position = 0
    while position < len(definition.program):
        instruction = definition.program[position]
        position += 1
        match instruction:
            case Do():
                yield instruction
            case Unless(_, condition, target):
                holds = matches(parse(condition, spec, env.registry, events=True), record, env)
                position = position if holds else target
            case Jump(target):
                position = target


def _undone_since(ctx: Context, spec: EntitySpec, record_id: int, audit_id: UUID) -> dict[str, Any]:
    """Field -> value right after that act: what later acts changed, as it was before the first of them."""
    values = core_audit_value.c
    statement = (
        sa.select(values.body)
        .join(core_audit, A.id == values.audit_id)
        .where(A.entity == spec.name, A.record_id == record_id, A.id > audit_id)
        .order_by(A.id.desc())
    )
    was: dict[str, Any] = {}
    for body in ctx.session.connection().scalars(statement):
        for name, pair in (orjson.loads(bytes(body)) if body else {}).items():
            if isinstance(pair, list) and len(pair) == 2 and name in spec.fields:
                was[name] = pair[0]
    return python_values(spec, was)
