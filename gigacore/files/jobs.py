"""Looking after stored files."""

from __future__ import annotations

from typing import Any, Final

from gigacore.files.service import ORPHAN_SECONDS, sweep
from gigacore.jobs import Job, JobRun


def sweep_files(run: JobRun, payload: Any) -> int:
    """Removes objects that no row knows, and what interrupted uploads left."""
    storage = run.host.storage  # type: ignore[attr-defined]
    with run.host.database.connect() as connection:
        removed = sweep(connection, storage)
    clear = getattr(storage, "clear_incoming", None)
    return removed + (clear(ORPHAN_SECONDS) if clear is not None else 0)


JOBS: Final = (Job("core.sweep_files", sweep_files, label="Sweep files", long=True, system="sweep files"),)
