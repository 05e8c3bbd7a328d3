"""The import as a job."""

from __future__ import annotations

import traceback
from typing import Any, Final

from gigacore.context import Context
from gigacore.errors import GigaError
from gigacore.jobs import Cancelled, Job, JobRun, Stopping
from gigacore.jobs.run import LeaseLost


def run_import(run: JobRun, payload: Any) -> dict[str, int]:
    """Runs or resumes an import with the rights of whoever began it."""
    from gigacore.exchange import imports  # cryptography and csv are needed by those who import

    crm: Any = run.host
    number = int(payload["import_id"])

    def checkpoint(ctx: Context, done: int, total: int) -> None:
        run.checkpoint(ctx, done, total)

    try:
        found = imports.run(crm, run.actor, number, checkpoint, run.between_steps)
    except Cancelled:
        imports.end(crm, run.actor, number, imports.CANCELLED)
        raise
    except GigaError as error:
        imports.end(crm, run.actor, number, imports.FAILED, str(error))
        raise
    except (LeaseLost, Stopping):
        raise
    except Exception:
        if run.claimed.attempts >= run.claimed.max_attempts:
            imports.end(crm, run.actor, number, imports.FAILED, traceback.format_exc(limit=1))
        raise
    return {"created": found.created, "updated": found.updated, "skipped": found.skipped, "failed": found.failed}


JOBS: Final = (Job("core.import", run_import, label="Import", long=True, attempts=10),)
