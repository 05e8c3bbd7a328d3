"""Figures of large entities, kept"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0015"
down_revision = "core_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_rollup",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("refreshed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("seen", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_rollup")),
        sa.UniqueConstraint("key", name=op.f("uq_core_rollup_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_rollup_part",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("rollup_id", columns.BigId, nullable=False),
        sa.Column("value", sa.String(length=120), nullable=True),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(length=10), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("records", columns.BigId, nullable=False),
        sa.Column("total", columns.ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(
            ["rollup_id"], ["core_rollup.id"], name=op.f("fk_core_rollup_part_rollup_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_rollup_part")),
    )
    op.create_index(op.f("ix_core_rollup_part_rollup_id"), "core_rollup_part", ["rollup_id"], unique=False)


def downgrade() -> None:
    op.drop_table("core_rollup_part")
    op.drop_table("core_rollup")
