"""Every morning the machines that are due become tasks, and their owners are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore import Job, Schedule, msg, records
from gigacore.notices import notify
from gigacore_inspections.services import due
from gigacore_inspections.telling import DUE

if TYPE_CHECKING:
    from gigacore import Context


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


JOBS = (Job("inspections.remind", remind, label="Remind of inspections", system="remind of inspections"),)
SCHEDULES = (Schedule("inspections.daily", "inspections.remind", cron="0 6 * * *"),)
