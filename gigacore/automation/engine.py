"""Running rules: events and the clock start runs, and jobs carry each run through its steps.

A run is one row, inserted in the transaction in which its event is marked as delivered; its steps up to the next wait
happen in one transaction with the mark of how far it came. So no crash loses a run, and none does a step twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore import notices, records
from gigacore.access.readers import DraftReader
from gigacore.access.tables import core_user
from gigacore.automation import rule as rules
from gigacore.automation.declare import Happened, Step
from gigacore.automation.fill import Data, fill, storable, with_defaults
from gigacore.automation.judge import before_reader, gone, happened, trace
from gigacore.automation.program import Do, Instruction, Jump, Unless, Wait, assemble
from gigacore.automation.rule import Definition, Kit, Rule
from gigacore.automation.store import active
from gigacore.automation.tables import DONE, FAILED, SKIPPED, WAITING, core_rule_run
from gigacore.data import activities
from gigacore.errors import GigaError, Invalid, NotFound, worded
from gigacore.filter import PyEnv, RecordReader, matches, parse
from gigacore.filter.moments import parse_duration, shifted
from gigacore.jobs import queue
from gigacore.messages import Msg, msg
from gigacore.text.values import plain
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity, EntitySpec
    from gigacore.jobs import Event

RUN_JOB: Final = "core.run_rule"
MAX_DEPTH: Final = 5
TOLD: Final = "@event"
ACTIVITY: Final = "core.automation"
N: Final = core_rule_run.c


@dataclass(frozen=True, slots=True)
class Occasion:
    """What started a run: an event, or a moment of the clock with its own correlation."""

    name: str
    entity: str
    record_id: int
    correlation_id: str
    depth: int
    event_id: Any = None


# Starting ------------------------------------------------------------------------------------------------------------


def consume(ctx: Context, event: Event, kit: Kit) -> None:
    """Start the rules that an event concerns. Runs as the system, in the delivery's unit of work."""
    wanted = [rule for rule in active(ctx.session.connection(), ctx.session.registry, kit) if listens(rule, event.name)]
    wanted = [rule for rule in wanted if rule.active_since is not None and rule.active_since <= event.at]
    wanted = [rule for rule in wanted if owner_is_active(ctx.session.connection(), rule.owner_id)]
    if not wanted:
        return
    what = happened(ctx.session.connection(), event)
    occasion = Occasion(
        event.name, event.entity, event.record_id or 0, event.correlation_id, event.depth, event.id
    )  # fmt: skip
    record = _find(ctx, event.entity, event.record_id)
    for rule in wanted:
        definition = rule.definition
        assert definition is not None
        if definition.trigger.fires(definition.params, what):
            consider(ctx, rule, definition, occasion, record, known(what))


def known(what: Happened) -> dict[str, Any]:
    """What a run keeps of its event: the old values, and under a name that no field has what the event told."""
    return {**what.before, **({TOLD: dict(what.told)} if what.told else {})}


def listens(rule: Rule, event: str) -> bool:
    """Whether an event of that name may start the rule."""
    return rule.definition is not None and event in rule.definition.events


def consider(
    ctx: Context,
    rule: Rule,
    definition: Definition,
    occasion: Occasion,
    record: Entity | None,
    before: Mapping[str, Any],
) -> int | None:
    """Start a run if the conditions hold. Gives its number; None when they do not, or it was started before."""
    spec = definition.entity
    found: dict[str, Any] = {"is": True, "all": []}
    if spec is not None and definition.when:
        reader, env = surroundings(ctx, spec, record, before)
        found = trace(definition.when, spec, ctx.session.registry, reader, env)
        if not found["is"]:
            return None
    if occasion.depth >= MAX_DEPTH:
        why = msg("Stopped: {limit} automations in a row led here.", limit=MAX_DEPTH)
        return _insert(ctx, rule, occasion, record, before, found, SKIPPED, why)
    number = _insert(ctx, rule, occasion, record, before, found, WAITING, None)
    if number is not None:
        _enqueue(ctx, number, rule.owner_id, rule.name, rule.org_id, occasion, None)
    return number


def surroundings(
    ctx: Context, spec: EntitySpec, record: Entity | None, before: Mapping[str, Any]
) -> tuple[RecordReader, PyEnv]:
    """What judging a condition takes: the record as it is, or what is left of it, and as it was before the event."""
    now = DraftReader(ctx.session, record) if record is not None else gone(spec, before)
    env = PyEnv(ctx.session.registry, ctx.actor, ctx.now, before_reader(spec, now, before))
    return now, env


def _find(ctx: Context, entity: str, record_id: int | None) -> Entity | None:
    spec = ctx.session.registry.entities.get(entity)
    found: Entity | None = ctx.session.get(spec.cls, record_id) if spec is not None and record_id else None
    return found


def _insert(
    ctx: Context,
    rule: Rule,
    occasion: Occasion,
    record: Entity | None,
    before: Mapping[str, Any],
    found: Mapping[str, Any],
    state: str,
    error: Msg | None,
) -> int | None:
    connection = ctx.session.connection()
    label = "" if record is None else str(getattr(record, type(record).__giga__.title, "") or "")
    values = {
        "rule_id": rule.id, "rule_name": rule.name, "rule_version": rule.version, "body": dict(rule.body),
        "owner_id": rule.owner_id, "org_id": rule.org_id, "event_id": occasion.event_id, "event_name": occasion.name,
        "entity": occasion.entity, "record_id": occasion.record_id, "label": label[:300],
        "correlation_id": occasion.correlation_id, "depth": occasion.depth, "state": state, "position": 0,
        "before": storable(before), "trace": storable(found), "steps": [], "error": error, "created_at": ctx.now,
        "finished_at": ctx.now if state == SKIPPED else None,
    }  # fmt: skip
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(core_rule_run).values(**values).on_conflict_do_nothing().returning(N.id)
    number: int | None = connection.execute(statement).scalar()
    return number


def _enqueue(
    ctx: Context, run: int, owner: int, name: str, org_id: int, occasion: Occasion, at: datetime | None
) -> None:
    """The job that carries the run on, with the rights of the rule's owner; runs of one record go in their order."""
    row = queue.new_row(ctx, RUN_JOB, {"run": run}) | {
        "actor_kind": "automation", "actor_user_id": owner, "actor_name": name, "actor_scopes": None, "reason": "",
        "org_id": org_id, "correlation_id": occasion.correlation_id, "depth": occasion.depth + 1,
        "serial_key": None if at else f"rule:{occasion.entity}:{occasion.record_id}",
    }  # fmt: skip
    job = queue.insert(ctx.session.connection(), row | ({"run_at": at} if at else {}))
    ctx.session.connection().execute(sa.update(core_rule_run).where(N.id == run).values(job_id=job))


# Running -------------------------------------------------------------------------------------------------------------


def carry_on(ctx: Context, payload: Mapping[str, Any], kit: Kit) -> None:
    """Run the steps of a run until it waits or ends. Acts with the rights of the rule's owner.

    Without its record the run is skipped. What the rule may not do, or what a record's rules refuse, ends the run as
    failed and undoes its steps since the last wait; any other error lets the job be tried again.
    """
    row = ctx.session.connection().execute(
        sa.select(core_rule_run).where(N.id == int(payload["run"])).with_for_update()
    ).first()  # fmt: skip
    if row is None or row.state != WAITING:
        return
    savepoint = ctx.session.begin_nested()
    try:
        walk = Walk(ctx, kit, row)
    except NotFound as error:
        savepoint.rollback()
        _close(ctx, row, SKIPPED, row.position, [*row.steps], worded(error))
        return
    try:
        state = walk.go()
        ctx.session.flush()
    except GigaError as error:
        savepoint.rollback()
        why = worded(error, _labels(walk.spec))
        _close(ctx, row, FAILED, row.position, [*row.steps], why)
        text = msg("The automation “{name}” failed: {error}", name=row.rule_name, error=why)
        url = f"/automations/runs/{row.id}"
        notices.notify(ctx, "core.rule_failed", [row.owner_id], text, url=url, key=f"run:{row.id}")
        return
    savepoint.commit()
    if state == WAITING:
        _close(ctx, row, WAITING, walk.position, walk.done, None)
        _enqueue(ctx, row.id, row.owner_id, row.rule_name, row.org_id, _occasion(row), walk.until)
        return
    _close(ctx, row, DONE, walk.position, walk.done, None)
    if walk.record is not None and walk.done:
        _tell(ctx, row, walk)


def _occasion(row: Any) -> Occasion:
    return Occasion(row.event_name, row.entity, row.record_id, row.correlation_id, row.depth, row.event_id)


def _labels(spec: EntitySpec | None) -> dict[str, str]:
    return {name: field.label for name, field in spec.fields.items()} if spec is not None else {}


def _close(ctx: Context, row: Any, state: str, position: int, steps: list[Any], error: Msg | None) -> None:
    values = {"state": state, "position": position, "steps": storable(steps), "error": error}
    values |= {} if state == WAITING else {"finished_at": ctx.now}
    ctx.session.connection().execute(sa.update(core_rule_run).where(N.id == row.id).values(**values))


def _tell(ctx: Context, row: Any, walk: Walk) -> None:
    """The run on the record's timeline."""
    details = {"run": row.id, "rule": row.rule_id, "did": [step["do"] for step in walk.done if "do" in step]}
    activities.log(ctx, ACTIVITY, row.rule_name, [(row.entity, row.record_id)], data=details)


class Walk:
    """One way through a program: from where the run stood to its next wait or its end."""

    def __init__(self, ctx: Context, kit: Kit, row: Any, *, waiting: bool = True) -> None:
        self.ctx, self.kit, self.row, self.waiting = ctx, kit, row, waiting
        self.position: int = row.position
        self.done: list[dict[str, Any]] = list(row.steps)
        self.until: datetime | None = None
        self.program: tuple[Instruction, ...] = assemble(row.body["steps"])
        self.spec = ctx.session.registry.entities.get(row.entity) if row.entity else None
        self.record = self._load()

    def _load(self) -> Entity | None:
        """The record, if the rule's owner may see it; a deleted one is missing."""
        if self.spec is None or not self.row.record_id:
            return None
        if self.row.event_name.endswith(".deleted"):
            return None
        try:
            return records.load(self.ctx, self.spec.name, self.row.record_id)
        except NotFound:
            raise NotFound(msg("The record is not there any more, or the owner of the rule may not see it.")) from None

    def go(self) -> str:
        """Run; gives the state in which the run stands then."""
        while self.position < len(self.program):
            instruction = self.program[self.position]
            self.position += 1
            match instruction:
                case Do():
                    self._do(instruction)
                case Wait(at, duration):
                    self.done.append({"at": at, "wait": duration})
                    if self.waiting:
                        self.until = self._later(duration)
                        return WAITING
                case Unless(at, condition, target):
                    holds = self._holds(condition)
                    self.done.append({"at": at, "if": holds})
                    self.position = self.position if holds else target
                case Jump(target):
                    self.position = target
        return DONE

    def _later(self, duration: str) -> datetime:
        offset = parse_duration(duration, 1)
        if offset is None:
            raise Invalid.of("wait", msg("This must be a duration such as P7D or PT2H."))
        return shifted(self.ctx.now, offset, ZoneInfo(self.ctx.actor.timezone)).astimezone(UTC)

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        if self.spec is None:
            return False
        self.ctx.session.flush()
        reader, env = surroundings(self.ctx, self.spec, self.record, self.row.before or {})
        return matches(parse(condition, self.spec, self.ctx.session.registry, events=True), reader, env)

    def _do(self, instruction: Do) -> None:
        self._check(instruction)
        action = self.kit.actions[instruction.action]
        if action.needs_record and self.record is None:
            raise Invalid(msg("“{action}” needs a record, and it is not there any more.", action=Msg(action.label)))
        step = Step(
            self.ctx,
            self.ctx.session.registry,
            self.spec,
            self.record,
            with_defaults(action.params, fill(instruction.params, self._data())),
            f"rule-run-{self.row.id}-{self.position}",
            self.row.id,
            self.row.rule_name,
            self.row.owner_id,
        )
        did = action.run(step)
        self.done.append({"at": instruction.at, "do": action.name, "did": storable(did or {})})

    def _check(self, instruction: Do) -> None:
        """Refuse a step that cannot work any more; of a stored version that is judged once."""
        registry = self.ctx.session.registry
        seen: set[tuple[object, ...]] = registry.memo.setdefault("giga_checked_steps", set())
        key = (self.row.rule_id, self.row.rule_version, instruction.at, id(self.kit))
        if key not in seen:
            rules.check_step(instruction, self.spec, registry, self.kit)
            if self.row.rule_version:  # a rule that is tried has none: its text may be another one next time
                seen.add(key)

    def _data(self) -> Data:
        """What templates see: the record as it stands now, with the owner's eyes."""
        before = dict(self.row.before or {})
        values: dict[str, Any] = {"event": before.pop(TOLD, {}), "record": {}, "before": before}
        values["rule"] = {"name": self.row.rule_name}
        actor = self.ctx.actor
        values["actor"] = {"id": actor.user_id, "name": actor.name, "team": actor.team_id}
        if self.spec is not None and self.record is not None:
            self.ctx.session.flush()
            values["record"] = plain(records.get(self.ctx, self.spec.name, self.row.record_id))
        elif before:
            values["record"] = before
        return Data(values, self.ctx.now, actor.locale, actor.timezone)


# The log -------------------------------------------------------------------------------------------------------------


def again(ctx: Context, run: Any) -> None:
    """Let a failed run go on from where it stood. The caller has checked that the actor may."""
    _close(ctx, run, WAITING, run.position, [*run.steps], None)
    ctx.session.connection().execute(sa.update(core_rule_run).where(N.id == run.id).values(finished_at=None))
    _enqueue(ctx, run.id, run.owner_id, run.rule_name, run.org_id, _occasion(run), None)


def owner_is_active(connection: sa.Connection, owner_id: int) -> bool:
    """Whether the person with whose rights a rule acts may still sign in; else the rule pauses."""
    return bool(connection.scalar(sa.select(core_user.c.active).where(core_user.c.id == owner_id)))
