"""What is due, and how many machines there are in each state."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore import records
from gigacore_equipment.models import Machine, State

if TYPE_CHECKING:
    from gigacore import Context

AHEAD: Final = timedelta(days=14)


def plan_services(ctx: Context) -> int:
    """Makes a task for each running machine that is due within two weeks, once per due date; returns how many."""
    last = ctx.now.date() + AHEAD
    due = sa.select(Machine).where(Machine.state == State.running, Machine.service_due <= last)
    planned = 0
    for machine in ctx.session.scalars(due).all():
        if machine.service_due is not None and machine.planned_for != machine.service_due:
            _plan(ctx, machine, machine.service_due)
            planned += 1
    return planned


def _plan(ctx: Context, machine: Machine, day: date) -> None:
    due_at = datetime.combine(day, time(8), ctx.actor.zone).isoformat()
    task = {"title": f"Service: {machine.name}", "due_at": due_at, "company_id": machine.company_id}
    records.create(ctx, "crm.task", task)
    machine.planned_for = day


def states(ctx: Context) -> dict[str, int]:
    """How many machines the reader may see are in each state."""
    found = Counter(machine.state.value for machine in ctx.session.scalars(sa.select(Machine)))
    return {state.value: found[state.value] for state in State}
