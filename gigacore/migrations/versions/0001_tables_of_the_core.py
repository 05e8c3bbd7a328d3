"""Tables of the core"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_access",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_core_access_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_access")),
        comment="One row; its generation grows with each change of users, teams, roles, grants.",
    )
    op.create_table(
        "core_activity",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("direction", sa.String(length=8), server_default="", nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_id", columns.BigId, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("source_entity", sa.String(length=120), nullable=True),
        sa.Column("source_id", columns.BigId, nullable=True),
        sa.Column("plugin", sa.String(length=60), server_default="", nullable=False),
        sa.Column("data", columns.JsonB(), nullable=True),
        sa.CheckConstraint("direction IN ('', 'in', 'out')", name=op.f("ck_core_activity_direction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_activity")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_activity_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_activity_at", "core_activity", ["at"], unique=False)
    op.create_index("ix_core_activity_source", "core_activity", ["source_entity", "source_id"], unique=False)
    op.create_table(
        "core_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_id", columns.BigId, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=True),
        sa.Column("record_uid", sa.Uuid(), nullable=True),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_audit")),
    )
    op.create_index("ix_core_audit_record", "core_audit", ["entity", "record_id", "id"], unique=False)
    op.create_table(
        "core_choice",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("list", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("labels", columns.JsonB(), nullable=False),
        sa.Column("colour", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("plugin", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_choice")),
        sa.UniqueConstraint("list", "key", name=op.f("uq_core_choice_list_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_choice_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_counter",
        sa.Column("org_id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("series", sa.String(length=60), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", columns.BigId, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "series", "year", name=op.f("pk_core_counter")),
    )
    op.create_table(
        "core_currency",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("symbol", sa.String(length=8), server_default="", nullable=False),
        sa.Column("digits", sa.Integer(), server_default="2", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_core_currency")),
    )
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
    op.create_table(
        "core_file",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_file")),
        sa.UniqueConstraint("object_id", name=op.f("uq_core_file_object_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_file_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_file_sha256"), "core_file", ["sha256"], unique=False)
    op.create_table(
        "core_idempotency",
        sa.Column("actor_key", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("headers", columns.JsonB(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('running', 'done')", name=op.f("ck_core_idempotency_state")),
        sa.PrimaryKeyConstraint("actor_key", "key", name=op.f("pk_core_idempotency")),
    )
    op.create_index(op.f("ix_core_idempotency_created_at"), "core_idempotency", ["created_at"], unique=False)
    op.create_table(
        "core_import_key",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_import_key")),
        sa.UniqueConstraint(
            "org_id", "entity", "source", "key", name=op.f("uq_core_import_key_org_id_entity_source_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_import_key_record_id"), "core_import_key", ["record_id"], unique=False)
    op.create_table(
        "core_job",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("payload", columns.JsonB(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("run_at", columns.UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("unique_key", sa.String(length=200), nullable=True),
        sa.Column("serial_key", sa.String(length=200), nullable=True),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_user_id", columns.BigId, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("actor_scopes", columns.JsonB(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("result", columns.JsonB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_job")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_core_job_due",
        "core_job",
        ["priority", "run_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_core_job_finished", "core_job", ["state", "finished_at"], unique=False)
    op.create_index(
        "ix_core_job_lease",
        "core_job",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index("ix_core_job_serial", "core_job", ["serial_key", "state", "id"], unique=False)
    op.create_index(
        "uq_core_job_serial",
        "core_job",
        ["serial_key"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_core_job_unique",
        "core_job",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'parked')"),
        postgresql_where=sa.text("state IN ('queued', 'parked')"),
    )
    op.create_table(
        "core_link",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("from_entity", sa.String(length=120), nullable=False),
        sa.Column("from_id", columns.BigId, nullable=False),
        sa.Column("to_entity", sa.String(length=120), nullable=False),
        sa.Column("to_id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_link")),
        sa.UniqueConstraint("from_entity", "from_id", "to_entity", "to_id", "kind", name="uq_core_link_ends"),
        sa.UniqueConstraint("uid", name=op.f("uq_core_link_uid")),
    )
    op.create_index("ix_core_link_to", "core_link", ["to_entity", "to_id"], unique=False)
    op.create_table(
        "core_org",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("locale", sa.String(length=10), server_default="en", nullable=False),
        sa.Column("timezone", sa.String(length=60), server_default="UTC", nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_org")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_org_uid")),
    )
    op.create_table(
        "core_outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(length=180), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=True),
        sa.Column("record_uid", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("depth", sa.Integer(), server_default="0", nullable=False),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_id", columns.BigId, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_outbox")),
    )
    op.create_index("ix_core_outbox_record", "core_outbox", ["entity", "record_id"], unique=False)
    op.create_table(
        "core_plugin",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("api", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("manifest", columns.JsonB(), nullable=False),
        sa.Column("installed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('enabled', 'disabled', 'quarantined')", name=op.f("ck_core_plugin_state")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_core_plugin")),
    )
    op.create_table(
        "core_rate_limit",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", "bucket", name=op.f("pk_core_rate_limit")),
    )
    op.create_index(op.f("ix_core_rate_limit_expires_at"), "core_rate_limit", ["expires_at"], unique=False)
    op.create_table(
        "core_role",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("labels", columns.JsonB(), nullable=False),
        sa.Column("builtin", sa.Boolean(), nullable=False),
        sa.Column("plugin", sa.String(length=80), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_role")),
        sa.UniqueConstraint("key", name=op.f("uq_core_role_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_role_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_schedule",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("job", sa.String(length=100), nullable=False),
        sa.Column("payload", columns.JsonB(), nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_core_schedule_name")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_schedule_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_schedule_next_at"), "core_schedule", ["next_at"], unique=False)
    op.create_table(
        "core_setting",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("scope_id", columns.BigId, server_default="0", nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("plugin", sa.String(length=60), server_default="", nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.CheckConstraint("scope IN ('installation', 'org', 'user')", name=op.f("ck_core_setting_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_setting")),
        sa.UniqueConstraint("scope", "scope_id", "key", name=op.f("uq_core_setting_scope_scope_id_key")),
    )
    op.create_table(
        "core_state",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_core_state")),
    )
    op.create_table(
        "core_trash",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.Column("record_uid", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=300), nullable=False),
        sa.Column("group_uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=True),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(length=10), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("deleted_at", columns.UtcDateTime(), nullable=False),
        sa.Column("deleted_by", columns.BigId, nullable=True),
        sa.Column("purge_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_trash")),
        sa.UniqueConstraint("entity", "record_id", name=op.f("uq_core_trash_entity_record_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_core_trash_group_uid", "core_trash", ["group_uid"], unique=False)
    op.create_index("ix_core_trash_purge_at", "core_trash", ["purge_at"], unique=False)
    op.create_table(
        "core_user",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("password_changed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("theme", sa.String(length=10), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("last_sign_in_at", columns.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_user")),
        sa.UniqueConstraint("email_key", name=op.f("uq_core_user_email_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_user_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_user_name_key"), "core_user", ["name_key"], unique=False)
    op.create_table(
        "core_activity_link",
        sa.Column("activity_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["core_activity.id"], name=op.f("fk_core_activity_link_activity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("activity_id", "entity", "record_id", name=op.f("pk_core_activity_link")),
    )
    op.create_index("ix_core_activity_link_record", "core_activity_link", ["entity", "record_id", "at"], unique=False)
    op.create_table(
        "core_attachment",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("file_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["core_file.id"], name=op.f("fk_core_attachment_file_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_attachment")),
        sa.UniqueConstraint("file_id", "entity", "record_id", name=op.f("uq_core_attachment_file_id_entity_record_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_attachment_file_id"), "core_attachment", ["file_id"], unique=False)
    op.create_index("ix_core_attachment_record", "core_attachment", ["entity", "record_id", "position"], unique=False)
    op.create_table(
        "core_audit_seal",
        sa.Column("seq", columns.BigId, autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["core_audit.id"], name=op.f("fk_core_audit_seal_audit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_core_audit_seal")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_core_audit_seal_audit_id")),
    )
    op.create_table(
        "core_audit_value",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["core_audit.id"], name=op.f("fk_core_audit_value_audit_id")),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_core_audit_value")),
    )
    op.create_table(
        "core_delivery",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("consumer", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=8), server_default="new", nullable=False),
        sa.Column("record_key", sa.String(length=160), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", columns.UtcDateTime(), nullable=False),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("lease", sa.String(length=36), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'running', 'done', 'dead', 'parked')", name=op.f("ck_core_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["core_outbox.id"], name=op.f("fk_core_delivery_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "consumer", name=op.f("pk_core_delivery")),
    )
    op.create_index(
        "ix_core_delivery_due",
        "core_delivery",
        ["next_at", "event_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('new', 'running')"),
        postgresql_where=sa.text("state IN ('new', 'running')"),
    )
    op.create_index("ix_core_delivery_order", "core_delivery", ["consumer", "record_key", "event_id"], unique=False)
    op.create_table(
        "core_field_rule",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("role_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("field", sa.String(length=120), nullable=False),
        sa.Column("can_read", sa.Boolean(), nullable=False),
        sa.Column("can_write", sa.Boolean(), nullable=False),
        sa.Column("plugin", sa.String(length=80), nullable=True),
        sa.CheckConstraint("can_read OR NOT can_write", name=op.f("ck_core_field_rule_write_needs_read")),
        sa.ForeignKeyConstraint(
            ["role_id"], ["core_role.id"], name=op.f("fk_core_field_rule_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_field_rule")),
        sa.UniqueConstraint("role_id", "entity", "field", name=op.f("uq_core_field_rule_role_id_entity_field")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_field_rule_uid")),
    )
    op.create_table(
        "core_grant",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("role_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("verb", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("filter", columns.JsonB(), nullable=True),
        sa.Column("forbid", sa.Boolean(), nullable=False),
        sa.Column("plugin", sa.String(length=80), nullable=True),
        sa.CheckConstraint("level IN ('none', 'own', 'team', 'tree', 'all')", name=op.f("ck_core_grant_level_known")),
        sa.ForeignKeyConstraint(["role_id"], ["core_role.id"], name=op.f("fk_core_grant_role_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_grant")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_grant_uid")),
    )
    op.create_index(op.f("ix_core_grant_role_id"), "core_grant", ["role_id"], unique=False)
    op.create_table(
        "core_import",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=80), nullable=False),
        sa.Column("file_id", columns.BigId, nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("dialect", columns.JsonB(), nullable=False),
        sa.Column("mapping", columns.JsonB(), nullable=False),
        sa.Column("options", columns.JsonB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("job_id", columns.BigId, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["core_file.id"], name=op.f("fk_core_import_file_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_import")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_import_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "core_link_token",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("verbs", columns.JsonB(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["core_user.id"], name=op.f("fk_core_link_token_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_link_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_core_link_token_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_link_token_uid")),
    )
    op.create_index("ix_core_link_token_record", "core_link_token", ["entity", "record_id"], unique=False)
    op.create_table(
        "core_rate",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("base", sa.String(length=3), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column(
            "rate", sa.Numeric(precision=24, scale=10).with_variant(sa.String(length=40), "sqlite"), nullable=False
        ),
        sa.Column("source", sa.String(length=60), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["base"], ["core_currency.code"], name=op.f("fk_core_rate_base")),
        sa.ForeignKeyConstraint(["code"], ["core_currency.code"], name=op.f("fk_core_rate_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_rate")),
        sa.UniqueConstraint("base", "code", "on_date", name=op.f("uq_core_rate_base_code_on_date")),
    )
    op.create_table(
        "core_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("half", sa.Boolean(), nullable=False),
        sa.Column("csrf_secret", sa.String(length=64), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(), nullable=False),
        sa.Column("verified_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_session")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_session_uid")),
        comment="Web sessions; `id` is the SHA-256 of the cookie. A half session waits for its second factor.",
    )
    op.create_index(op.f("ix_core_session_expires_at"), "core_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_core_session_user_id"), "core_session", ["user_id"], unique=False)
    op.create_table(
        "core_sign_in",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("user_id", columns.BigId, nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_sign_in_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_sign_in")),
    )
    op.create_index(op.f("ix_core_sign_in_at"), "core_sign_in", ["at"], unique=False)
    op.create_index(op.f("ix_core_sign_in_user_id"), "core_sign_in", ["user_id"], unique=False)
    op.create_table(
        "core_team",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", columns.BigId, nullable=True),
        sa.Column("manager_id", columns.BigId, nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["core_user.id"], name=op.f("fk_core_team_manager_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["core_team.id"], name=op.f("fk_core_team_parent_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_team")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_team_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_team_manager_id"), "core_team", ["manager_id"], unique=False)
    op.create_index(op.f("ix_core_team_parent_id"), "core_team", ["parent_id"], unique=False)
    op.create_table(
        "core_token",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("scopes", columns.JsonB(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("last_used_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_token_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_core_token_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_core_token_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_token_user_id"), "core_token", ["user_id"], unique=False)
    op.create_table(
        "core_user_role",
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("role_id", columns.BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["core_role.id"], name=op.f("fk_core_user_role_role_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_user_role_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_core_user_role")),
    )
    op.create_index(op.f("ix_core_user_role_role_id"), "core_user_role", ["role_id"], unique=False)
    op.create_table(
        "core_import_error",
        sa.Column("import_id", columns.BigId, nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("message", columns.JsonB(), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["core_import.id"], name=op.f("fk_core_import_error_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "row_no", "position", name=op.f("pk_core_import_error")),
    )
    op.create_table(
        "core_share",
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.Column("user_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("verb", sa.String(length=80), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.CheckConstraint("(user_id IS NULL) <> (team_id IS NULL)", name=op.f("ck_core_share_one_party")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["core_user.id"], name=op.f("fk_core_share_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["core_team.id"], name=op.f("fk_core_share_team_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_share_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_share")),
        sa.UniqueConstraint(
            "entity", "record_id", "team_id", "verb", name=op.f("uq_core_share_entity_record_id_team_id_verb")
        ),
        sa.UniqueConstraint(
            "entity", "record_id", "user_id", "verb", name=op.f("uq_core_share_entity_record_id_user_id_verb")
        ),
    )
    op.create_index("ix_core_share_team", "core_share", ["team_id", "entity", "verb", "record_id"], unique=False)
    op.create_index("ix_core_share_user", "core_share", ["user_id", "entity", "verb", "record_id"], unique=False)
    op.create_table(
        "core_team_member",
        sa.Column("team_id", columns.BigId, nullable=False),
        sa.Column("user_id", columns.BigId, nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["core_team.id"], name=op.f("fk_core_team_member_team_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_team_member_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_core_team_member")),
    )
    op.create_index(op.f("ix_core_team_member_user_id"), "core_team_member", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("core_team_member")
    op.drop_table("core_share")
    op.drop_table("core_import_error")
    op.drop_table("core_user_role")
    op.drop_table("core_token")
    op.drop_table("core_team")
    op.drop_table("core_sign_in")
    op.drop_table("core_session")
    op.drop_table("core_rate")
    op.drop_table("core_link_token")
    op.drop_table("core_import")
    op.drop_table("core_grant")
    op.drop_table("core_field_rule")
    op.drop_table("core_delivery")
    op.drop_table("core_audit_value")
    op.drop_table("core_audit_seal")
    op.drop_table("core_attachment")
    op.drop_table("core_activity_link")
    op.drop_table("core_user")
    op.drop_table("core_trash")
    op.drop_table("core_state")
    op.drop_table("core_setting")
    op.drop_table("core_schedule")
    op.drop_table("core_role")
    op.drop_table("core_rate_limit")
    op.drop_table("core_plugin")
    op.drop_table("core_outbox")
    op.drop_table("core_org")
    op.drop_table("core_link")
    op.drop_table("core_job")
    op.drop_table("core_import_key")
    op.drop_table("core_idempotency")
    op.drop_table("core_file")
    op.drop_table("core_custom_field")
    op.drop_table("core_currency")
    op.drop_table("core_counter")
    op.drop_table("core_choice")
    op.drop_table("core_audit")
    op.drop_table("core_activity")
    op.drop_table("core_access")
