"""The table of custom field definitions."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB

core_custom_field: Final = sa.Table(
    "core_custom_field",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("plugin", sa.String(30), nullable=False),
    sa.Column("entity", sa.String(120), nullable=False),
    sa.Column("key", sa.String(42), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("label", sa.String(120), nullable=False),
    sa.Column("labels", JsonB(), nullable=False),
    sa.Column("help", sa.String(500), nullable=False),
    sa.Column("section", sa.String(80), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("is_required", sa.Boolean, nullable=False),
    sa.Column("is_unique", sa.Boolean, nullable=False),
    sa.Column("is_indexed", sa.Boolean, nullable=False),
    sa.Column("is_listed", sa.Boolean, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("default_value", JsonB()),
    sa.Column("choices", JsonB(), nullable=False),
    sa.Column("choice_list", sa.String(80)),
    sa.Column("target", sa.String(120)),
    sa.Column("formula", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("entity", "key"),
    sqlite_autoincrement=True,
)
