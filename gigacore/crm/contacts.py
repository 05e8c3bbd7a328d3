"""Persons and companies: the customer's side of the CRM."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Mapped

from gigacore.entity import Child, ChildMeta, Entity, EntityMeta, children, choice, computed, field, ref

PICTURE: Final = (200, 300)
"""Width and height in pixels of photos and logos; larger ones are reduced."""


class ContactEmail(Child):
    """An e-mail address of a person."""

    __child__ = ChildMeta("crm.contact_email", "crm.contact")

    email: Mapped[str] = field(kind="email", label="E-mail", search=True, personal=True)
    kind: Mapped[str | None] = choice(list="crm.email_kind", default="work")


class ContactPhone(Child):
    """A phone number of a person."""

    __child__ = ChildMeta("crm.contact_phone", "crm.contact")

    phone: Mapped[str] = field(kind="phone", max_length=60, search=True, personal=True)
    kind: Mapped[str | None] = choice(list="crm.phone_kind", default="work")


class ContactAddress(Child):
    """A postal address of a person."""

    __child__ = ChildMeta("crm.contact_address", "crm.contact")

    kind: Mapped[str | None] = choice(list="crm.address_kind", default="work")
    street: Mapped[str | None] = field(max_length=400, personal=True)
    postal_code: Mapped[str | None] = field(max_length=20, personal=True)
    city: Mapped[str | None] = field(max_length=100, personal=True)
    region: Mapped[str | None] = field(max_length=100, personal=True)
    country: Mapped[str | None] = field(max_length=100, vocabulary="countries")


class ContactLink(Child):
    """A website or social network page of a person."""

    __child__ = ChildMeta("crm.contact_link", "crm.contact")

    kind: Mapped[str | None] = choice(list="crm.link_kind", default="website")
    url: Mapped[str] = field(kind="url", label="Web address", max_length=500)


class ContactCompany(Child):
    """A further company to which a person belongs."""

    __child__ = ChildMeta("crm.contact_company", "crm.contact")

    company_id: Mapped[int] = ref("crm.company", on_delete="cascade")
    job_title: Mapped[str | None] = field(max_length=150)


class CompanyEmail(Child):
    """An e-mail address of a company."""

    __child__ = ChildMeta("crm.company_email", "crm.company")

    email: Mapped[str] = field(kind="email", label="E-mail", search=True)
    kind: Mapped[str | None] = choice(list="crm.email_kind", default="work")


class CompanyPhone(Child):
    """A phone number of a company."""

    __child__ = ChildMeta("crm.company_phone", "crm.company")

    phone: Mapped[str] = field(kind="phone", max_length=60, search=True)
    kind: Mapped[str | None] = choice(list="crm.phone_kind", default="work")


class CompanyAddress(Child):
    """A postal address of a company."""

    __child__ = ChildMeta("crm.company_address", "crm.company")

    kind: Mapped[str | None] = choice(list="crm.address_kind", default="billing")
    street: Mapped[str | None] = field(max_length=400)
    postal_code: Mapped[str | None] = field(max_length=20)
    city: Mapped[str | None] = field(max_length=100)
    region: Mapped[str | None] = field(max_length=100)
    country: Mapped[str | None] = field(max_length=100, vocabulary="countries")


class CompanyLink(Child):
    """A website or social network page of a company."""

    __child__ = ChildMeta("crm.company_link", "crm.company")

    kind: Mapped[str | None] = choice(list="crm.link_kind", default="website")
    url: Mapped[str] = field(kind="url", label="Web address", max_length=500)


class Company(Entity):
    """A customer's organisation, or one that may become a customer."""

    __entity__ = EntityMeta(
        "crm.company",
        plural="companies",
        title="name",
        label="Company",
        label_plural="Companies",
        label_new="Create company",
        icon="building",
        id_prefix="COMP",
        sort="name",
        indexes=(("created_at",), ("city_key", "name_key")),
        key_facts=("kind", "industry", "city", "phone", "website"),
    )

    name: Mapped[str] = field(listed=True, search=True, sort=True)
    kind: Mapped[str | None] = choice(
        list="crm.company_kind", default="prospect", listed=True, label="Customer or prospect"
    )
    contact_type: Mapped[str | None] = choice(list="crm.contact_type")
    temperature: Mapped[str | None] = choice(list="crm.temperature")
    industry: Mapped[str | None] = choice(list="crm.industry", listed=True)
    website: Mapped[str | None] = field(kind="url", max_length=500)
    email: Mapped[str | None] = field(kind="email", label="E-mail", search=True)
    phone: Mapped[str | None] = field(kind="phone", max_length=60, listed=True)
    street: Mapped[str | None] = field(max_length=400, section="address")
    postal_code: Mapped[str | None] = field(max_length=20, section="address")
    city: Mapped[str | None] = field(max_length=100, listed=True, sort=True, section="address")
    country: Mapped[str | None] = field(
        max_length=100, vocabulary="countries", listed=True, sort=True, section="address"
    )
    employees: Mapped[int | None] = field(minimum=0, label="Number of employees")
    founded: Mapped[int | None] = field(minimum=0, maximum=3000, label="Founded in")
    currency: Mapped[str | None] = field(max_length=3)
    language: Mapped[str | None] = field(max_length=10, vocabulary="languages")
    external_id: Mapped[str | None] = field(max_length=100, indexed=True, label="External number")
    tags: Mapped[list[str] | None] = choice(list="crm.tag", many=True)
    logo: Mapped[UUID | None] = field(kind="file", image=PICTURE)
    description: Mapped[str | None] = field(kind="longtext")
    notes: Mapped[str | None] = field(kind="longtext")
    emails: Mapped[list[CompanyEmail]] = children(CompanyEmail, label="Further e-mails")
    phones: Mapped[list[CompanyPhone]] = children(CompanyPhone, label="Further phones")
    addresses: Mapped[list[CompanyAddress]] = children(CompanyAddress, label="Further addresses")
    links: Mapped[list[CompanyLink]] = children(CompanyLink, label="Web addresses")


def _full_name(contact: Contact) -> str:
    return " ".join(part for part in (contact.first_name, contact.last_name) if part)


def _first_email(contact: Contact) -> str | None:
    return contact.emails[0].email if contact.emails else None


def _first_phone(contact: Contact) -> str | None:
    return contact.phones[0].phone if contact.phones else None


class Contact(Entity):
    """A person."""

    __entity__ = EntityMeta(
        "crm.contact",
        plural="contacts",
        title="name",
        label="Contact",
        label_plural="Contacts",
        label_new="Create contact",
        icon="user",
        id_prefix="CONT",
        sort="name",
        indexes=(("created_at",), ("city_key", "name_key")),
        key_facts=("company_id", "job_title", "email", "phone", "temperature"),
    )

    name: Mapped[str | None] = computed(_full_name, depends_on=("first_name", "last_name"), listed=True, personal=True)
    first_name: Mapped[str] = field(max_length=100, personal=True, search=True)
    last_name: Mapped[str] = field(max_length=100, sort=True, personal=True, search=True)
    job_title: Mapped[str | None] = field(max_length=150, listed=True)
    company_id: Mapped[int | None] = ref("crm.company", on_delete="set_null", listed=True)
    email: Mapped[str | None] = computed(
        _first_email, depends_on=("emails",), kind="email", label="E-mail", listed=True, personal=True, search=True
    )
    phone: Mapped[str | None] = computed(
        _first_phone, depends_on=("phones",), kind="phone", max_length=60, listed=True, personal=True
    )
    contact_type: Mapped[str | None] = choice(list="crm.contact_type", listed=True)
    temperature: Mapped[str | None] = choice(list="crm.temperature", listed=True)
    city: Mapped[str | None] = field(max_length=100, sort=True, personal=True)
    country: Mapped[str | None] = field(max_length=100, vocabulary="countries", sort=True)
    language: Mapped[str | None] = field(max_length=10, vocabulary="languages")
    currency: Mapped[str | None] = field(max_length=3)
    source: Mapped[str | None] = choice(list="crm.source")
    external_id: Mapped[str | None] = field(max_length=100, indexed=True, label="External number")
    tags: Mapped[list[str] | None] = choice(list="crm.tag", many=True)
    photo: Mapped[UUID | None] = field(kind="file", image=PICTURE, personal=True)
    description: Mapped[str | None] = field(kind="longtext", personal=True)
    emails: Mapped[list[ContactEmail]] = children(ContactEmail, label="E-mails")
    phones: Mapped[list[ContactPhone]] = children(ContactPhone, label="Phones")
    addresses: Mapped[list[ContactAddress]] = children(ContactAddress, label="Addresses")
    links: Mapped[list[ContactLink]] = children(ContactLink, label="Web addresses")
    companies: Mapped[list[ContactCompany]] = children(ContactCompany, label="Further companies")
