"""Visits of companies"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "visits_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visits_company_ext",
        sa.Column("last_visit", sa.Date(), nullable=True),
        sa.Column("visit_every", columns.BigId, nullable=True),
        sa.Column("id", columns.BigId, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["crm_company.id"], name=op.f("fk_visits_company_ext_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits_company_ext")),
    )
    op.create_index(
        "ix_visits_company_ext_last_visit",
        "visits_company_ext",
        ["last_visit"],
        unique=False,
        sqlite_where=sa.text("last_visit IS NOT NULL"),
        postgresql_where=sa.text("last_visit IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("visits_company_ext")
