"""The tables of imports: one row per file with its mapping and counters, and one per row that went wrong."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gigacore.entity.base import metadata
from gigacore.entity.columns import BigId, JsonB, UtcDateTime

core_import: Final = sa.Table(
    "core_import",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.Uuid, nullable=False, unique=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("entity", sa.String(80), nullable=False),
    sa.Column("file_id", BigId, sa.ForeignKey("core_file.id", ondelete="SET NULL")),
    sa.Column("file_name", sa.String(255), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("dialect", JsonB(), nullable=False),
    sa.Column("mapping", JsonB(), nullable=False),
    sa.Column("options", JsonB(), nullable=False),
    sa.Column("total", sa.Integer),
    sa.Column("cursor", sa.Integer, nullable=False),
    sa.Column("created", sa.Integer, nullable=False),
    sa.Column("updated", sa.Integer, nullable=False),
    sa.Column("skipped", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("noted", sa.Integer, nullable=False, server_default="0"),
    sa.Column("job_id", BigId),
    sa.Column("error", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", BigId),
    sa.Column("finished_at", UtcDateTime),
    sqlite_autoincrement=True,
)

core_import_error: Final = sa.Table(
    "core_import_error",
    metadata,
    sa.Column("import_id", BigId, sa.ForeignKey("core_import.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("row_no", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("column", sa.String(200), nullable=False),
    sa.Column("message", JsonB(), nullable=False),
    sa.Column("value", sa.String(200), nullable=False),
    sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.true()),
)
"""What was wrong in a row; unless it was `refused`, the row went in without that value."""

# Which record a row of a file became: the key of the sender's system (`source` = folded heading), or, where a file has
# none, the row's fingerprint (`source` = "#row"). Importing the same file again finds its records here.
core_import_key: Final = sa.Table(
    "core_import_key",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    sa.Column("org_id", BigId, nullable=False),
    sa.Column("entity", sa.String(80), nullable=False),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("record_id", BigId, nullable=False, index=True),
    sa.UniqueConstraint("org_id", "entity", "source", "key"),
    sqlite_autoincrement=True,
)
