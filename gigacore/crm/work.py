"""Tasks and notes: what is to be done and what was learnt."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy.orm import Mapped

from gigacore.entity import Entity, EntityMeta, Visibility, choice, field, ref


class Remind(enum.Enum):
    """How long before a task is due its owner is reminded."""

    never = "never"
    minutes_5 = "5_minutes"
    minutes_15 = "15_minutes"
    minutes_30 = "30_minutes"
    hour_1 = "1_hour"
    hours_2 = "2_hours"
    day_1 = "1_day"


class Task(Entity):
    """Something that somebody has to do, usually about a record."""

    __entity__ = EntityMeta(
        "crm.task",
        plural="tasks",
        title="title",
        label="Task",
        label_plural="Tasks",
        label_new="Create task",
        icon="checkbox",
        id_prefix="TASK",
        board="status",
        sort="due_at",
        indexes=(("created_at",), ("status", "due_at")),
        key_facts=("status", "due_at", "category", "owner_id"),
    )

    title: Mapped[str] = field(listed=True, search=True)
    category: Mapped[str | None] = choice(list="crm.task_category", listed=True)
    status: Mapped[str] = choice(list="crm.task_status", default="open", listed=True, indexed=True)
    due_at: Mapped[datetime | None] = field(listed=True, sort=True, label="Due")
    remind: Mapped[Remind] = field(default=Remind.day_1, label="Reminder")
    inform: Mapped[bool] = field(default=True, label="Tell the person responsible")
    closed_at: Mapped[datetime | None] = field(readonly=True, label="Closed on")
    lead_id: Mapped[int | None] = ref("crm.lead", on_delete="set_null", listed=True)
    contact_id: Mapped[int | None] = ref("crm.contact", on_delete="set_null", listed=True)
    company_id: Mapped[int | None] = ref("crm.company", on_delete="set_null")
    opportunity_id: Mapped[int | None] = ref("crm.opportunity", on_delete="set_null")
    description: Mapped[str | None] = field(kind="longtext")


class Note(Entity):
    """A remark, a call, a meeting: something that was said or done about one or several records.

    It is open to everybody unless one of these records is private; then so is the note.
    """

    __entity__ = EntityMeta(
        "crm.note",
        plural="notes",
        title="title",
        label="Note",
        label_plural="Notes",
        label_new="Create note",
        icon="notes",
        sort="-happened_at",
        required_any=("title", "text"),
        visibility=Visibility.read,
        key_facts=("category", "happened_at", "owner_id"),
    )

    title: Mapped[str] = field(listed=True, search=True, required=False)
    category: Mapped[str] = choice(list="crm.activity_kind", default="note", listed=True)
    happened_at: Mapped[datetime] = field(required=False, listed=True, sort=True, label="Date")
    text: Mapped[str | None] = field(kind="longtext", personal=True)
    lead_id: Mapped[int | None] = ref("crm.lead", on_delete="cascade", listed=True)
    contact_id: Mapped[int | None] = ref("crm.contact", on_delete="cascade", listed=True)
    company_id: Mapped[int | None] = ref("crm.company", on_delete="cascade", listed=True)
    opportunity_id: Mapped[int | None] = ref("crm.opportunity", on_delete="cascade", listed=True)
