"""Photo and logo"""

import sqlalchemy as sa
from alembic import op

revision = "crm_0003"
down_revision = "crm_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crm_contact", sa.Column("photo", sa.Uuid(), nullable=True))
    op.add_column("crm_company", sa.Column("logo", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("crm_company", "logo")
    op.drop_column("crm_contact", "photo")
