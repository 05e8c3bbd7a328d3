"""Mail, templates, notifications"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_consent",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=200), server_default="", nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("by_id", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_consent")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_consent_address", "core_consent", ["channel", "address", "purpose", "id"], unique=False)
    op.create_table(
        "core_mail",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("user_id", columns.BigId, nullable=True),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("recipient_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("headers", columns.JsonB(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("template", sa.String(length=80), server_default="", nullable=False),
        sa.Column("unique_key", sa.String(length=120), nullable=True),
        sa.Column("ends", columns.JsonB(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("sent_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'unknown')", name=op.f("ck_core_mail_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_mail")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_mail_uid")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_core_mail_unique_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_mail_recipient", "core_mail", ["recipient", "id"], unique=False)
    op.create_index("ix_core_mail_state", "core_mail", ["state", "id"], unique=False)
    op.create_table(
        "core_template",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=60), server_default="", nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("entity", sa.String(length=120), server_default="", nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=300), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_template")),
        sa.UniqueConstraint("org_id", "kind", "key", "language", name="uq_core_template_language"),
        sa.UniqueConstraint("uid", name=op.f("uq_core_template_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_notice",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("params", columns.JsonB(), nullable=False),
        sa.Column("entity", sa.String(length=120), server_default="", nullable=False),
        sa.Column("record_id", columns.BigId, nullable=True),
        sa.Column("url", sa.String(length=300), server_default="", nullable=False),
        sa.Column("unique_key", sa.String(length=120), nullable=True),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("read_at", columns.UtcDateTime(), nullable=True),
        sa.Column("bell", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.String(length=6), server_default="", nullable=False),
        sa.CheckConstraint("mail IN ('', 'now', 'digest', 'sent')", name=op.f("ck_core_notice_mail")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_notice_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_notice")),
        sa.UniqueConstraint("user_id", "unique_key", name="uq_core_notice_once"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_core_notice_unread",
        "core_notice",
        ["user_id", "id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL AND bell"),
        postgresql_where=sa.text("read_at IS NULL AND bell"),
    )
    op.create_index("ix_core_notice_user", "core_notice", ["user_id", "id"], unique=False)
    op.create_table(
        "core_notice_choice",
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("bell", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.String(length=6), nullable=False),
        sa.CheckConstraint("mail IN ('never', 'now', 'digest')", name=op.f("ck_core_notice_choice_mail")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_notice_choice_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_core_notice_choice")),
    )


def downgrade() -> None:
    op.drop_table("core_notice_choice")
    op.drop_table("core_notice")
    op.drop_table("core_template")
    op.drop_table("core_mail")
    op.drop_table("core_consent")
