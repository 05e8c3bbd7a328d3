"""Reason for winning"""

import sqlalchemy as sa
from alembic import op

revision = "crm_0002"
down_revision = "crm_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crm_opportunity", sa.Column("won_reason", sa.String(length=60), nullable=True))


def downgrade() -> None:
    op.drop_column("crm_opportunity", "won_reason")
