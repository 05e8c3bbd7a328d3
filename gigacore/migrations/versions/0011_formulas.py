"""Formulas of custom fields"""

import sqlalchemy as sa
from alembic import op

revision = "core_0011"
down_revision = "core_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("core_custom_field", sa.Column("formula", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("core_custom_field", "formula")
