"""The tables of the queue: jobs and schedules. The row is the truth; anything else only wakes workers sooner."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, UtcDateTime

QUEUED: Final = "queued"
RUNNING: Final = "running"
DONE: Final = "done"
DEAD: Final = "dead"
CANCELLED: Final = "cancelled"
PARKED: Final = "parked"

core_job: Final = sa.Table(
    "core_job",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("plugin", sa.String(40), nullable=False),
    sa.Column("payload", JsonB(), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("run_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("worker", sa.String(80)),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("unique_key", sa.String(200)),
    sa.Column("serial_key", sa.String(200)),
    sa.Column("actor_kind", sa.String(12), nullable=False),
    sa.Column("actor_user_id", BigId),
    sa.Column("actor_name", sa.String(200), nullable=False),
    sa.Column("actor_scopes", JsonB()),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("correlation_id", sa.String(64), nullable=False),
    sa.Column("depth", sa.SmallInteger, nullable=False),
    sa.Column("progress_done", sa.Integer, nullable=False),
    sa.Column("progress_total", sa.Integer),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("result", JsonB()),
    sa.Column("error", sa.Text),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sqlite_autoincrement=True,
)

sa.Index(
    "ix_core_job_due",
    core_job.c.priority,
    core_job.c.run_at,
    core_job.c.id,
    sqlite_where=sa.text("state = 'queued'"),
    postgresql_where=sa.text("state = 'queued'"),
)
sa.Index(
    "ix_core_job_lease",
    core_job.c.lease_until,
    sqlite_where=sa.text("state = 'running'"),
    postgresql_where=sa.text("state = 'running'"),
)
sa.Index("ix_core_job_serial", core_job.c.serial_key, core_job.c.state, core_job.c.id)
sa.Index("ix_core_job_finished", core_job.c.state, core_job.c.finished_at)
sa.Index(
    "uq_core_job_unique",
    core_job.c.unique_key,
    unique=True,
    sqlite_where=sa.text("state IN ('queued', 'parked')"),
    postgresql_where=sa.text("state IN ('queued', 'parked')"),
)
# Two workers may look at the same moment: the index, not the query, keeps jobs of one key from running together.
sa.Index(
    "uq_core_job_serial",
    core_job.c.serial_key,
    unique=True,
    sqlite_where=sa.text("state = 'running'"),
    postgresql_where=sa.text("state = 'running'"),
)

core_schedule: Final = sa.Table(
    "core_schedule",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    sa.Column("plugin", sa.String(40), nullable=False),
    sa.Column("job", sa.String(100), nullable=False),
    sa.Column("payload", JsonB(), nullable=False),
    sa.Column("cron", sa.String(100)),
    sa.Column("every_seconds", sa.Integer),
    sa.Column("timezone", sa.String(60), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("next_at", UtcDateTime, nullable=False, index=True),
    sa.Column("last_at", UtcDateTime),
    sqlite_autoincrement=True,
)
