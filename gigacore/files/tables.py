"""The tables of stored files, of their attachment to records, and of the fields that hold them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, UtcDateTime

core_file: Final = sa.Table(
    "core_file",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("object_id", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("mime", sa.String(100), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("plugin", sa.String(40), nullable=False),
    sa.Column("purpose", sa.String(160), nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", BigId),
    sqlite_autoincrement=True,
)

core_attachment: Final = sa.Table(
    "core_attachment",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("file_id", BigId, sa.ForeignKey("core_file.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("entity", sa.String(80), nullable=False),
    sa.Column("record_id", BigId, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", BigId),
    sa.UniqueConstraint("file_id", "entity", "record_id"),
    sqlite_autoincrement=True,
)
sa.Index("ix_core_attachment_record", core_attachment.c.entity, core_attachment.c.record_id, core_attachment.c.position)

core_file_use: Final = sa.Table(
    "core_file_use",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("file_id", BigId, sa.ForeignKey("core_file.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("entity", sa.String(120), nullable=False),
    sa.Column("record_id", BigId, nullable=False),
    sa.Column("field", sa.String(160), nullable=False),
    sa.Column("former_at", UtcDateTime),
    sa.UniqueConstraint("entity", "record_id", "field", "file_id"),
    sqlite_autoincrement=True,
)
"""Files in fields of records; `former_at` is when another one took its place, which can be undone for a while."""
