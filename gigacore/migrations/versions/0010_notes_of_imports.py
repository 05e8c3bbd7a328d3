"""Notes of imports: values that were not taken over"""

import sqlalchemy as sa
from alembic import op

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("core_import", sa.Column("noted", sa.Integer(), server_default="0", nullable=False))
    op.add_column("core_import_error", sa.Column("refused", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    op.drop_column("core_import_error", "refused")
    op.drop_column("core_import", "noted")
