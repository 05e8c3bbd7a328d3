"""Telling people of work of theirs that was given up: long tasks, and automations that met an unexpected error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import notices
from gigacore.automation.engine import RUN_JOB
from gigacore.jobs import Job, JobRun, Schedule, core_job
from gigacore.jobs.tables import DEAD
from gigacore.messages import Msg, msg

if TYPE_CHECKING:
    from gigacore.context import Context

RECENT: Final = timedelta(hours=1)
EVERY: Final = timedelta(minutes=1)
J: Final = core_job.c


def tell(run: JobRun, payload: Mapping[str, Any]) -> int:
    """Tell of what was given up in the last hour, each failure once; gives how many were told."""
    given_up = sa.and_(J.state == DEAD, J.finished_at > run.now - RECENT, J.actor_user_id.is_not(None))
    columns = (J.id, J.name, J.payload, J.actor_user_id, J.actor_name, J.finished_at)
    with run.unit_of_work() as ctx:
        rows = ctx.session.connection().execute(sa.select(*columns).where(given_up).order_by(J.id)).all()
        return sum(_tell(ctx, run.host, row) for row in rows)


def _tell(ctx: Context, host: Any, row: Any) -> int:
    key = f"job:{row.id}:{row.finished_at:%Y%m%d%H%M%S}"
    if row.name == RUN_JOB:
        text = msg("The automation “{name}” met an unexpected error.", name=row.actor_name)
        url = f"/automations/runs/{row.payload['run']}"
        return notices.notify(ctx, "core.rule_failed", [row.actor_user_id], text, url=url, key=key)
    job = host.jobs.declared.jobs.get(row.name)
    label = Msg(job.label) if job is not None and job.label else row.name
    text = msg("“{task}” failed and was given up.", task=label)
    return notices.notify(
        ctx, "core.job_failed", [row.actor_user_id], text, url=f"/settings/jobs/{row.id}", key=key
    )  # fmt: skip


JOB: Final = Job("core.tell_failures", tell, label="Tell of failed tasks", long=True, system="failed tasks")
SCHEDULE: Final = Schedule("core.tell_failures", "core.tell_failures", every=EVERY)
