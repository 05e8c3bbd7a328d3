"""Reasons of deliveries in the language of whoever reads them"""

import sqlalchemy as sa
from alembic import op

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _become(sa.Text())


def downgrade() -> None:
    _become(sa.String(length=200))


def _become(kind: sa.types.TypeEngine[str]) -> None:
    """Another type for the column, without building the table anew on SQLite."""
    op.add_column("core_hook_delivery", sa.Column("told", kind, nullable=True))
    op.execute("UPDATE core_hook_delivery SET told = substr(error, 1, 200)")
    op.drop_column("core_hook_delivery", "error")
    op.execute("ALTER TABLE core_hook_delivery RENAME COLUMN told TO error")
