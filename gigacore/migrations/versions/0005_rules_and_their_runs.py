"""Rules and their runs"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0005"
down_revision = "core_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_rule",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=60), server_default="", nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("body", columns.JsonB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("active_since", columns.UtcDateTime(), nullable=True),
        sa.Column("checked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_rule")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_rule_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_rule_owner_id"), "core_rule", ["owner_id"], unique=False)
    op.create_table(
        "core_rule_run",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("rule_id", columns.BigId, nullable=False),
        sa.Column("rule_name", sa.String(length=200), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("body", columns.JsonB(), nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("event_name", sa.String(length=180), nullable=False),
        sa.Column("entity", sa.String(length=120), server_default="", nullable=False),
        sa.Column("record_id", columns.BigId, server_default="0", nullable=False),
        sa.Column("label", sa.String(length=300), server_default="", nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("before", columns.JsonB(), nullable=True),
        sa.Column("trace", columns.JsonB(), nullable=True),
        sa.Column("steps", columns.JsonB(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("job_id", columns.BigId, nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed', 'skipped')", name=op.f("ck_core_rule_run_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_rule_run")),
        sa.UniqueConstraint("rule_id", "entity", "record_id", "correlation_id", name="uq_core_rule_run_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_rule_run_record", "core_rule_run", ["entity", "record_id", "id"], unique=False)
    op.create_table(
        "core_rule_version",
        sa.Column("rule_id", columns.BigId, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("body", columns.JsonB(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("by_id", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["core_rule.id"], name=op.f("fk_core_rule_version_rule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rule_id", "version", name=op.f("pk_core_rule_version")),
    )


def downgrade() -> None:
    op.drop_table("core_rule_version")
    op.drop_table("core_rule_run")
    op.drop_table("core_rule")
