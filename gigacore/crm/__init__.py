"""The built-in plugin: contacts, companies, leads, opportunities, tasks and notes."""

from gigacore.crm import lists
from gigacore.crm.models import ENTITIES
from gigacore.entity import ChoiceList
from gigacore.plugins import Plugin

plugin = Plugin(
    "crm",
    label="CRM",
    icon="address-book",
    entities=ENTITIES,
    choice_lists=[value for value in vars(lists).values() if isinstance(value, ChoiceList)],
)
