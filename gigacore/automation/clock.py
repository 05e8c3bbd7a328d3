"""Rules that follow the clock: dates that come near, records that nobody touches, fixed times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import records
from gigacore.access.profiles import load_actor
from gigacore.automation.declare import Due, Tick
from gigacore.automation.engine import Occasion, consider
from gigacore.automation.rule import Definition, Kit, Rule
from gigacore.automation.store import active
from gigacore.automation.tables import core_rule, core_rule_run
from gigacore.context import Actor
from gigacore.entity.kinds import iso
from gigacore.errors import GigaError, NotFound
from gigacore.records import ListRequest

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.jobs import JobRun

PAGE: Final = 200
OVERLAP: Final = timedelta(minutes=10)
"""How far each look goes back: what was written a moment before the last one may have been committed after it."""


def tick(run: JobRun, kit: Kit) -> int:
    """Start the rules whose time has come; gives how many runs. Each occasion starts a record's run only once."""
    database, started = run.host.database, 0
    with database.connect() as connection:
        rules = [rule for rule in active(connection, database.registry, kit) if follows_clock(rule)]
    for rule in rules:
        run.between_steps()
        started += look(run, rule)
    return started


def follows_clock(rule: Rule) -> bool:
    """Whether the rule's trigger is the clock."""
    return rule.definition is not None and rule.definition.trigger.clock is not None


def look(run: JobRun, rule: Rule) -> int:
    """Start one rule for every record whose time has come since the last look."""
    database, now = run.host.database, run.now
    definition = rule.definition
    if definition is None or definition.trigger.clock is None or rule.active_since is None:
        return 0
    try:
        with database.connect() as connection:
            owner = load_actor(connection, rule.owner_id)
    except NotFound:
        return 0  # who may not sign in has no rules that act
    since = rule.active_since if rule.checked_at is None else max(rule.active_since, rule.checked_at - OVERLAP)
    due = definition.trigger.clock(Tick(definition.entity, definition.params, since, now, owner.timezone))
    found = [] if due is None else occasions(run, rule, definition, due, owner)
    started = 0
    for start in range(0, max(len(found), 1), PAGE):
        with run.unit_of_work() as ctx:
            for occasion in _new(ctx, rule, found[start : start + PAGE]):
                record = _record(ctx, definition, occasion.record_id)
                started += consider(ctx, rule, definition, occasion, record, {}) is not None
            mark = sa.update(core_rule).where(core_rule.c.id == rule.id).values(checked_at=now)
            ctx.session.connection().execute(mark)
    return started


def _new(ctx: Context, rule: Rule, found: Sequence[Occasion]) -> list[Occasion]:
    """The occasions that no run was started for: a day lasts many looks."""
    runs = core_rule_run.c
    known = sa.select(runs.record_id, runs.correlation_id).where(
        runs.rule_id == rule.id,
        runs.record_id.in_([one.record_id for one in found]),
        runs.correlation_id.in_({one.correlation_id for one in found}),
    )
    started = {tuple(row) for row in ctx.session.connection().execute(known)}
    return [one for one in found if (one.record_id, one.correlation_id) not in started]


def _record(ctx: Any, definition: Definition, record_id: int) -> Any:
    return ctx.session.get(definition.entity.cls, record_id) if definition.entity is not None and record_id else None


def occasions(run: JobRun, rule: Rule, definition: Definition, due: Due, owner: Actor) -> list[Occasion]:
    """The records that are due in the owner's sight, each with the value that makes the occasion."""
    name = definition.trigger.name
    if due.filter is None or definition.entity is None:
        return [Occasion(name, "", 0, f"{due.occasion}"[:64], 0)]
    parts = [due.filter, *([definition.when] if definition.when else [])]
    found: list[Occasion] = []
    try:
        with run.host.database.read(owner.automation(rule.name)) as ctx:
            fields = ("id", due.field) if due.field else ("id",)
            request = ListRequest({"all": parts}, ("id",), fields, PAGE, None, count=False)
            while True:
                page = records.page(ctx, definition.entity.name, request)
                found += [_occasion(name, definition, due, item) for item in page.items]
                if page.next is None:
                    return found
                request = ListRequest({"all": parts}, ("id",), fields, PAGE, page.next, count=False)
    except GigaError:  # what the owner may no longer read starts nothing; the rule's page tells
        return found


def _occasion(name: str, definition: Definition, due: Due, item: Mapping[str, Any]) -> Occasion:
    value = item.get(due.field) if due.field else due.occasion
    text = iso(value) if isinstance(value, datetime) else str(value)
    entity = definition.entity.name if definition.entity else ""
    return Occasion(name, entity, item["id"], f"{name}:{text}"[:64], 0)
