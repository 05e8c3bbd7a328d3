"""Web hooks"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_hook",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("event", sa.String(length=180), nullable=False),
        sa.Column("target_url", sa.String(length=2000), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until", columns.UtcDateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("why_off", sa.Text(), nullable=True),
        sa.Column("succeeded_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_hook")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_hook_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_hook_user_id"), "core_hook", ["user_id"], unique=False)
    op.create_table(
        "core_hook_source",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=60), server_default="", nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scheme", sa.String(length=20), nullable=False),
        sa.Column("header", sa.String(length=80), server_default="", nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("mapping", columns.JsonB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("scheme IN ('standard', 'hmac_sha256')", name=op.f("ck_core_hook_source_scheme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_hook_source")),
        sa.UniqueConstraint("key", name=op.f("uq_core_hook_source_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_hook_source_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_inbox",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("headers", columns.JsonB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", columns.JsonB(), nullable=True),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("done_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name=op.f("ck_core_inbox_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_inbox")),
        sa.UniqueConstraint("source", "account", "event_id", name="uq_core_inbox_event"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_hook_delivery",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("hook_id", columns.BigId, nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=180), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("tried_at", columns.UtcDateTime(), nullable=True),
        sa.Column("next_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'done', 'dead', 'skipped')", name=op.f("ck_core_hook_delivery_state")),
        sa.ForeignKeyConstraint(
            ["hook_id"], ["core_hook.id"], name=op.f("fk_core_hook_delivery_hook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_hook_delivery")),
        sa.UniqueConstraint("hook_id", "event_id", name="uq_core_hook_delivery_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_hook_delivery_hook", "core_hook_delivery", ["hook_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("core_hook_delivery")
    op.drop_table("core_inbox")
    op.drop_table("core_hook_source")
    op.drop_table("core_hook")
