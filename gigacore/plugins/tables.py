"""The tables of installed plugins and of the choice lists that administrators edit."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, UtcDateTime

ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
QUARANTINED: Final = "quarantined"

core_plugin: Final = sa.Table(
    "core_plugin",
    metadata,
    sa.Column("name", sa.String(30), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("api", sa.String(10), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("manifest", JsonB(), nullable=False),
    sa.Column("installed_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("state IN ('enabled', 'disabled', 'quarantined')", name="state"),
)

core_choice: Final = sa.Table(
    "core_choice",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("list", sa.String(80), nullable=False),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("label", sa.String(120), nullable=False),
    sa.Column("labels", JsonB(), nullable=False),
    sa.Column("colour", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("plugin", sa.String(30), nullable=False),
    sa.UniqueConstraint("list", "key"),
    sqlite_autoincrement=True,
)
