"""Table of machines"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "equipment_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "equipment_machine",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("serial_number", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("company_id", columns.BigId, nullable=True),
        sa.Column("service_due", sa.Date(), nullable=True),
        sa.Column("manual", sa.Uuid(), nullable=True),
        sa.Column("planned_for", sa.Date(), nullable=True),
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
            "serial_number_key",
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
            ["company_id"], ["crm_company.id"], name=op.f("fk_equipment_machine_company_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_machine")),
        sa.UniqueConstraint("uid", name=op.f("uq_equipment_machine_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_equipment_machine_company_id",
        "equipment_machine",
        ["company_id"],
        unique=False,
        sqlite_where=sa.text("company_id IS NOT NULL"),
        postgresql_where=sa.text("company_id IS NOT NULL"),
    )
    op.create_index(
        "ix_equipment_machine_name_key",
        "equipment_machine",
        ["name_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        "ix_equipment_machine_open",
        "equipment_machine",
        ["visibility"],
        unique=False,
        sqlite_where=sa.text("visibility != 'private'"),
        postgresql_where=sa.text("visibility != 'private'"),
    )
    op.create_index(op.f("ix_equipment_machine_owner_id"), "equipment_machine", ["owner_id"], unique=False)
    op.create_index(
        "ix_equipment_machine_serial_number_key",
        "equipment_machine",
        ["serial_number_key"],
        unique=True,
        sqlite_where=sa.text("serial_number_key IS NOT NULL"),
        postgresql_where=sa.text("serial_number_key IS NOT NULL"),
    )
    op.create_index(
        "ix_equipment_machine_service_due",
        "equipment_machine",
        ["service_due"],
        unique=False,
        sqlite_where=sa.text("service_due IS NOT NULL"),
        postgresql_where=sa.text("service_due IS NOT NULL"),
    )
    op.create_index(op.f("ix_equipment_machine_team_id"), "equipment_machine", ["team_id"], unique=False)
    op.create_index(op.f("ix_equipment_machine_updated_at"), "equipment_machine", ["updated_at"], unique=False)


def downgrade() -> None:
    op.drop_table("equipment_machine")
