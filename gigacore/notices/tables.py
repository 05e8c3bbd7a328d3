"""The tables of notifications: what people were told, and how each wants to be told."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, UtcDateTime

core_notice: Final = sa.Table(
    "core_notice",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("user_id", BigId, sa.ForeignKey("core_user.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.String(80), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("params", JsonB(), nullable=False),
    sa.Column("entity", sa.String(120), nullable=False, server_default=""),
    sa.Column("record_id", BigId),
    sa.Column("url", sa.String(300), nullable=False, server_default=""),
    sa.Column("unique_key", sa.String(120)),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("read_at", UtcDateTime),
    sa.Column("bell", sa.Boolean, nullable=False),
    sa.Column("mail", sa.String(6), nullable=False, server_default=""),
    sa.CheckConstraint("mail IN ('', 'now', 'digest', 'sent')", name="mail"),
    sa.UniqueConstraint("user_id", "unique_key", name="uq_core_notice_once"),
    sa.Index("ix_core_notice_user", "user_id", "id"),
    sa.Index(
        "ix_core_notice_unread",
        "user_id",
        "id",
        sqlite_where=sa.text("read_at IS NULL AND bell"),
        postgresql_where=sa.text("read_at IS NULL AND bell"),
    ),
    sqlite_autoincrement=True,
)

core_notice_choice: Final = sa.Table(
    "core_notice_choice",
    metadata,
    sa.Column("user_id", BigId, sa.ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", sa.String(80), primary_key=True),
    sa.Column("bell", sa.Boolean, nullable=False),
    sa.Column("mail", sa.String(6), nullable=False),
    sa.CheckConstraint("mail IN ('never', 'now', 'digest')", name="mail"),
)
