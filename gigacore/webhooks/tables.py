"""The tables of web hooks: subscriptions and their deliveries, inbound sources, their inbox and how far it came."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, MessageText, UtcDateTime

WAITING: Final = "waiting"
DONE: Final = "done"
DEAD: Final = "dead"
SKIPPED: Final = "skipped"
INBOX_STATES: Final = (WAITING, DONE, "failed")

core_hook: Final = sa.Table(
    "core_hook",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("user_id", BigId, nullable=False, index=True),
    sa.Column("event", sa.String(180), nullable=False),
    sa.Column("target_url", sa.String(2000), nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("old_secret", sa.Text),
    sa.Column("old_until", UtcDateTime),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("why_off", MessageText),
    sa.Column("succeeded_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

core_hook_delivery: Final = sa.Table(
    "core_hook_delivery",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("hook_id", BigId, sa.ForeignKey("core_hook.id", ondelete="CASCADE"), nullable=False),
    sa.Column("message_id", sa.String(40), nullable=False),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("event", sa.String(180), nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("error", MessageText),
    sa.Column("seconds", sa.Float),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("tried_at", UtcDateTime),
    sa.Column("next_at", UtcDateTime),
    sa.CheckConstraint("state IN ('waiting', 'done', 'dead', 'skipped')", name="state"),
    sa.UniqueConstraint("hook_id", "event_id", name="uq_core_hook_delivery_once"),
    sa.Index("ix_core_hook_delivery_hook", "hook_id", "id"),
    sqlite_autoincrement=True,
)

core_hook_source: Final = sa.Table(
    "core_hook_source",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("plugin", sa.String(60), nullable=False, server_default=""),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("user_id", BigId, nullable=False),
    sa.Column("key", sa.String(60), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("scheme", sa.String(20), nullable=False),
    sa.Column("header", sa.String(80), nullable=False, server_default=""),
    sa.Column("secret", sa.Text),
    sa.Column("mapping", JsonB(), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("scheme IN ('standard', 'hmac_sha256')", name="scheme"),
    sqlite_autoincrement=True,
)

core_inbox: Final = sa.Table(
    "core_inbox",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("source", sa.String(60), nullable=False),
    sa.Column("account", sa.String(60), nullable=False),
    sa.Column("event_id", sa.String(200), nullable=False),
    sa.Column("headers", JsonB(), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("error", MessageText),
    sa.Column("result", JsonB()),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name="state"),
    sa.UniqueConstraint("source", "account", "event_id", name="uq_core_inbox_event"),
    sqlite_autoincrement=True,
)

core_hook_newest: Final = sa.Table(
    "core_hook_newest",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("source_id", BigId, nullable=False),
    sa.Column("record_key", sa.String(64), nullable=False),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("message_id", BigId, nullable=False),
    sa.ForeignKeyConstraint(
        ["source_id"], ["core_hook_source.id"], name="fk_core_hook_newest_source_id", ondelete="CASCADE"
    ),
    sa.UniqueConstraint("source_id", "record_key", name="uq_core_hook_newest_record"),
    sqlite_autoincrement=True,
)
