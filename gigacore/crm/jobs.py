"""The CRM's work in the background."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from gigacore.crm import lead_rules, work_rules
from gigacore.crm.leads import Lead
from gigacore.crm.lists import LOST, WON
from gigacore.crm.sales import Opportunity, Stage
from gigacore.crm.work import Note
from gigacore.entity import Visibility
from gigacore.jobs import Consumer, Event, Job, Schedule

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.jobs.run import JobRun

BATCH: Final = 500
_L: Any = Lead


def refresh_leads(run: JobRun, payload: Mapping[str, Any]) -> int:
    """Bring up to date what leads' suggested actions and stages owe to the passing of time. Gives their number."""
    last, done = 0, 0
    while True:
        with run.unit_of_work() as ctx:
            leads = ctx.session.scalars(_open_leads(ctx, last)).all()
            for lead in leads:
                lead_rules.refresh(ctx, lead)
            done += len(leads)
            run.checkpoint(ctx, done)
        if len(leads) < BATCH:
            return done
        last = leads[-1].id


def _open_leads(ctx: Context, last: int) -> Any:
    found = ctx.session.registry.choice_lists.get("crm.lead_status")
    closed = found.keys_of(WON, LOST) if found is not None else ()
    return select(_L).where(_L.id > last, _L.status.not_in(closed)).order_by(_L.id).limit(BATCH)


def refresh_stage(ctx: Context, payload: Mapping[str, Any]) -> int:
    """Let the opportunities of a stage follow its probability. Gives how many did."""
    stage = ctx.session.get(Stage, int(payload["stage_id"]))
    if stage is None:
        return 0
    found = ctx.session.scalars(select(Opportunity).where(Opportunity.stage_id == stage.id)).all()
    for opportunity in found:
        opportunity.probability = stage.probability
    return len(found)


def close_notes(ctx: Context, payload: Mapping[str, Any]) -> int:
    """Make the notes about a record private that has become so. Gives how many there are."""
    found = work_rules.notes_about(ctx, str(payload["entity"]), int(payload["id"]))
    for note in found:
        owned: Any = note
        if work_rules.is_private(ctx, note):
            owned.visibility = Visibility.private
    return len(found)


def tell_again(ctx: Context, event: Event) -> None:
    """A note that comes back from the trash stands on the timelines again."""
    note = ctx.session.get(Note, event.record_id)
    if note is not None:
        work_rules.after_save_note(ctx, note)


REFRESH_LEADS: Final = Job(
    "crm.refresh_leads", refresh_leads, label="Bring leads up to date", long=True, system="computed fields of leads"
)
REFRESH_STAGE: Final = Job(
    "crm.refresh_stage", refresh_stage, label="Apply a stage's probability", system="probability of opportunities"
)
CLOSE_NOTES: Final = Job(
    "crm.close_notes", close_notes, label="Make notes as private as their records", system="notes of a private record"
)
ALL: Final = (REFRESH_LEADS, REFRESH_STAGE, CLOSE_NOTES)
CONSUMERS: Final = (Consumer("crm.restored_notes", ("crm.note.restored",), tell_again),)
SCHEDULES: Final = (Schedule("crm.refresh_leads", "crm.refresh_leads", every=timedelta(hours=6)),)
