"""Inspections of machines"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "inspections_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inspections_inspection",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("machine_id", columns.BigId, nullable=False),
        sa.Column("signature", sa.String(length=200), nullable=True),
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
            ["machine_id"],
            ["equipment_machine.id"],
            name=op.f("fk_inspections_inspection_machine_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections_inspection")),
        sa.UniqueConstraint("uid", name=op.f("uq_inspections_inspection_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_inspections_inspection_machine_id",
        "inspections_inspection",
        ["machine_id"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        "ix_inspections_inspection_open",
        "inspections_inspection",
        ["visibility"],
        unique=False,
        sqlite_where=sa.text("visibility != 'private'"),
        postgresql_where=sa.text("visibility != 'private'"),
    )
    op.create_index(op.f("ix_inspections_inspection_owner_id"), "inspections_inspection", ["owner_id"], unique=False)
    op.create_index(op.f("ix_inspections_inspection_team_id"), "inspections_inspection", ["team_id"], unique=False)
    op.create_index(
        "ix_inspections_inspection_title_key",
        "inspections_inspection",
        ["title_key"],
        unique=False,
        sqlite_where=None,
        postgresql_where=None,
    )
    op.create_index(
        op.f("ix_inspections_inspection_updated_at"), "inspections_inspection", ["updated_at"], unique=False
    )
    op.create_table(
        "inspections_machine_ext",
        sa.Column("inspected_on", sa.Date(), nullable=True),
        sa.Column("place", sa.String(length=80), nullable=True),
        sa.Column("certificate", sa.Uuid(), nullable=True),
        sa.Column("risk", sa.String(length=60), nullable=True),
        sa.Column("id", columns.BigId, autoincrement=False, nullable=False),
        sa.Column(
            "place_key",
            sa.String(length=240).with_variant(sa.String(length=240, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["equipment_machine.id"], name=op.f("fk_inspections_machine_ext_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections_machine_ext")),
    )
    op.create_index(
        "ix_inspections_machine_ext_inspected_on",
        "inspections_machine_ext",
        ["inspected_on"],
        unique=False,
        sqlite_where=sa.text("inspected_on IS NOT NULL"),
        postgresql_where=sa.text("inspected_on IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("inspections_machine_ext")
    op.drop_table("inspections_inspection")
