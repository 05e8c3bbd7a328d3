"""When scores are recalculated: after a lead's change, and every night, because time passes and weights change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.jobs import Consumer, Job, Schedule, enqueue
from gigacore_lead_scoring.services import rescore

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.jobs.relay import Event
    from gigacore.jobs.run import JobRun

BATCH: Final = 100
REASON: Final = "lead scoring"


def on_lead_event(ctx: Context, event: Event) -> None:
    """Ask for a new score, unless only the score itself changed."""
    if event.fields and all(name.startswith("lead_scoring.") for name in event.fields):
        return
    if event.record_id is not None:
        key = f"lead_scoring:{event.record_id}"
        enqueue(ctx, "lead_scoring.recalculate", {"id": event.record_id}, unique_key=key, system=REASON)


def recalculate(ctx: Context, payload: Mapping[str, Any]) -> None:
    """Score one lead; one that is gone by now needs none."""
    lead = ctx.session.get(ctx.session.registry.entity("crm.lead").cls, payload["id"])
    if lead is not None:
        rescore(ctx, lead)


def recalculate_all(run: JobRun, payload: Mapping[str, Any]) -> None:
    """Score every open lead, in batches; begun again, it does no harm."""
    request = records.ListRequest(
        filter={"not": {"field": "status.kind", "op": "in", "value": ["won", "lost"]}},
        sort=("id",),
        fields=("id",),
        limit=BATCH,
        count=False,
    )
    cursor: str | None = None
    while True:
        with run.unit_of_work() as ctx:
            page = records.page(ctx, "crm.lead", replace(request, cursor=cursor))
            for item in page.items:
                recalculate(ctx, item)
        cursor = page.next
        if cursor is None:
            return


JOBS = (
    Job("lead_scoring.recalculate", recalculate, label="Recalculate a lead's score"),
    Job("lead_scoring.recalculate_all", recalculate_all, label="Recalculate all scores", long=True, system=REASON),
)
CONSUMERS = (Consumer("lead_scoring.scores", ("crm.lead.*",), on_lead_event),)
SCHEDULES = (Schedule("lead_scoring.nightly", "lead_scoring.recalculate_all", every=timedelta(days=1)),)
