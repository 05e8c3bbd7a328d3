"""The table of installed plugins. `installing`: the plugin's own `install` has still to run to its end."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import JsonB, UtcDateTime

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
    sa.Column("installing", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("state IN ('enabled', 'disabled', 'quarantined')", name="state"),
)
