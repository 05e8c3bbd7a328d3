"""Finding records that may be the same person or company: by e-mail, phone, name and company."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, or_, select

from gigacore.crm.contacts import Company, CompanyEmail, CompanyPhone, Contact, ContactEmail, ContactPhone
from gigacore.crm.leads import Lead
from gigacore.entity import Entity, fold, folded_key
from gigacore.entity.contacts import phone_key
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

MOST: Final = 20
_L: Any = Lead
_P: Any = Contact
_C: Any = Company


@dataclass(frozen=True, slots=True)
class Traits:
    """What identifies a person or company; empty values identify nothing."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    first_name: str = ""
    last_name: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A record that may be the same. `reasons` are among email, phone, name."""

    entity: str
    id: int
    label: str
    reasons: tuple[str, ...]

    @property
    def certain(self) -> bool:
        """Whether it shares the address, not only a number or a name."""
        return "email" in self.reasons


def traits_of(record: Entity) -> Traits:
    """What identifies a lead, contact or company."""
    match record:
        case Lead():
            return Traits(
                _filled(record.email, record.email2), _filled(record.phone, record.phone2), record.first_name or "",
                record.last_name or "", record.company_name or "",
            )  # fmt: skip
        case Contact():
            emails, phones = [row.email for row in record.emails], [row.phone for row in record.phones]
            return Traits(tuple(emails), tuple(phones), record.first_name, record.last_name)
        case Company():
            emails, phones = [row.email for row in record.emails], [row.phone for row in record.phones]
            return Traits(_filled(record.email, *emails), _filled(record.phone, *phones), company=record.name)
    return Traits()


def find(
    ctx: Context, traits: Traits, *, entities: Iterable[str] = ("crm.contact", "crm.company", "crm.lead"),
    leave_out: Entity | None = None,
) -> list[Duplicate]:  # fmt: skip
    """The records that the actor may see and that share an address, a number or the name; the surest first."""
    known = {"crm.contact": _contacts, "crm.company": _companies, "crm.lead": _leads}
    out = (type(leave_out).__giga__.name, leave_out.id) if leave_out is not None else None
    found: dict[tuple[str, int], tuple[str, list[str]]] = {}
    for entity in entities:
        for reason, cls, condition in known[entity](traits):
            statement = select(cls.id, getattr(cls, cls.__giga__.title)).where(condition).order_by(cls.id).limit(MOST)
            for number, label in ctx.session.execute(statement):
                if (entity, number) != out:
                    found.setdefault((entity, number), (label or "", []))[1].append(reason)
    result = [Duplicate(entity, number, label, tuple(why)) for (entity, number), (label, why) in found.items()]
    return sorted(result, key=lambda one: (not one.certain, -len(one.reasons), one.entity, one.id))[:MOST]


def duplicates_of(ctx: Context, record: Entity) -> list[Duplicate]:
    """The records that may be the same as this one."""
    return find(ctx, traits_of(record), leave_out=record)


Search = tuple[str, Any, ColumnElement[bool]]


def _leads(traits: Traits) -> Iterator[Search]:
    emails, phones = _keys(traits)
    if emails:
        yield "email", _L, or_(_L.email_key.in_(emails), _L.email2_key.in_(emails))
    if phones:
        yield "phone", _L, or_(_L.phone_key.in_(phones), _L.phone2_key.in_(phones))
    if traits.last_name and traits.company:
        company = _L.company_name_key == folded_key(traits.company)
        yield "name", _L, and_(_L.last_name_key == folded_key(traits.last_name), company)


def _contacts(traits: Traits) -> Iterator[Search]:
    emails, phones = _keys(traits)
    email_rows: Any = ContactEmail
    phone_rows: Any = ContactPhone
    if emails:
        yield "email", _P, _P.id.in_(select(email_rows.parent_id).where(email_rows.email_key.in_(emails)))
    if phones:
        yield "phone", _P, _P.id.in_(select(phone_rows.parent_id).where(phone_rows.phone_key.in_(phones)))
    if traits.last_name and traits.first_name:
        name = and_(
            _P.last_name_key == folded_key(traits.last_name), _P.first_name_key == folded_key(traits.first_name)
        )
        at = _P.company_id.in_(select(_C.id).where(_C.name_key == folded_key(traits.company)))
        yield "name", _P, and_(name, at) if traits.company else name


def _companies(traits: Traits) -> Iterator[Search]:
    emails, phones = _keys(traits)
    email_rows: Any = CompanyEmail
    phone_rows: Any = CompanyPhone
    if emails:
        further = _C.id.in_(select(email_rows.parent_id).where(email_rows.email_key.in_(emails)))
        yield "email", _C, or_(_C.email_key.in_(emails), further)
    if phones:
        further = _C.id.in_(select(phone_rows.parent_id).where(phone_rows.phone_key.in_(phones)))
        yield "phone", _C, or_(_C.phone_key.in_(phones), further)
    if traits.company:
        yield "name", _C, _C.name_key == folded_key(traits.company)


def _keys(traits: Traits) -> tuple[list[str], list[str]]:
    phones = [key for text in traits.phones if (key := phone_key(text))]
    return [fold(text) for text in traits.emails], phones


def _filled(*values: str | None) -> tuple[str, ...]:
    return tuple(value for value in values if value)
