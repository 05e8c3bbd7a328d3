"""Saved views"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_list_choice",
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("default_view", sa.String(length=40), nullable=False),
        sa.Column("fields", columns.JsonB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_list_choice_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "entity", name=op.f("pk_core_list_choice")),
    )
    op.create_table(
        "core_view",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=30), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=False),
        sa.Column("shared", sa.String(length=10), nullable=False),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("filter", columns.JsonB(), nullable=True),
        sa.Column("search", sa.String(length=200), nullable=False),
        sa.Column("sort", sa.String(length=120), nullable=False),
        sa.Column("fields", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("shared IN ('private', 'team', 'all')", name=op.f("ck_core_view_shared_known")),
        sa.ForeignKeyConstraint(["owner_id"], ["core_user.id"], name=op.f("fk_core_view_owner_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["core_team.id"], name=op.f("fk_core_view_team_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_view")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_view_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_view_entity", "core_view", ["entity", "shared"], unique=False)
    op.create_index(op.f("ix_core_view_owner_id"), "core_view", ["owner_id"], unique=False)


def downgrade() -> None:
    op.drop_table("core_view")
    op.drop_table("core_list_choice")
