"""`crm.automation`: the rules of one application, with what its plugins add to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa

from gigacore.automation import clock, engine, logbook, past, store, telling, trial
from gigacore.automation.actions import ACTIONS
from gigacore.automation.declare import Action, Trigger
from gigacore.automation.rule import Definition, Kit, Rule
from gigacore.automation.triggers import TRIGGERS
from gigacore.jobs import Consumer, Event, Job, JobRun, Schedule
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.entity import Registry
    from gigacore.jobs.run import Host

CONSUMER: Final = "core.rules"
TICK: Final = timedelta(minutes=1)


class Offers(Protocol):
    """The part of a plugin's manifest that rules are made of."""

    @property
    def rule_triggers(self) -> Iterable[Trigger]:
        """Its triggers."""

    @property
    def rule_actions(self) -> Iterable[Action]:
        """Its actions."""


@dataclass(slots=True, eq=False)
class Automation:
    """Rules: stored, tried, run and logged. `kit` holds the triggers and actions on offer."""

    kit: Kit
    _heard: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, plugins: Iterable[Offers]) -> Automation:
        """With what the core and these plugins offer."""
        found = list(plugins)
        triggers = (*TRIGGERS, *(one for plugin in found for one in plugin.rule_triggers))
        actions = (*ACTIONS, *telling.ACTIONS, *(one for plugin in found for one in plugin.rule_actions))
        return cls(Kit.of(iter(triggers), iter(actions)))

    # What workers run

    @property
    def name(self) -> str:
        """On whose behalf workers run it."""
        return "core"

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        """The consumer that starts rules; which events it hears is asked at each write, for rules come and go."""
        return (Consumer(CONSUMER, (), self._consume, ordered=True),)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that carry runs on and look at the clock."""
        return (
            Job(engine.RUN_JOB, self._carry_on, label="Run an automation", together=1),
            Job("core.rule_clock", self._tick, label="Look at the clock for automations", long=True, system="clock"),
        )

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The clock."""
        return (Schedule("core.rule_clock", "core.rule_clock", every=TICK),)

    def hears(self, event: str) -> bool:
        """Whether a rule that is switched on may start at an event of that name."""
        return event in self._heard

    def refresh(self, connection: sa.Connection, registry: Registry) -> None:
        """Learn which events concern the rules that are switched on; called when the registry is made anew."""
        rules = store.active(connection, registry, self.kit)
        self._heard = frozenset(name for rule in rules if rule.definition for name in rule.definition.events)

    def _consume(self, ctx: Context, event: Event) -> None:
        engine.consume(ctx, event, self.kit)

    def _carry_on(self, ctx: Context, payload: Mapping[str, Any]) -> None:
        engine.carry_on(ctx, payload, self.kit)

    def _tick(self, run: JobRun, payload: Mapping[str, Any]) -> int:
        return clock.tick(run, self.kit)

    # What people do

    def rules(self, ctx: Context) -> list[Rule]:
        """The rules that the actor may see, by name. Raises Forbidden."""
        return store.listing(ctx, self.kit)

    def rule(self, ctx: Context, rule_id: int) -> Rule:
        """One rule. Raises NotFound, Forbidden."""
        return store.load(ctx, self.kit, rule_id)

    def check(self, ctx: Context, name: str, body: Mapping[str, Any]) -> Definition:
        """The definition in a body. Raises Invalid with one error per value at fault."""
        return store.check(ctx, self.kit, name, body)

    def create(self, ctx: Context, name: str, body: Mapping[str, Any]) -> Rule:
        """A new rule of the actor's, switched off. Raises Invalid, Forbidden."""
        return store.create(ctx, self.kit, name, body)

    def update(self, ctx: Context, rule_id: int, *, name: str, body: Mapping[str, Any], version: int) -> Rule:
        """Change a rule. Raises Invalid, Conflict for another version than the one that was read, NotFound."""
        return store.update(ctx, self.kit, rule_id, name=name, body=body, version=version)

    def switch(self, ctx: Context, rule_id: int, *, active: bool) -> Rule:
        """Switch a rule on or off. Raises Conflict for one that cannot run, NotFound."""
        return store.switch(ctx, self.kit, rule_id, active=active)

    def duplicate(self, ctx: Context, rule_id: int, name: str) -> Rule:
        """A copy of a rule for the actor, switched off. Raises Invalid, NotFound."""
        return store.create(ctx, self.kit, name, store.load(ctx, self.kit, rule_id).body)

    def hand_over(self, ctx: Context, rule_id: int, owner_id: int) -> Rule:
        """Let a rule act with another person's rights. Raises Forbidden, Invalid, NotFound."""
        return store.hand_over(ctx, self.kit, rule_id, owner_id)

    def delete(self, ctx: Context, rule_id: int) -> None:
        """Delete a rule; its log stays. Raises NotFound."""
        store.delete(ctx, self.kit, rule_id)

    def versions(self, ctx: Context, rule_id: int) -> list[store.Version]:
        """Every version of a rule, newest first. Raises NotFound."""
        return store.versions(ctx, self.kit, rule_id)

    def try_on(self, host: Host, actor: Actor, name: str, body: Mapping[str, Any], record_id: int) -> trial.Trial:
        """What a rule would do for a record, in a unit of work of its own that is rolled back."""
        return trial.on_record(host, actor, self.kit, name, body, record_id)

    def try_on_past(self, ctx: Context, name: str, body: Mapping[str, Any], since: datetime) -> past.Past:
        """What a rule would have done since then."""
        return past.on_past(ctx, self.kit, name, body, since)

    def runs(self, ctx: Context, **options: Any) -> list[logbook.Run]:
        """The log, newest first; options as `logbook.runs`."""
        return logbook.runs(ctx, **options)

    def run(self, ctx: Context, run_id: int) -> logbook.Run:
        """One run of the log. Raises NotFound."""
        return logbook.run(ctx, run_id)

    def latest(self, ctx: Context) -> dict[int, logbook.Run]:
        """The last run of each rule that the actor may see, by the rule's number."""
        return logbook.latest(ctx)

    def retry(self, ctx: Context, run_id: int) -> None:
        """Let a failed run go on from the step that failed. Raises NotFound, Conflict."""
        logbook.retry(ctx, run_id)
