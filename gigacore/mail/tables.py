"""The tables of mail: what was sent, and who may be written to."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, MessageText, UtcDateTime

QUEUED: Final = "queued"
SENDING: Final = "sending"
SENT: Final = "sent"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"

core_mail: Final = sa.Table(
    "core_mail",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("user_id", BigId),
    sa.Column("recipient", sa.String(320), nullable=False),
    sa.Column("recipient_name", sa.String(200), nullable=False, server_default=""),
    sa.Column("subject", sa.String(300), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text),
    sa.Column("headers", JsonB(), nullable=False),
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("template", sa.String(80), nullable=False, server_default=""),
    sa.Column("unique_key", sa.String(120), unique=True),
    sa.Column("ends", JsonB(), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("error", MessageText),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed', 'unknown')", name="state"),
    sa.Index("ix_core_mail_state", "state", "id"),
    sa.Index("ix_core_mail_recipient", "recipient", "id"),
    sqlite_autoincrement=True,
)

core_consent: Final = sa.Table(
    "core_consent",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("source", sa.String(200), nullable=False, server_default=""),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by_id", BigId),
    sa.Index("ix_core_consent_address", "channel", "address", "purpose", "id"),
    sqlite_autoincrement=True,
)
