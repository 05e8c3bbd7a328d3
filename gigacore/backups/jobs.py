"""The scheduled backup, and the register's copy beside the backups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gigacore.backups import catalogue, register
from gigacore.backups.content import snapshot
from gigacore.backups.writing import ENCRYPT, create
from gigacore.data import settings
from gigacore.entity import FieldSpec
from gigacore.jobs import Job, Schedule

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.jobs import JobRun

KEEP_DAYS: Final = "core.backup_keep_days"
EVERY: Final = timedelta(hours=4)
SETTINGS: Final = (
    FieldSpec(KEEP_DAYS, "integer", label="Keep backups for days", default=30, minimum=1, maximum=3650),
    FieldSpec(ENCRYPT, "boolean", label="Encrypt backups", default=False),
)


def run_backup(run: JobRun, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Makes a backup, then removes those past their time; breaks off when it is cancelled or the worker stops."""
    crm: Crm = run.host  # type: ignore[assignment]
    with crm.database.connect() as connection:
        chosen = settings.read(connection)

    def report(done: int, total: int) -> None:
        run.between_steps()
        with run.unit_of_work() as ctx:
            run.checkpoint(ctx, done, total)

    reason = str(payload.get("reason", "schedule"))
    made = create(crm, reason=reason, progress=report)
    gone = catalogue.prune(crm.settings.backups, int(chosen.get(KEEP_DAYS) or 30), crm.clock.now())
    return {"name": made.name, "size": made.size, "removed": len(gone)}


def export_register(run: JobRun, payload: Mapping[str, Any]) -> int:
    """Writes the register of what is gone beside the backups."""
    crm: Crm = run.host  # type: ignore[assignment]
    with snapshot(crm.engine) as connection:
        return register.export(connection, crm.settings)


BACKUP: Final = Job("core.backup", run_backup, label="Back up", long=True, attempts=3, system="back up")
REGISTER: Final = Job(
    "core.export_gone",
    export_register,
    label="Keep the register of what is gone",
    long=True,
    system="keep the register",
)
JOBS: Final = (BACKUP, REGISTER)
SCHEDULES: Final = (Schedule("core.backup", "core.backup", every=EVERY),)
