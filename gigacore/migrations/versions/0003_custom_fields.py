"""Definitions of custom fields"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_custom_field",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=30), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("key", sa.String(length=42), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("labels", columns.JsonB(), nullable=False),
        sa.Column("help", sa.String(length=500), nullable=False),
        sa.Column("section", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("is_unique", sa.Boolean(), nullable=False),
        sa.Column("is_indexed", sa.Boolean(), nullable=False),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("default_value", columns.JsonB(), nullable=True),
        sa.Column("choices", columns.JsonB(), nullable=False),
        sa.Column("choice_list", sa.String(length=80), nullable=True),
        sa.Column("target", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_custom_field")),
        sa.UniqueConstraint("entity", "key", name=op.f("uq_core_custom_field_entity_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_custom_field_uid")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("core_custom_field")
