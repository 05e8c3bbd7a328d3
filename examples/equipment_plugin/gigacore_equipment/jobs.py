"""Every night the services that are due become tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore import Job, Schedule
from gigacore_equipment.services import plan_services

if TYPE_CHECKING:
    from gigacore import Context


def plan(ctx: Context, payload: Mapping[str, Any]) -> None:
    """Plan what is due; begun again, it plans nothing twice."""
    plan_services(ctx)


JOBS = (Job("equipment.plan", plan, label="Plan the services that are due", system="plan services"),)
SCHEDULES = (Schedule("equipment.nightly", "equipment.plan", cron="0 4 * * *"),)
