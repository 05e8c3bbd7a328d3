"""Scores of leads"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "lead_scoring_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lead_scoring_lead_ext",
        sa.Column("score", columns.BigId, nullable=True),
        sa.Column("explanation", columns.JsonB(), nullable=True),
        sa.Column("scored_at", columns.UtcDateTime(), nullable=True),
        sa.Column("id", columns.BigId, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["crm_lead.id"], name=op.f("fk_lead_scoring_lead_ext_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_scoring_lead_ext")),
    )
    op.create_index(
        "ix_lead_scoring_lead_ext_score",
        "lead_scoring_lead_ext",
        ["score"],
        unique=False,
        sqlite_where=sa.text("score IS NOT NULL"),
        postgresql_where=sa.text("score IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("lead_scoring_lead_ext")
