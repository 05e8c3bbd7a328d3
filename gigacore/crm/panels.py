"""What the pages of leads and opportunities show beside their fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from gigacore.crm import conversion, settings
from gigacore.crm.contacts import Company, Contact
from gigacore.crm.leads import Lead
from gigacore.crm.sales import Opportunity
from gigacore.ui import Content, Fact, Facts, Link, Panel, Slot

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity


def known_people(ctx: Context, record: Entity) -> Sequence[Content]:
    """Contacts and companies that a lead may be already, unless it was converted."""
    lead = cast("Lead", record)
    if lead.converted_at is not None:
        return ()
    return [Link(one.label, entity=one.entity, id=one.id) for one in conversion.candidates(ctx, lead)[:5]]


def customer(ctx: Context, record: Entity) -> Sequence[Content]:
    """What is known about an opportunity's customer."""
    opportunity = cast("Opportunity", record)
    if not settings.value(ctx, settings.CUSTOMER_NOTES):
        return ()
    company = ctx.session.get(Company, opportunity.company_id) if opportunity.company_id else None
    contact = ctx.session.get(Contact, opportunity.contact_id) if opportunity.contact_id else None
    facts = []
    if company is not None:
        facts += [Fact("Company", company.description), Fact("Notes", company.notes)]
    if contact is not None:
        facts.append(Fact("Contact", contact.description))
    filled = tuple(fact for fact in facts if fact.value)
    return [Facts(filled)] if filled else ()


ALL: Final = (
    Panel(
        name="crm.known_people", label="Possibly known already", entity="crm.lead", load=known_people, icon="users",
        order=20,
    ),
    Panel(
        name="crm.customer", label="About the customer", entity="crm.opportunity", load=customer,
        slot=Slot.RECORD_MAIN, icon="notes", order=20,
    ),
)  # fmt: skip
