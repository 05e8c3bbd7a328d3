"""Equipment: the machines that customers have, and when each is due for service."""

from gigacore import Plugin, RoleGrant, msg
from gigacore.access.verbs import Tool
from gigacore.ui import NavItem
from gigacore_equipment.jobs import JOBS, SCHEDULES
from gigacore_equipment.models import Machine

plugin = Plugin(
    "equipment",
    api="1.0",
    icon="tool",
    requires=["crm"],
    entities=[Machine],
    tools=[Tool("equipment.overview", msg("Equipment overview"), ("view",))],
    grants=[RoleGrant("manager", "equipment.overview", ("view",))],
    jobs=JOBS,
    schedules=SCHEDULES,
    nav=[
        NavItem(
            name="equipment.overview",
            label="Equipment overview",
            url="/equipment/overview",
            icon="chart-bar",
            group="Sales",
            policy="equipment.overview.view",
        )
    ],
    assets={"overview.js": "static/overview.js"},
)

__all__ = ["plugin"]
