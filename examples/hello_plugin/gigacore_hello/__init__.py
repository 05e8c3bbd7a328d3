"""Hello: a greeting beside every lead, and a rule that leads keep."""

from gigacore import Abort, Plugin, hookimpl, msg
from gigacore.ui import Note, Panel


def greet(ctx, lead):
    return [Note(msg("Hello, {name}!", name=lead.first_name or lead.company_name or "you"))]


class Rules:
    @hookimpl
    def validate_record(self, entity, record):
        if entity.name == "crm.lead" and record.amount and not record.company_name:
            raise Abort(msg("A lead with an amount needs a company."))


panel = Panel(name="hello.greeting", label="Greeting", entity="crm.lead", load=greet, icon="mood-smile")
plugin = Plugin("hello", requires=["crm"], panels=[panel], hooks=[Rules()])
