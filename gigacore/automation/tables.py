"""The tables of automation: rules, their versions, and every run."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, MessageText, UtcDateTime

WAITING: Final = "waiting"
DONE: Final = "done"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"
STATES: Final = (WAITING, DONE, FAILED, SKIPPED)

core_rule: Final = sa.Table(
    "core_rule",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("plugin", sa.String(60), nullable=False, server_default=""),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("owner_id", BigId, nullable=False, index=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("body", JsonB(), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("active_since", UtcDateTime),
    sa.Column("checked_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("updated_by", BigId),
    sqlite_autoincrement=True,
)

core_rule_version: Final = sa.Table(
    "core_rule_version",
    metadata,
    sa.Column("rule_id", BigId, sa.ForeignKey("core_rule.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("body", JsonB(), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by_id", BigId),
)

core_rule_run: Final = sa.Table(
    "core_rule_run",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("rule_id", BigId, nullable=False),
    sa.Column("rule_name", sa.String(200), nullable=False),
    sa.Column("rule_version", sa.Integer, nullable=False),
    sa.Column("body", JsonB(), nullable=False),
    sa.Column("owner_id", BigId, nullable=False),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("event_id", sa.Uuid),
    sa.Column("event_name", sa.String(180), nullable=False),
    sa.Column("entity", sa.String(120), nullable=False, server_default=""),
    sa.Column("record_id", BigId, nullable=False, server_default="0"),
    sa.Column("label", sa.String(300), nullable=False, server_default=""),
    sa.Column("correlation_id", sa.String(64), nullable=False),
    sa.Column("depth", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("before", JsonB()),
    sa.Column("trace", JsonB()),
    sa.Column("steps", JsonB(), nullable=False),
    sa.Column("error", MessageText),
    sa.Column("job_id", BigId),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.CheckConstraint("state IN ('waiting', 'done', 'failed', 'skipped')", name="state"),
    # Once per rule, record and chain of events: what ends loops, and what a second delivery runs into.
    sa.UniqueConstraint("rule_id", "entity", "record_id", "correlation_id", name="uq_core_rule_run_once"),
    sa.Index("ix_core_rule_run_record", "entity", "record_id", "id"),
    sqlite_autoincrement=True,
)
