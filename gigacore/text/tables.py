"""The table of templates that administrators edit."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, UtcDateTime

core_template: Final = sa.Table(
    "core_template",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("plugin", sa.String(60), nullable=False, server_default=""),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("kind", sa.String(80), nullable=False),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("entity", sa.String(120), nullable=False, server_default=""),
    sa.Column("language", sa.String(10), nullable=False),
    sa.Column("subject", sa.String(300), nullable=False, server_default=""),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("updated_by", BigId),
    sa.UniqueConstraint("org_id", "kind", "key", "language", name="uq_core_template_language"),
    sqlite_autoincrement=True,
)
