"""The tables of saved views, and of what each person chose for a list."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, UtcDateTime

core_view: Final = sa.Table(
    "core_view",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("plugin", sa.String(30), nullable=False),
    sa.Column("entity", sa.String(120), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("owner_id", sa.ForeignKey("core_user.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("shared", sa.String(10), nullable=False),
    sa.Column("team_id", sa.ForeignKey("core_team.id", ondelete="SET NULL")),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("filter", JsonB()),
    sa.Column("search", sa.String(200), nullable=False),
    sa.Column("sort", sa.String(120), nullable=False),
    sa.Column("fields", JsonB(), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("shared IN ('private', 'team', 'all')", name="shared_known"),
    sa.Index("ix_core_view_entity", "entity", "shared"),
    sqlite_autoincrement=True,
)

core_list_choice: Final = sa.Table(
    "core_list_choice",
    metadata,
    sa.Column("user_id", sa.ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("entity", sa.String(120), primary_key=True),
    sa.Column("default_view", sa.String(40), nullable=False),
    sa.Column("fields", JsonB(), nullable=False),
)
