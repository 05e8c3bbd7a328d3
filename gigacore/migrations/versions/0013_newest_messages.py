"""The newest message of a source about each record"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0013"
down_revision = "core_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_hook_newest",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("source_id", columns.BigId, nullable=False),
        sa.Column("record_key", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=60), nullable=False),
        sa.Column("message_id", columns.BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["core_hook_source.id"], name=op.f("fk_core_hook_newest_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_hook_newest")),
        sa.UniqueConstraint("source_id", "record_key", name="uq_core_hook_newest_record"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("core_hook_newest")
