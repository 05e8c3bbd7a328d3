"""Indexes of custom fields are made anew, with what tells who sees a record"""

import re

import sqlalchemy as sa
from alembic import op

revision = "core_0014"
down_revision = "core_0013"
branch_labels = None
depends_on = None

OF_A_FIELD = re.compile(r"cf_[0-9a-f]{8}_x_[a-z0-9_]{1,42}", re.ASCII)
NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
}


def upgrade() -> None:
    _drop()


def downgrade() -> None:
    _drop()


def _drop() -> None:
    """Whoever upgrades makes the indexes that are missing, once all tables are as they should be."""
    connection = op.get_bind()
    for name in connection.scalars(sa.text(NAMES[connection.dialect.name])).all():
        if OF_A_FIELD.fullmatch(name):
            op.drop_index(name)
