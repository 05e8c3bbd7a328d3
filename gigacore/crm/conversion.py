"""Turning a lead into a contact, a company and an opportunity: one transaction, and nothing of the lead is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gigacore import access, records
from gigacore.crm import duplicates
from gigacore.crm.choosing import key_of
from gigacore.crm.contacts import (
    Company,
    CompanyEmail,
    CompanyPhone,
    Contact,
    ContactAddress,
    ContactEmail,
    ContactLink,
    ContactPhone,
)
from gigacore.crm.lead_rules import is_closed
from gigacore.crm.leads import Lead
from gigacore.crm.lists import WON
from gigacore.crm.sales import Opportunity
from gigacore.crm.work import Note, Task
from gigacore.data import activities
from gigacore.entity import fold
from gigacore.entity.contacts import phone_key
from gigacore.errors import Conflict, Invalid
from gigacore.files import service as files
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a lead is converted. Without wishes, a contact with the same address and a company of the same name are used.

    `contact_id` and `company_id` name existing records; `new` makes new ones even where some look the same.
    """

    contact_id: int | None = None
    company_id: int | None = None
    pipeline_id: int | None = None
    title: str = ""
    opportunity: bool = True
    close: bool = True
    new: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of a lead."""

    contact: Contact | None
    company: Company | None
    opportunity: Opportunity | None

    def records(self) -> list[Entity]:
        """All that there is."""
        return [one for one in (self.contact, self.company, self.opportunity) if one is not None]


def convert_lead(ctx: Context, lead: Lead, wishes: Wishes | None = None) -> Converted:
    """Convert a lead. Raises Conflict when that was done before, Invalid when it names neither person nor company.

    An existing contact or company only gains what it lacks, and only if the actor may edit it. The lead is closed as
    won unless `wishes` say otherwise.
    """
    wishes = wishes or Wishes()
    if lead.converted_at is not None:
        raise Conflict(msg("This lead was converted already."))
    company = _company(ctx, lead, wishes)
    ctx.session.flush()
    contact = _contact(ctx, lead, company, wishes)
    ctx.session.flush()
    if contact is None and company is None:
        raise Invalid(msg("The lead names neither a person nor a company."))
    opportunity = _opportunity(ctx, lead, contact, company, wishes) if wishes.opportunity else None
    ctx.session.flush()
    result = Converted(contact, company, opportunity)
    _close(ctx, lead, result, wishes)
    _carry_over(ctx, lead, result)
    return result


def candidates(ctx: Context, lead: Lead) -> list[duplicates.Duplicate]:
    """Contacts and companies that may be the lead's already."""
    return duplicates.find(ctx, duplicates.traits_of(lead), entities=("crm.contact", "crm.company"))


def _company(ctx: Context, lead: Lead, wishes: Wishes) -> Company | None:
    if wishes.company_id is not None:
        return _gain_company(ctx, records.load(ctx, "crm.company", wishes.company_id), lead)
    if not lead.company_name:
        return None
    same = None if wishes.new else _same_company(ctx, lead.company_name)
    return _gain_company(ctx, same, lead) if same is not None else _new_company(ctx, lead)


def _same_company(ctx: Context, name: str) -> Company | None:
    found = duplicates.find(ctx, duplicates.Traits(company=name), entities=("crm.company",))
    return ctx.session.get(Company, found[0].id) if found else None


def _new_company(ctx: Context, lead: Lead) -> Company:
    company = Company(
        name=lead.company_name, kind=key_of(ctx.session.registry, "company_kind", "prospect"), website=lead.website,
        city=lead.city, country=lead.country, tags=lead.tags, external_id=lead.external_id,
    )  # fmt: skip
    if not _has_person(lead):
        company.email, company.phone, company.description = lead.email, lead.phone, lead.description
        company.emails = [CompanyEmail(email=lead.email2)] if lead.email2 else []
        company.phones = [CompanyPhone(phone=lead.phone2)] if lead.phone2 else []
    _own(ctx, company, lead)
    return company


def _gain_company(ctx: Context, company: Any, lead: Lead) -> Company:
    if access.may(ctx, "edit", "crm.company", company):
        for name in ("website", "city", "country"):
            _fill(company, name, getattr(lead, name))
        if not _has_person(lead):
            _fill(company, "email", lead.email)
            _fill(company, "phone", lead.phone)
    found: Company = company
    return found


def _contact(ctx: Context, lead: Lead, company: Company | None, wishes: Wishes) -> Contact | None:
    if wishes.contact_id is not None:
        return _gain_contact(ctx, records.load(ctx, "crm.contact", wishes.contact_id), lead, company)
    if not _has_person(lead) and company is not None:
        return None
    same = None if wishes.new else _same_contact(ctx, lead)
    return _gain_contact(ctx, same, lead, company) if same is not None else _new_contact(ctx, lead, company)


def _same_contact(ctx: Context, lead: Lead) -> Contact | None:
    traits = duplicates.traits_of(lead)
    found = [one for one in duplicates.find(ctx, traits, entities=("crm.contact",)) if one.certain]
    return ctx.session.get(Contact, found[0].id) if found else None


def _new_contact(ctx: Context, lead: Lead, company: Company | None) -> Contact | None:
    first, last = _names(lead)
    if not last:
        return None
    contact = Contact(
        first_name=first, last_name=last, job_title=lead.job_title, city=lead.city, country=lead.country,
        source=lead.source, tags=lead.tags, description=lead.description, external_id=lead.external_id,
        company_id=company.id if company is not None else None,
    )  # fmt: skip
    contact.emails = [ContactEmail(email=email, position=n) for n, email in enumerate(_given(lead.email, lead.email2))]
    contact.phones = [ContactPhone(phone=phone, position=n) for n, phone in enumerate(_given(lead.phone, lead.phone2))]
    contact.links = [ContactLink(url=lead.website)] if lead.website else []
    contact.addresses = [ContactAddress(city=lead.city, country=lead.country)] if lead.city else []
    _own(ctx, contact, lead)
    return contact


def _gain_contact(ctx: Context, contact: Any, lead: Lead, company: Company | None) -> Contact:
    found: Contact = contact
    if not access.may(ctx, "edit", "crm.contact", found):
        return found
    emails = {fold(row.email) for row in found.emails}
    phones = {phone_key(row.phone) for row in found.phones}
    found.emails += [ContactEmail(email=one) for one in _given(lead.email, lead.email2) if fold(one) not in emails]
    found.phones += [ContactPhone(phone=one) for one in _given(lead.phone, lead.phone2) if phone_key(one) not in phones]
    for name in ("job_title", "city", "country", "source"):
        _fill(found, name, getattr(lead, name))
    if lead.description and lead.description not in (found.description or ""):
        found.description = "\n\n".join(part for part in (found.description, lead.description) if part)
    if company is not None:
        _fill(found, "company_id", company.id)
    return found


def _opportunity(
    ctx: Context, lead: Lead, contact: Contact | None, company: Company | None, wishes: Wishes
) -> Opportunity:
    opportunity = Opportunity(
        title=wishes.title or lead.company_name or lead.name, lead_id=lead.id, amount=lead.amount, source=lead.source,
        tags=lead.tags, description=lead.description, pipeline_id=wishes.pipeline_id,
        contact_id=contact.id if contact is not None else None, company_id=company.id if company is not None else None,
    )  # fmt: skip
    if company is None and contact is not None:
        opportunity.company_id = contact.company_id
    _own(ctx, opportunity, lead)
    return opportunity


def _close(ctx: Context, lead: Lead, result: Converted, wishes: Wishes) -> None:
    lead.converted_at = ctx.now
    lead.contact_id = result.contact.id if result.contact is not None else None
    lead.company_id = result.company.id if result.company is not None else None
    won = key_of(ctx.session.registry, "lead_status", WON)
    if wishes.close and won is not None and not is_closed(ctx, lead):
        lead.status = won
    ctx.session.flush()


def _carry_over(ctx: Context, lead: Lead, result: Converted) -> None:
    """History, files, tasks and notes of the lead belong to what came of it too."""
    activities.share(ctx, lead, result.records())
    for file in files.of_record(ctx, "crm.lead", lead.id):
        target = result.records()[-1]
        files.attach(ctx, file.uid, type(target).__giga__.name, target.id)
    for cls in (Task, Note):
        for record in _of_lead(ctx, cls, lead):
            _fill(record, "contact_id", result.contact.id if result.contact else None)
            _fill(record, "company_id", result.company.id if result.company else None)
            _fill(record, "opportunity_id", result.opportunity.id if result.opportunity else None)
    ctx.session.flush()


def _of_lead(ctx: Context, cls: type[Task] | type[Note], lead: Lead) -> Iterable[Task | Note]:
    """The lead's tasks or notes that the actor may edit; others stay with the lead, to which all refer."""
    name = cls.__giga__.name
    found: Sequence[Any] = ctx.session.scalars(select(cls).where(cls.lead_id == lead.id).order_by(cls.id)).all()
    return [record for record in found if access.may(ctx, "edit", name, record)]


def _own(ctx: Context, record: Any, lead: Any) -> None:
    """The same people are responsible, the same may see it; custom fields of the same name keep their values."""
    record.owner_id, record.team_id, record.visibility = lead.owner_id, lead.team_id, lead.visibility
    known = ctx.session.registry.of(record).fields
    own = ctx.session.registry.of(lead).fields
    custom = lead.custom or {}
    record.custom = {
        name: value for name, value in custom.items() if name in known and known[name].kind == own[name].kind
    }
    ctx.session.add(record)


def _has_person(lead: Lead) -> bool:
    return bool(lead.last_name or lead.first_name)


def _names(lead: Lead) -> tuple[str, str]:
    """First and last name, read off the address (`jean.dupont@...`) when the lead has none."""
    if lead.last_name or lead.first_name:
        return (lead.first_name or "", lead.last_name) if lead.last_name else ("", lead.first_name or "")
    local = (lead.email or lead.email2 or "").partition("@")[0]
    first, dot, last = local.partition(".")
    return (first.capitalize(), last.capitalize()) if dot and last else ("", local)


def _given(*values: str | None) -> list[str]:
    return [value for value in values if value]


def _fill(record: Any, name: str, value: object) -> None:
    if value is not None and getattr(record, name) is None:
        setattr(record, name, value)
