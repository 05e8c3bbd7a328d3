"""Visits: when a company was last visited, when the next visit is due, and all that pages can show of it."""

from gigacore import Plugin
from gigacore.entity import FieldSpec
from gigacore.ui import BulkAction, Column, NavItem, Panel, RecordAction, SettingsPage, Tab, Widget
from gigacore_visits.models import CompanyVisits
from gigacore_visits.services import DEFAULT_DAYS, due, log_visit, plan_visits, summary, upcoming

EVERY = FieldSpec("visits.every", "integer", "Days between two visits", default=DEFAULT_DAYS, minimum=1, maximum=999)
DAY = FieldSpec("day", "date", "Day of the visit", required=True)

plugin = Plugin(
    "visits",
    api="1.0",
    label="Visits",
    icon="map-pin",
    requires=["crm"],
    extensions=[CompanyVisits],
    settings=[EVERY],
    settings_pages=[SettingsPage(name="visits.rhythm", label="Visits", keys=("visits.every",), icon="map-pin")],
    nav=[NavItem(name="visits.map", label="Map of visits", url="/visits/map", icon="map-pin", group="Sales",
                 policy="crm.company.view")],
    columns=[Column(entity="crm.company", field="visits.last_visit")],
    panels=[Panel(name="visits.summary", label="Visits", entity="crm.company", load=summary, icon="map-pin")],
    tabs=[Tab(name="visits.plan", label="Visit plan", entity="crm.company", load=upcoming)],
    actions=[RecordAction(name="visits_log", label="Log a visit", entity="crm.company", run=log_visit, params=(DAY,),
                          icon="map-pin", policy="crm.company.edit")],
    bulk_actions=[BulkAction(name="visits_plan", label="Plan visits", entity="crm.company", run=plan_visits,
                             params=(DAY,), icon="calendar", policy="crm.company.edit")],
    widgets=[Widget(name="visits.due", label="Visits that are due", load=due, policy="crm.company.view",
                    icon="map-pin")],
    assets={"map.js": "static/map.js"},
    csp={"img-src": ["https://tiles.example.com"]},
)  # fmt: skip

__all__ = ["plugin"]
