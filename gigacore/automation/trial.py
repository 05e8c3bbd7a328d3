"""Trying a rule on one record before it is switched on, as if something had just happened.

It really runs, in a transaction that is rolled back: what it shows is what it would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa

from gigacore import records
from gigacore.automation import store
from gigacore.automation.engine import Walk, surroundings
from gigacore.automation.judge import trace
from gigacore.automation.rule import Kit
from gigacore.data.tables import core_audit, core_audit_value
from gigacore.errors import GigaError, Invalid, worded
from gigacore.jobs import core_job
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.jobs.run import Host

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
        id=0, rule_id=0, rule_version=0, rule_name=name, owner_id=ctx.actor.user_id or 0, body=body, position=0,
        steps=[], before={}, entity=definition.entity.name, record_id=record_id, event_name="trial",
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
