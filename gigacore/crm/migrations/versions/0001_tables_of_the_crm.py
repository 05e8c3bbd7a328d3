"""Tables of the CRM"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "crm_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_company",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("contact_type", sa.String(length=60), nullable=True),
        sa.Column("temperature", sa.String(length=60), nullable=True),
        sa.Column("industry", sa.String(length=60), nullable=True),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("street", sa.String(length=400), nullable=True),
        sa.Column("postal_code", sa.String(length=20), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=100), nullable=True),
        sa.Column("employees", columns.BigId, nullable=True),
        sa.Column("founded", columns.BigId, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("tags", columns.JsonB(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "email_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "phone_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "city_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "country_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "external_id_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_company")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_company_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_company_city_key",
        "crm_company",
        ["city_key"],
        unique=False,
        sqlite_where=sa.text("city_key IS NOT NULL"),
        postgresql_where=sa.text("city_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_company_country_key",
        "crm_company",
        ["country_key"],
        unique=False,
        sqlite_where=sa.text("country_key IS NOT NULL"),
        postgresql_where=sa.text("country_key IS NOT NULL"),
    )
    op.create_index("ix_crm_company_created_at", "crm_company", ["created_at"], unique=False)
    op.create_index(
        "ix_crm_company_email_key",
        "crm_company",
        ["email_key"],
        unique=False,
        sqlite_where=sa.text("email_key IS NOT NULL"),
        postgresql_where=sa.text("email_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_company_external_id_key",
        "crm_company",
        ["external_id_key"],
        unique=False,
        sqlite_where=sa.text("external_id_key IS NOT NULL"),
        postgresql_where=sa.text("external_id_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_company_name_key", "crm_company", ["name_key"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_company_owner_id"), "crm_company", ["owner_id"], unique=False)
    op.create_index(
        "ix_crm_company_phone_key",
        "crm_company",
        ["phone_key"],
        unique=False,
        sqlite_where=sa.text("phone_key IS NOT NULL"),
        postgresql_where=sa.text("phone_key IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_company_team_id"), "crm_company", ["team_id"], unique=False)
    op.create_index(op.f("ix_crm_company_updated_at"), "crm_company", ["updated_at"], unique=False)
    op.create_table(
        "crm_pipeline",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("position", columns.BigId, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_pipeline")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_pipeline_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_pipeline_name_key", "crm_pipeline", ["name_key"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(
        "ix_crm_pipeline_position", "crm_pipeline", ["position"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_pipeline_updated_at"), "crm_pipeline", ["updated_at"], unique=False)
    op.create_table(
        "crm_company_address",
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("street", sa.String(length=400), nullable=True),
        sa.Column("postal_code", sa.String(length=20), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("region", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=100), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_company.id"], name=op.f("fk_crm_company_address_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_company_address")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_company_address_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_company_address_parent_id"), "crm_company_address", ["parent_id"], unique=False)
    op.create_table(
        "crm_company_email",
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column(
            "email_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_company.id"], name=op.f("fk_crm_company_email_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_company_email")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_company_email_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_company_email_email_key",
        "crm_company_email",
        ["email_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(op.f("ix_crm_company_email_parent_id"), "crm_company_email", ["parent_id"], unique=False)
    op.create_table(
        "crm_company_link",
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_company.id"], name=op.f("fk_crm_company_link_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_company_link")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_company_link_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_company_link_parent_id"), "crm_company_link", ["parent_id"], unique=False)
    op.create_table(
        "crm_company_phone",
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column(
            "phone_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_company.id"], name=op.f("fk_crm_company_phone_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_company_phone")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_company_phone_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_company_phone_parent_id"), "crm_company_phone", ["parent_id"], unique=False)
    op.create_index(
        "ix_crm_company_phone_phone_key",
        "crm_company_phone",
        ["phone_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_table(
        "crm_contact",
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("job_title", sa.String(length=150), nullable=True),
        sa.Column("company_id", columns.BigId, nullable=True),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("contact_type", sa.String(length=60), nullable=True),
        sa.Column("temperature", sa.String(length=60), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=100), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("tags", columns.JsonB(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "first_name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "last_name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "email_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "phone_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "city_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "country_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "external_id_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_company.id"], name=op.f("fk_crm_contact_company_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contact")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_contact_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_contact_city_key",
        "crm_contact",
        ["city_key"],
        unique=False,
        sqlite_where=sa.text("city_key IS NOT NULL"),
        postgresql_where=sa.text("city_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_contact_company_id",
        "crm_contact",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_contact_country_key",
        "crm_contact",
        ["country_key"],
        unique=False,
        sqlite_where=sa.text("country_key IS NOT NULL"),
        postgresql_where=sa.text("country_key IS NOT NULL"),
    )
    op.create_index("ix_crm_contact_created_at", "crm_contact", ["created_at"], unique=False)
    op.create_index(
        "ix_crm_contact_email_key",
        "crm_contact",
        ["email_key"],
        unique=False,
        sqlite_where=sa.text("email_key IS NOT NULL"),
        postgresql_where=sa.text("email_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_contact_external_id_key",
        "crm_contact",
        ["external_id_key"],
        unique=False,
        sqlite_where=sa.text("external_id_key IS NOT NULL"),
        postgresql_where=sa.text("external_id_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_contact_last_name_key",
        "crm_contact",
        ["last_name_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        "ix_crm_contact_name_key",
        "crm_contact",
        ["name_key"],
        unique=False,
        sqlite_where=sa.text("name_key IS NOT NULL"),
        postgresql_where=sa.text("name_key IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_contact_owner_id"), "crm_contact", ["owner_id"], unique=False)
    op.create_index(
        "ix_crm_contact_phone_key",
        "crm_contact",
        ["phone_key"],
        unique=False,
        sqlite_where=sa.text("phone_key IS NOT NULL"),
        postgresql_where=sa.text("phone_key IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_contact_team_id"), "crm_contact", ["team_id"], unique=False)
    op.create_index(op.f("ix_crm_contact_updated_at"), "crm_contact", ["updated_at"], unique=False)
    op.create_table(
        "crm_pipeline_team",
        sa.Column("team_id", columns.BigId, nullable=False),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_pipeline.id"], name=op.f("fk_crm_pipeline_team_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_pipeline_team")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_pipeline_team_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_pipeline_team_parent_id"), "crm_pipeline_team", ["parent_id"], unique=False)
    op.create_index(
        "ix_crm_pipeline_team_team_id",
        "crm_pipeline_team",
        ["team_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_table(
        "crm_stage",
        sa.Column("pipeline_id", columns.BigId, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("probability", columns.BigId, nullable=False),
        sa.Column("position", columns.BigId, nullable=False),
        sa.Column("colour", sa.String(length=20), nullable=True),
        sa.Column("rotting_days", columns.BigId, nullable=True),
        sa.Column(
            "name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["crm_pipeline.id"], name=op.f("fk_crm_stage_pipeline_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_stage")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_stage_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_stage_name_key", "crm_stage", ["name_key"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(
        "ix_crm_stage_pipeline_id", "crm_stage", ["pipeline_id"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(
        "ix_crm_stage_position", "crm_stage", ["position"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_stage_updated_at"), "crm_stage", ["updated_at"], unique=False)
    op.create_table(
        "crm_contact_address",
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("street", sa.String(length=400), nullable=True),
        sa.Column("postal_code", sa.String(length=20), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("region", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=100), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_contact.id"], name=op.f("fk_crm_contact_address_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contact_address")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_contact_address_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_contact_address_parent_id"), "crm_contact_address", ["parent_id"], unique=False)
    op.create_table(
        "crm_contact_company",
        sa.Column("company_id", columns.BigId, nullable=False),
        sa.Column("job_title", sa.String(length=150), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_company.id"], name=op.f("fk_crm_contact_company_company_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_contact.id"], name=op.f("fk_crm_contact_company_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contact_company")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_contact_company_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_contact_company_company_id",
        "crm_contact_company",
        ["company_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(op.f("ix_crm_contact_company_parent_id"), "crm_contact_company", ["parent_id"], unique=False)
    op.create_table(
        "crm_contact_email",
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column(
            "email_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_contact.id"], name=op.f("fk_crm_contact_email_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contact_email")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_contact_email_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_contact_email_email_key",
        "crm_contact_email",
        ["email_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(op.f("ix_crm_contact_email_parent_id"), "crm_contact_email", ["parent_id"], unique=False)
    op.create_table(
        "crm_contact_link",
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_contact.id"], name=op.f("fk_crm_contact_link_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contact_link")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_contact_link_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_contact_link_parent_id"), "crm_contact_link", ["parent_id"], unique=False)
    op.create_table(
        "crm_contact_phone",
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column(
            "phone_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_contact.id"], name=op.f("fk_crm_contact_phone_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_contact_phone")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_contact_phone_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_contact_phone_parent_id"), "crm_contact_phone", ["parent_id"], unique=False)
    op.create_index(
        "ix_crm_contact_phone_phone_key",
        "crm_contact_phone",
        ["phone_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_table(
        "crm_lead",
        sa.Column("name", sa.String(length=410), nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=True),
        sa.Column("last_name", sa.String(length=100), nullable=True),
        sa.Column("company_name", sa.String(length=200), nullable=True),
        sa.Column("job_title", sa.String(length=150), nullable=True),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.Column("email2", sa.String(length=200), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=True),
        sa.Column("phone2", sa.String(length=60), nullable=True),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=100), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=True),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=True),
        sa.Column("stage_mode", sa.String(40), nullable=True),
        sa.Column("priority", sa.String(length=60), nullable=False),
        sa.Column("next_action", sa.String(length=60), nullable=True),
        sa.Column("next_action_at", columns.UtcDateTime(), nullable=True),
        sa.Column("next_action_suggested", sa.String(length=60), nullable=True),
        sa.Column("last_contact_at", columns.UtcDateTime(), nullable=True),
        sa.Column("last_exchange", sa.String(length=300), nullable=True),
        sa.Column("exchanges", columns.BigId, nullable=False),
        sa.Column("email_note", sa.String(length=60), nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("lost_reason", sa.String(length=60), nullable=True),
        sa.Column("contact_id", columns.BigId, nullable=True),
        sa.Column("company_id", columns.BigId, nullable=True),
        sa.Column("converted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("external_id", sa.String(length=100), nullable=True),
        sa.Column("tags", columns.JsonB(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "last_name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "company_name_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "email_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "email2_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "phone_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "phone2_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "city_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "country_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("amount", columns.ExactDecimal(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column(
            "external_id_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_company.id"], name=op.f("fk_crm_lead_company_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contact.id"], name=op.f("fk_crm_lead_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_lead")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_lead_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_lead_amount",
        "crm_lead",
        ["amount"],
        unique=False,
        sqlite_where=sa.text("amount IS NOT NULL"),
        postgresql_where=sa.text("amount IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_city_key",
        "crm_lead",
        ["city_key"],
        unique=False,
        sqlite_where=sa.text("city_key IS NOT NULL"),
        postgresql_where=sa.text("city_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_closed_at",
        "crm_lead",
        ["closed_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_company_id",
        "crm_lead",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_company_name_key",
        "crm_lead",
        ["company_name_key"],
        unique=False,
        sqlite_where=sa.text("company_name_key IS NOT NULL"),
        postgresql_where=sa.text("company_name_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_contact_id",
        "crm_lead",
        ["contact_id"],
        unique=False,
        sqlite_where=sa.text("contact_id IS NOT NULL"),
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_country_key",
        "crm_lead",
        ["country_key"],
        unique=False,
        sqlite_where=sa.text("country_key IS NOT NULL"),
        postgresql_where=sa.text("country_key IS NOT NULL"),
    )
    op.create_index("ix_crm_lead_created_at", "crm_lead", ["created_at"], unique=False)
    op.create_index(
        "ix_crm_lead_email2_key",
        "crm_lead",
        ["email2_key"],
        unique=False,
        sqlite_where=sa.text("email2_key IS NOT NULL"),
        postgresql_where=sa.text("email2_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_email_key",
        "crm_lead",
        ["email_key"],
        unique=False,
        sqlite_where=sa.text("email_key IS NOT NULL"),
        postgresql_where=sa.text("email_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_external_id_key",
        "crm_lead",
        ["external_id_key"],
        unique=False,
        sqlite_where=sa.text("external_id_key IS NOT NULL"),
        postgresql_where=sa.text("external_id_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_last_contact_at",
        "crm_lead",
        ["last_contact_at"],
        unique=False,
        sqlite_where=sa.text("last_contact_at IS NOT NULL"),
        postgresql_where=sa.text("last_contact_at IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_last_name_key",
        "crm_lead",
        ["last_name_key"],
        unique=False,
        sqlite_where=sa.text("last_name_key IS NOT NULL"),
        postgresql_where=sa.text("last_name_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_name_key",
        "crm_lead",
        ["name_key"],
        unique=False,
        sqlite_where=sa.text("name_key IS NOT NULL"),
        postgresql_where=sa.text("name_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_next_action_at",
        "crm_lead",
        ["next_action_at"],
        unique=False,
        sqlite_where=sa.text("next_action_at IS NOT NULL"),
        postgresql_where=sa.text("next_action_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_lead_owner_id"), "crm_lead", ["owner_id"], unique=False)
    op.create_index(
        "ix_crm_lead_phone2_key",
        "crm_lead",
        ["phone2_key"],
        unique=False,
        sqlite_where=sa.text("phone2_key IS NOT NULL"),
        postgresql_where=sa.text("phone2_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_phone_key",
        "crm_lead",
        ["phone_key"],
        unique=False,
        sqlite_where=sa.text("phone_key IS NOT NULL"),
        postgresql_where=sa.text("phone_key IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_lead_status", "crm_lead", ["status"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_lead_team_id"), "crm_lead", ["team_id"], unique=False)
    op.create_index(op.f("ix_crm_lead_updated_at"), "crm_lead", ["updated_at"], unique=False)
    op.create_table(
        "crm_stage_task",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=True),
        sa.Column("due_in_days", columns.BigId, nullable=False),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["crm_stage.id"], name=op.f("fk_crm_stage_task_parent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_stage_task")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_stage_task_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_crm_stage_task_parent_id"), "crm_stage_task", ["parent_id"], unique=False)
    op.create_table(
        "crm_opportunity",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("contact_id", columns.BigId, nullable=True),
        sa.Column("company_id", columns.BigId, nullable=True),
        sa.Column("lead_id", columns.BigId, nullable=True),
        sa.Column("pipeline_id", columns.BigId, nullable=False),
        sa.Column("stage_id", columns.BigId, nullable=False),
        sa.Column("stage_entered_at", columns.UtcDateTime(), nullable=True),
        sa.Column("budget_kind", sa.String(40), nullable=False),
        sa.Column("quantity", columns.BigId, nullable=False),
        sa.Column("probability", columns.BigId, nullable=False),
        sa.Column("expected_close", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=True),
        sa.Column("recurring_months", columns.BigId, nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("lost_reason", sa.String(length=60), nullable=True),
        sa.Column("tags", columns.JsonB(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column(
            "title_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("amount", columns.ExactDecimal(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column("total", columns.ExactDecimal(), nullable=True),
        sa.Column("total_currency", sa.String(length=3), nullable=True),
        sa.Column("weighted", columns.ExactDecimal(), nullable=True),
        sa.Column("weighted_currency", sa.String(length=3), nullable=True),
        sa.Column("recurring", columns.ExactDecimal(), nullable=True),
        sa.Column("recurring_currency", sa.String(length=3), nullable=True),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_company.id"], name=op.f("fk_crm_opportunity_company_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contact.id"], name=op.f("fk_crm_opportunity_contact_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["crm_lead.id"], name=op.f("fk_crm_opportunity_lead_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["crm_pipeline.id"], name=op.f("fk_crm_opportunity_pipeline_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["stage_id"], ["crm_stage.id"], name=op.f("fk_crm_opportunity_stage_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_opportunity")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_opportunity_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_opportunity_amount",
        "crm_opportunity",
        ["amount"],
        unique=False,
        sqlite_where=sa.text("amount IS NOT NULL"),
        postgresql_where=sa.text("amount IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_opportunity_closed_at",
        "crm_opportunity",
        ["closed_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_opportunity_company_id",
        "crm_opportunity",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_opportunity_contact_id",
        "crm_opportunity",
        ["contact_id"],
        unique=False,
        sqlite_where=sa.text("contact_id IS NOT NULL"),
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index("ix_crm_opportunity_created_at", "crm_opportunity", ["created_at"], unique=False)
    op.create_index(
        "ix_crm_opportunity_expected_close",
        "crm_opportunity",
        ["expected_close"],
        unique=False,
        sqlite_where=sa.text("expected_close IS NOT NULL"),
        postgresql_where=sa.text("expected_close IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_opportunity_lead_id",
        "crm_opportunity",
        ["lead_id"],
        unique=False,
        sqlite_where=sa.text("lead_id IS NOT NULL"),
        postgresql_where=sa.text("lead_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_opportunity_owner_id"), "crm_opportunity", ["owner_id"], unique=False)
    op.create_index(
        "ix_crm_opportunity_pipeline_id",
        "crm_opportunity",
        ["pipeline_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        "ix_crm_opportunity_stage_id",
        "crm_opportunity",
        ["stage_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(op.f("ix_crm_opportunity_team_id"), "crm_opportunity", ["team_id"], unique=False)
    op.create_index(
        "ix_crm_opportunity_title_key",
        "crm_opportunity",
        ["title_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        "ix_crm_opportunity_total",
        "crm_opportunity",
        ["total"],
        unique=False,
        sqlite_where=sa.text("total IS NOT NULL"),
        postgresql_where=sa.text("total IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_opportunity_updated_at"), "crm_opportunity", ["updated_at"], unique=False)
    op.create_table(
        "crm_note",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("happened_at", columns.UtcDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("lead_id", columns.BigId, nullable=True),
        sa.Column("contact_id", columns.BigId, nullable=True),
        sa.Column("company_id", columns.BigId, nullable=True),
        sa.Column("opportunity_id", columns.BigId, nullable=True),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column(
            "title_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_company.id"], name=op.f("fk_crm_note_company_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contact.id"], name=op.f("fk_crm_note_contact_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["crm_lead.id"], name=op.f("fk_crm_note_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["opportunity_id"], ["crm_opportunity.id"], name=op.f("fk_crm_note_opportunity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_note")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_note_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_note_company_id",
        "crm_note",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_note_contact_id",
        "crm_note",
        ["contact_id"],
        unique=False,
        sqlite_where=sa.text("contact_id IS NOT NULL"),
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_note_happened_at", "crm_note", ["happened_at"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(
        "ix_crm_note_lead_id",
        "crm_note",
        ["lead_id"],
        unique=False,
        sqlite_where=sa.text("lead_id IS NOT NULL"),
        postgresql_where=sa.text("lead_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_note_opportunity_id",
        "crm_note",
        ["opportunity_id"],
        unique=False,
        sqlite_where=sa.text("opportunity_id IS NOT NULL"),
        postgresql_where=sa.text("opportunity_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_note_owner_id"), "crm_note", ["owner_id"], unique=False)
    op.create_index(op.f("ix_crm_note_team_id"), "crm_note", ["team_id"], unique=False)
    op.create_index(
        "ix_crm_note_title_key", "crm_note", ["title_key"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_note_updated_at"), "crm_note", ["updated_at"], unique=False)
    op.create_table(
        "crm_opportunity_participant",
        sa.Column("contact_id", columns.BigId, nullable=False),
        sa.Column("part", sa.String(length=100), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["crm_contact.id"],
            name=op.f("fk_crm_opportunity_participant_contact_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["crm_opportunity.id"],
            name=op.f("fk_crm_opportunity_participant_parent_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_opportunity_participant")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_opportunity_participant_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_opportunity_participant_contact_id",
        "crm_opportunity_participant",
        ["contact_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        op.f("ix_crm_opportunity_participant_parent_id"), "crm_opportunity_participant", ["parent_id"], unique=False
    )
    op.create_table(
        "crm_opportunity_stage_visit",
        sa.Column("stage_id", columns.BigId, nullable=False),
        sa.Column("entered_at", columns.UtcDateTime(), nullable=False),
        sa.Column("left_at", columns.UtcDateTime(), nullable=True),
        sa.Column("days", columns.ExactDecimal(), nullable=True),
        sa.Column("parent_id", columns.BigId, nullable=False),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["crm_opportunity.id"],
            name=op.f("fk_crm_opportunity_stage_visit_parent_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["stage_id"], ["crm_stage.id"], name=op.f("fk_crm_opportunity_stage_visit_stage_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_opportunity_stage_visit")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_opportunity_stage_visit_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_crm_opportunity_stage_visit_parent_id"), "crm_opportunity_stage_visit", ["parent_id"], unique=False
    )
    op.create_index(
        "ix_crm_opportunity_stage_visit_stage_id",
        "crm_opportunity_stage_visit",
        ["stage_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_table(
        "crm_task",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=True),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=True),
        sa.Column("remind", sa.String(40), nullable=False),
        sa.Column("inform", sa.Boolean(), nullable=False),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("lead_id", columns.BigId, nullable=True),
        sa.Column("contact_id", columns.BigId, nullable=True),
        sa.Column("company_id", columns.BigId, nullable=True),
        sa.Column("opportunity_id", columns.BigId, nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("org_id", columns.BigId, nullable=False),
        sa.Column("owner_id", columns.BigId, nullable=True),
        sa.Column("team_id", columns.BigId, nullable=True),
        sa.Column("visibility", sa.String(40), nullable=False),
        sa.Column(
            "title_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("id", columns.BigId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("custom", columns.JsonB(), nullable=False),
        sa.Column("custom_key", columns.JsonB(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", columns.BigId, nullable=True),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_by", columns.BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["crm_company.id"], name=op.f("fk_crm_task_company_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contact.id"], name=op.f("fk_crm_task_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["crm_lead.id"], name=op.f("fk_crm_task_lead_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["opportunity_id"], ["crm_opportunity.id"], name=op.f("fk_crm_task_opportunity_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_task")),
        sa.UniqueConstraint("uid", name=op.f("uq_crm_task_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_crm_task_company_id",
        "crm_task",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_task_contact_id",
        "crm_task",
        ["contact_id"],
        unique=False,
        sqlite_where=sa.text("contact_id IS NOT NULL"),
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )
    op.create_index("ix_crm_task_created_at", "crm_task", ["created_at"], unique=False)
    op.create_index(
        "ix_crm_task_due_at",
        "crm_task",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_task_lead_id",
        "crm_task",
        ["lead_id"],
        unique=False,
        sqlite_where=sa.text("lead_id IS NOT NULL"),
        postgresql_where=sa.text("lead_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crm_task_opportunity_id",
        "crm_task",
        ["opportunity_id"],
        unique=False,
        sqlite_where=sa.text("opportunity_id IS NOT NULL"),
        postgresql_where=sa.text("opportunity_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_crm_task_owner_id"), "crm_task", ["owner_id"], unique=False)
    op.create_index(
        "ix_crm_task_status", "crm_task", ["status"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_task_team_id"), "crm_task", ["team_id"], unique=False)
    op.create_index(
        "ix_crm_task_title_key", "crm_task", ["title_key"], unique=False, sqlite_where=None, postgresql_where=None
    )
    op.create_index(op.f("ix_crm_task_updated_at"), "crm_task", ["updated_at"], unique=False)


def downgrade() -> None:
    op.drop_table("crm_task")
    op.drop_table("crm_opportunity_stage_visit")
    op.drop_table("crm_opportunity_participant")
    op.drop_table("crm_note")
    op.drop_table("crm_opportunity")
    op.drop_table("crm_stage_task")
    op.drop_table("crm_lead")
    op.drop_table("crm_contact_phone")
    op.drop_table("crm_contact_link")
    op.drop_table("crm_contact_email")
    op.drop_table("crm_contact_company")
    op.drop_table("crm_contact_address")
    op.drop_table("crm_stage")
    op.drop_table("crm_pipeline_team")
    op.drop_table("crm_contact")
    op.drop_table("crm_company_phone")
    op.drop_table("crm_company_link")
    op.drop_table("crm_company_email")
    op.drop_table("crm_company_address")
    op.drop_table("crm_pipeline")
    op.drop_table("crm_company")
