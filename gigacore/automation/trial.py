"""Trying a rule before it is switched on: on one record, as if something had just happened, and on the past.

On a record the rule really runs, in a transaction that is rolled back: what it shows is what it would do. On the past
its trigger and conditions are judged on the records as they were, rebuilt from the audit; nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from gigacore import records
from gigacore.access.readers import DraftReader
from gigacore.automation import store
from gigacore.automation.engine import Walk, surroundings
from gigacore.automation.judge import Overlay, before_reader, gone, happened, python_values, trace
from gigacore.automation.program import Do, Jump, Unless
from gigacore.automation.rule import Definition, Kit
from gigacore.data import links
from gigacore.data.tables import core_audit, core_audit_value, core_outbox
from gigacore.errors import GigaError, Invalid, worded
from gigacore.filter import PyEnv, RecordReader, matches, parse
from gigacore.jobs import core_job
from gigacore.jobs.relay import EVENT_COLUMNS, event_of
from gigacore.messages import Msg, msg

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.entity import EntitySpec
    from gigacore.jobs import Event
    from gigacore.jobs.run import Host

MOST_EVENTS: Final = 5_000
MOST_HITS: Final = 200
MOST_MISSES: Final = 50
E: Final = core_outbox.c
A: Final = core_audit.c


@dataclass(frozen=True, slots=True)
class Change:
    """One change that the rule would make: field -> (before, after)."""

    entity: str
    record_id: int | None
    verb: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the rule would do for a record now. `holds` tells whether its conditions hold; the steps are shown anyway.

    `changes` are those it would write, `jobs` the names of what it would send out; `error` why it would fail.
    """

    holds: bool
    trace: Any
    steps: list[dict[str, Any]]
    changes: list[Change]
    jobs: list[str]
    error: Msg | None


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
    """

    events: int
    matched: int
    hits: list[Hit]
    missed: int
    misses: list[Hit]
    complete: bool


class _Undone(Exception):
    """Ends the unit of work of a trial without a commit."""


def on_record(host: Host, actor: Actor, kit: Kit, name: str, body: Mapping[str, Any], record_id: int) -> Trial:
    """Try a rule on one record with the actor's rights; waits are passed over. Nothing is kept and nothing sent.

    Opens its own unit of work. Raises Invalid for a rule that cannot be, NotFound for a record out of sight.
    """
    found: list[Trial] = []
    try:
        with host.database.unit_of_work(actor.automation(name or "trial"), source="trial") as ctx:
            found.append(_try(ctx, kit, name, body, record_id))
            raise _Undone
    except _Undone:
        return found[0]


def _try(ctx: Context, kit: Kit, name: str, body: Mapping[str, Any], record_id: int) -> Trial:
    definition = store.check(ctx, kit, name or "trial", body)
    if definition.entity is None:
        raise Invalid(msg("This rule is about no record, so it cannot be tried on one."))
    record = records.load(ctx, definition.entity.name, record_id)
    reader, env = surroundings(ctx, definition.entity, record, {})
    found = trace(definition.when, definition.entity, ctx.session.registry, reader, env)
    row = SimpleNamespace(
        id=0, rule_name=name, owner_id=ctx.actor.user_id or 0, body=body, position=0, steps=[], before={},
        entity=definition.entity.name, record_id=record_id, event_name="trial",
    )  # fmt: skip
    walk, error = Walk(ctx, kit, row, waiting=False), None
    try:
        walk.go()
        ctx.session.flush()
    except GigaError as problem:
        ctx.session.connection()
        error = worded(problem)
    changes = [] if error else list(_written(ctx))
    jobs = [] if error else _sent(ctx)
    return Trial(bool(found["is"]), found, walk.done, changes, jobs, error)


def _written(ctx: Context) -> Iterator[Change]:
    values = core_audit_value.c
    statement = (
        sa.select(A.entity, A.record_id, A.verb, values.body)
        .join(core_audit_value, values.audit_id == A.id)
        .where(A.correlation_id == ctx.correlation_id)
        .order_by(A.id)
    )
    for entity, record_id, verb, body in ctx.session.connection().execute(statement):
        if entity in ctx.session.registry.entities:
            yield Change(entity, record_id, verb, orjson.loads(bytes(body)) if body else {})


def _sent(ctx: Context) -> list[str]:
    mine = core_job.c.correlation_id == ctx.correlation_id
    names = ctx.session.connection().scalars(sa.select(core_job.c.name).where(mine).order_by(core_job.c.id))
    return list(names)


# The past ------------------------------------------------------------------------------------------------------------


def on_past(ctx: Context, kit: Kit, name: str, body: Mapping[str, Any], since: datetime) -> Past:
    """Judge a rule on the events since then, oldest first: the same events always give the same answer.

    Only records that the actor may see count. Raises Invalid for a rule that cannot be, or that follows the clock.
    """
    definition = store.check(ctx, kit, name or "trial", body)
    if definition.trigger.clock is not None or not definition.events:
        raise Invalid.of("trigger", msg("Rules that follow the clock have no past to be tried on."))
    rows = ctx.session.connection().execute(
        sa.select(*EVENT_COLUMNS)
        .where(E.name.in_(definition.events), E.at >= since)
        .order_by(E.id)
        .limit(MOST_EVENTS + 1)
    ).all()  # fmt: skip
    events = [event_of(row) for row in rows[:MOST_EVENTS]]
    seen = links.visible_ids(ctx, {(event.entity, event.record_id) for event in events if event.record_id})
    hits: list[Hit] = []
    misses: list[Hit] = []
    for event in events:
        if event.record_id is None or event.record_id in seen.get(event.entity, set()):
            judged = _judge(ctx, definition, event)
            if judged is not None:
                (hits if judged.trace["is"] else misses).append(judged)
    return Past(
        len(events), len(hits), hits[:MOST_HITS], len(misses), misses[:MOST_MISSES], len(rows) <= MOST_EVENTS
    )  # fmt: skip


def _judge(ctx: Context, definition: Definition, event: Event) -> Hit | None:
    """How one event would have gone; None when it is not what the trigger waits for."""
    what = happened(ctx.session.connection(), event)
    spec = definition.entity
    if not definition.trigger.fires(definition.params, what):
        return None
    if spec is None or event.record_id is None:
        always = {"is": True, "all": list[Any]()}
        return Hit(event.at, event.name, event.entity, 0, "", always, tuple(actions_of(definition)))
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
