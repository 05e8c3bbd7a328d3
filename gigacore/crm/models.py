"""Every entity of the plugin."""

from gigacore.crm.contacts import Company, Contact
from gigacore.crm.leads import Lead
from gigacore.crm.sales import Opportunity, Pipeline, Stage
from gigacore.crm.work import Note, Task

ENTITIES = (Lead, Contact, Company, Opportunity, Pipeline, Stage, Task, Note)

__all__ = ["ENTITIES", "Company", "Contact", "Lead", "Note", "Opportunity", "Pipeline", "Stage", "Task"]
