"""The built-in plugin: contacts, companies, leads, opportunities, tasks and notes."""

from typing import Final

from gigacore.crm import (
    actions,
    automation,
    charts,
    jobs,
    lists,
    measures,
    panels,
    ready_rules,
    settings,
    telling,
    widgets,
)
from gigacore.crm.conversion import Converted, Wishes, convert_lead
from gigacore.crm.duplicates import Duplicate, Traits, duplicates_of
from gigacore.crm.duplicates import find as find_duplicates
from gigacore.crm.models import ENTITIES
from gigacore.crm.pipelines import install
from gigacore.plugins import Plugin, RoleGrant
from gigacore.ui import NavItem, SettingsPage

__all__ = [
    "Converted",
    "Duplicate",
    "Traits",
    "Wishes",
    "convert_lead",
    "duplicates_of",
    "find_duplicates",
    "plugin",
]


def _menu(order: int, entity: str, *, label: str, icon: str, group: str) -> NavItem:
    return NavItem(name=f"{entity}.list", label=label, entity=entity, icon=icon, group=group, order=order)


NAV: Final = (
    _menu(10, "crm.lead", label="Leads", icon="target", group="Sales"),
    _menu(20, "crm.contact", label="Contacts", icon="user", group="Sales"),
    _menu(30, "crm.company", label="Companies", icon="building", group="Sales"),
    _menu(40, "crm.opportunity", label="Opportunities", icon="briefcase", group="Sales"),
    _menu(50, "crm.task", label="Tasks", icon="checkbox", group="Work"),
    _menu(60, "crm.note", label="Notes", icon="notes", group="Work"),
    _menu(200, "crm.pipeline", label="Pipelines", icon="filter", group="Settings"),
    _menu(210, "crm.stage", label="Stages", icon="list-check", group="Settings"),
)

plugin = Plugin(
    "crm",
    label="CRM",
    description="Contacts, companies, leads, opportunities, tasks and notes.",
    icon="address-book",
    entities=ENTITIES,
    choice_lists=lists.ALL,
    settings=settings.ALL,
    actions=actions.ALL,
    jobs=(*jobs.ALL, telling.REMIND),
    schedules=(*jobs.SCHEDULES, telling.SCHEDULE),
    notification_kinds=telling.KINDS,
    consumers=jobs.CONSUMERS,
    nav=NAV,
    declares=(*ready_rules.ALL, *measures.ALL),
    rule_triggers=automation.TRIGGERS,
    rule_actions=automation.ACTIONS,
    panels=panels.ALL,
    widgets=(*widgets.ALL, *charts.ALL),
    settings_pages=[
        SettingsPage(
            name="crm.sales", label="Sales", keys=tuple(setting.name for setting in settings.ALL), icon="target"
        )
    ],
    # A closed lead is reopened by somebody with more than a salesperson's rights.
    grants=[RoleGrant("user", "crm.lead", ("reopen",), "none")],
    install=install,
)
