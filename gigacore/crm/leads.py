"""Leads: possible customers on their way to becoming contact, company and opportunity."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy.orm import Mapped

from gigacore.entity import Entity, EntityMeta, Money, choice, computed, field, ref


class StageMode(enum.Enum):
    """Whether a lead's stage follows from its activity or is set by hand."""

    auto = "auto"
    manual = "manual"


def _display_name(lead: Lead) -> str:
    person = " ".join(part for part in (lead.first_name, lead.last_name) if part)
    return person or lead.company_name or lead.email or ""


class Lead(Entity):
    """Somebody who may buy. At least one of last name, company name and e-mail is there.

    A lead that is won or lost is locked until it is reopened.
    """

    __entity__ = EntityMeta(
        "crm.lead",
        plural="leads",
        title="name",
        label="Lead",
        label_plural="Leads",
        label_new="Create lead",
        icon="target",
        id_prefix="LEAD",
        board="status",
        sort="-created_at",
        by_name="last_name",
        required_any=("last_name", "company_name", "email"),
        locked_when={"field": "status.kind", "op": "in", "value": ["won", "lost"]},
        locked_reason="This lead is won or lost. Reopen it to change it.",
        indexes=(("created_at",), ("status", "created_at"), ("city_key", "last_name_key")),
        key_facts=("status", "amount", "source", "priority", "next_action_at", "last_contact_at"),
    )

    name: Mapped[str | None] = computed(
        _display_name, depends_on=("first_name", "last_name", "company_name", "email"), listed=True, personal=True,
        max_length=410,
    )  # fmt: skip
    first_name: Mapped[str | None] = field(max_length=100, personal=True)
    last_name: Mapped[str | None] = field(max_length=100, sort=True, personal=True)
    company_name: Mapped[str | None] = field(label="Company", listed=True, search=True, sort=True)
    job_title: Mapped[str | None] = field(max_length=150)
    email: Mapped[str | None] = field(kind="email", label="E-mail", listed=True, search=True, personal=True)
    email2: Mapped[str | None] = field(kind="email", label="Second e-mail", personal=True)
    phone: Mapped[str | None] = field(kind="phone", max_length=60, listed=True, personal=True)
    phone2: Mapped[str | None] = field(kind="phone", max_length=60, label="Second phone", personal=True)
    website: Mapped[str | None] = field(kind="url", max_length=500)
    city: Mapped[str | None] = field(max_length=100, sort=True)
    country: Mapped[str | None] = field(max_length=100, vocabulary="countries", sort=True)
    source: Mapped[str | None] = choice(list="crm.source", listed=True)
    amount: Mapped[Money | None] = field(label="Estimated amount", listed=True, sort=True, minimum=0)
    status: Mapped[str] = choice(list="crm.lead_status", default="new", listed=True, indexed=True)
    stage: Mapped[str | None] = choice(list="crm.lead_stage", default="discovery")
    stage_mode: Mapped[StageMode | None] = field(label="Stage is kept")
    priority: Mapped[str] = choice(list="crm.priority", default="normal", listed=True)
    next_action: Mapped[str | None] = choice(list="crm.next_action")
    next_action_at: Mapped[datetime | None] = field(label="Next action on", listed=True, sort=True)
    next_action_suggested: Mapped[str | None] = choice(
        list="crm.next_action", computed=True, label="Suggested next action"
    )
    last_contact_at: Mapped[datetime | None] = computed(label="Last contact", listed=True, sort=True)
    last_exchange: Mapped[str | None] = computed(max_length=300, personal=True)
    exchanges: Mapped[int] = computed(default=0, label="Number of exchanges")
    email_note: Mapped[str | None] = choice(list="crm.email_note", computed=True, label="E-mail note")
    closed_at: Mapped[datetime | None] = field(readonly=True, label="Closed on", sort=True)
    lost_reason: Mapped[str | None] = choice(list="crm.lost_reason", label="Reason for losing")
    contact_id: Mapped[int | None] = ref(
        "crm.contact", on_delete="set_null", label="Converted to contact", readonly=True
    )
    company_id: Mapped[int | None] = ref(
        "crm.company", on_delete="set_null", label="Converted to company", readonly=True
    )
    converted_at: Mapped[datetime | None] = field(readonly=True, label="Converted on")
    external_id: Mapped[str | None] = field(max_length=100, indexed=True, label="External number")
    tags: Mapped[list[str] | None] = choice(list="crm.tag", many=True)
    description: Mapped[str | None] = field(kind="longtext", label="Notes", personal=True)
