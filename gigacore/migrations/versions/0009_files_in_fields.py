"""Files in fields"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0009"
down_revision = "core_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_file_use",
        sa.Column("id", columns.BigId, nullable=False),
        sa.Column("file_id", columns.BigId, nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("record_id", columns.BigId, nullable=False),
        sa.Column("field", sa.String(length=160), nullable=False),
        sa.Column("former_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["core_file.id"], name=op.f("fk_core_file_use_file_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_file_use")),
        sa.UniqueConstraint(
            "entity", "record_id", "field", "file_id", name=op.f("uq_core_file_use_entity_record_id_field_file_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_core_file_use_file_id"), "core_file_use", ["file_id"], unique=False)
    op.add_column("core_file", sa.Column("purpose", sa.String(length=160), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("core_file", "purpose")
    op.drop_table("core_file_use")
