"""The CRM's part in every write, whichever door it comes through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gigacore import jobs
from gigacore.crm import lead_rules, stage_rules, telling, work_rules
from gigacore.crm.contacts import Company, Contact
from gigacore.crm.jobs import CLOSE_NOTES, REFRESH_STAGE
from gigacore.crm.leads import Lead
from gigacore.crm.past import is_new
from gigacore.crm.sales import Opportunity, Pipeline, Stage
from gigacore.crm.work import Note, Task
from gigacore.data import mark_scoped
from gigacore.data.activities import is_contact
from gigacore.entity import Visibility
from gigacore.plugins import hookimpl

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity, EntitySpec


@hookimpl
def before_save(ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
    """Completes records of the CRM."""
    if entity.plugin != "crm":
        return
    if not is_new(record):
        refill(entity, record, changed)
    match record:
        case Lead():
            lead_rules.before_save(ctx, record, changed)
        case Opportunity():
            stage_rules.before_save(ctx, record, changed)
        case Stage():
            stage_rules.before_save_stage(record)
        case Task():
            work_rules.before_save_task(ctx, record, changed)
        case Note():
            work_rules.before_save_note(ctx, record)
        case Company() | Contact():
            record.currency = record.currency.upper() if record.currency else None


@hookimpl
def validate_record(ctx: Context, record: Entity, changed: frozenset[str]) -> None:
    """Refuses records of the CRM that contradict its rules."""
    match record:
        case Opportunity():
            stage_rules.validate(ctx, record, changed)
        case Stage():
            stage_rules.validate_labels(record)
            stage_rules.validate_stage(ctx, record, changed)
        case Pipeline():
            stage_rules.validate_labels(record)


@hookimpl
def after_save(ctx: Context, record: Entity, changed: frozenset[str]) -> None:
    """Adds what follows from a record of the CRM."""
    if "visibility" in changed and isinstance(record, (Lead, Contact, Company, Opportunity)):
        close_notes(ctx, record)
    if "owner_id" in changed:
        telling.owner_changed(ctx, record)
    match record:
        case Lead():
            lead_rules.after_save(ctx, record, changed)
        case Opportunity():
            stage_rules.after_save(ctx, record, changed)
        case Stage() if "probability" in changed and record.version > 1:
            jobs.enqueue(ctx, REFRESH_STAGE, {"stage_id": record.id}, unique_key=f"crm.refresh_stage:{record.id}")
        case Task():
            work_rules.after_save_task(ctx, record)
        case Note():
            work_rules.after_save_note(ctx, record)
            if record.version > 1:  # a call may have become a remark
                refresh_lead(ctx, record.lead_id)


@hookimpl
def before_delete(ctx: Context, record: Entity) -> None:
    """Takes back what a deleted record told."""
    if isinstance(record, Note):
        work_rules.before_delete_note(ctx, record)
        refresh_lead(ctx, record.lead_id)


@hookimpl
def activity_logged(ctx: Context, kind: str, records: Sequence[tuple[str, int]]) -> None:
    """Brings the last contact of leads up to date."""
    if not is_contact(kind):
        return
    for entity, number in records:
        if entity == "crm.lead":
            refresh_lead(ctx, number)


def close_notes(ctx: Context, record: Any) -> None:
    """Lets the notes about a record that became private become so too, whoever wrote them."""
    if record.version > 1 and record.visibility is Visibility.private:
        jobs.enqueue(ctx, CLOSE_NOTES, {"entity": type(record).__giga__.name, "id": record.id})


def refresh_lead(ctx: Context, number: int | None) -> None:
    """Brings the figures of a lead up to date, whoever acts."""
    leads: Any = Lead
    if number is None:
        return
    lead = ctx.session.scalars(mark_scoped(select(leads).where(leads.id == number))).one_or_none()
    if lead is not None:
        lead_rules.refresh(ctx, lead)


def refill(entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
    """A field that cannot be empty and was emptied takes its default again."""
    for name in changed:
        spec = entity.fields.get(name)
        if spec is None or spec.default is None or spec.custom or spec.extension is not None:
            continue
        if getattr(record, spec.attribute) is None and not entity.table.c[spec.column].nullable:
            setattr(record, spec.attribute, spec.default_value())
