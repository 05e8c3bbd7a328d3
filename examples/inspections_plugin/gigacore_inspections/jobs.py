"""Every morning the machines that are due become tasks; owners are told of these, and of each inspection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore import Consumer, Job, Schedule, msg, records
from gigacore.notices import notify
from gigacore_inspections.services import MACHINE, due
from gigacore_inspections.telling import DONE, DUE

if TYPE_CHECKING:
    from gigacore import Context
    from gigacore.jobs import Event


def remind(ctx: Context, payload: Mapping[str, Any]) -> int:
    """One task that names them; gives their number."""
    machines = due(ctx)
    if machines:
        names = ", ".join(machine["name"] for machine in machines[:5])
        records.create(ctx, "crm.task", {"title": f"Inspect: {names}", "due_at": ctx.now.isoformat()})
        owners = {machine["owner_id"]["id"] for machine in machines if machine["owner_id"]}
        text = msg("{count} machines are due.", count=len(machines))
        notify(ctx, DUE.name, owners, text, url="/inspections/today", kinds=(DUE,))
    return len(machines)


def tell_owner(ctx: Context, event: Event) -> None:
    """Who is responsible for a machine hears that it was inspected."""
    made = records.get(ctx, "inspections.inspection", event.record_id or 0)
    machine = records.get(ctx, MACHINE, made["machine_id"]["id"])
    if machine["owner_id"]:
        text = msg("{machine} was inspected.", machine=machine["name"])
        notify(ctx, DONE.name, [machine["owner_id"]["id"]], text, record=(MACHINE, machine["id"]), kinds=(DONE,))


JOBS = (Job("inspections.remind", remind, label="Remind of inspections", system="remind of inspections"),)
SCHEDULES = (Schedule("inspections.daily", "inspections.remind", cron="0 6 * * *"),)
CONSUMERS = (Consumer("inspections.done", ("inspections.inspection.created",), tell_owner),)
