"""Looking after stored files."""

from __future__ import annotations

from typing import Any, Final

from gigacore.files.fields import remove_unused
from gigacore.files.service import ORPHAN_SECONDS, sweep
from gigacore.jobs import Job, JobRun


def sweep_files(run: JobRun, payload: Any) -> int:
    """Forgets files that stand nowhere any more; removes objects that no row knows, and what uploads left."""
    storage = run.host.storage  # type: ignore[attr-defined]
    with run.host.database.begin() as connection:
        remove_unused(connection, run.host.clock.now())
    with run.host.database.connect() as connection:
        removed = sweep(connection, storage)
    clear = getattr(storage, "clear_incoming", None)
    return removed + (clear(ORPHAN_SECONDS) if clear is not None else 0)


JOBS: Final = (Job("core.sweep_files", sweep_files, label="Sweep files", long=True, system="sweep files"),)
