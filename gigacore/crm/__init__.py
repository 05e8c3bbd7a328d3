"""The built-in plugin: contacts, companies, leads, opportunities, tasks and notes."""

from gigacore.crm import lists
from gigacore.crm.models import ENTITIES
from gigacore.crm.pipelines import install
from gigacore.plugins import Plugin
from gigacore.ui import NavItem

plugin = Plugin(
    "crm",
    label="CRM",
    description="Contacts, companies, leads, opportunities, tasks and notes.",
    icon="address-book",
    entities=ENTITIES,
    choice_lists=lists.ALL,
    install=install,
    nav=[
        NavItem(name="leads", label="Leads", entity="crm.lead", icon="target", group="Sales", order=10),
        NavItem(name="contacts", label="Contacts", entity="crm.contact", icon="user", group="Sales", order=20),
        NavItem(name="companies", label="Companies", entity="crm.company", icon="building", group="Sales", order=30),
        NavItem(
            name="opportunities",
            label="Opportunities",
            entity="crm.opportunity",
            icon="briefcase",
            group="Sales",
            order=40,
        ),
        NavItem(name="tasks", label="Tasks", entity="crm.task", icon="checkbox", group="Work", order=50),
        NavItem(name="notes", label="Notes", entity="crm.note", icon="notes", group="Work", order=60),
        NavItem(name="pipelines", label="Pipelines", entity="crm.pipeline", icon="filter", group="Settings", order=200),
        NavItem(name="stages", label="Stages", entity="crm.stage", icon="list-check", group="Settings", order=210),
    ],
)
