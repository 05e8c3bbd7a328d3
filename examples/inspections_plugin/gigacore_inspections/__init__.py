"""Inspections: what must be looked at on each machine, and when that was done."""

from gigacore import Choice, ChoiceList, FieldSpec, Plugin, msg
from gigacore.access.verbs import Tool
from gigacore.data.links import LinkKind
from gigacore.ui import Column, NavItem, SettingsPage
from gigacore_inspections.jobs import CONSUMERS, JOBS, SCHEDULES
from gigacore_inspections.kinds import Checklist, Signer
from gigacore_inspections.models import Inspection, MachineInspections
from gigacore_inspections.parts import ACTIONS, BULK_ACTIONS, BY_PERSON, MADE, PANELS, RULE_ACTIONS, TABS, WIDGETS
from gigacore_inspections.telling import CALL, CERTIFICATE, DONE, DUE, PASSED, first_texts

MACHINE = "equipment.machine"
RISKS = (Choice("low", "Low", colour="green"), Choice("high", "High", colour="red"))

plugin = Plugin(
    "inspections",
    api="1.0",
    icon="clipboard-check",
    requires=["crm", "equipment"],
    entities=[Inspection],
    extensions=[MachineInspections],
    choice_lists=[ChoiceList("inspections.risk", "Risk", RISKS)],
    settings=[FieldSpec("inspections.interval", "integer", "Days between two inspections")],
    settings_pages=[SettingsPage(name="inspections.general", label="Inspections", keys=("inspections.interval",))],
    tools=[Tool("inspections.overview", msg("Inspections of today"), ("view",))],
    nav=[
        NavItem(
            name="inspections.today",
            label="Inspections of today",
            url="/inspections/today",
            icon="calendar-due",
            group="Sales",
            policy="signed_in",
        )
    ],
    columns=[Column(entity=MACHINE, field="inspections.inspected_on")],
    panels=PANELS,
    tabs=TABS,
    widgets=WIDGETS,
    actions=ACTIONS,
    bulk_actions=BULK_ACTIONS,
    rule_actions=RULE_ACTIONS,
    rule_triggers=[PASSED],
    notification_kinds=[DUE, DONE],
    jobs=JOBS,
    schedules=SCHEDULES,
    consumers=CONSUMERS,
    link_kinds=[LinkKind("inspections.feeds", "Feeds", "Is fed by"), LinkKind("inspections.twin", "Twin of")],
    declares=[Checklist(MACHINE, "Guards are in place"), MADE, BY_PERSON, CALL, CERTIFICATE],
    install=first_texts,
)

__all__ = ["Checklist", "Signer", "plugin"]
