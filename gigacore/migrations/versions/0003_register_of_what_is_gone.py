"""The append-only register of records that were purged, erased or merged."""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None

OPERATIONS = ("UPDATE", "DELETE")


def upgrade() -> None:
    op.create_table(
        "core_gone",
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(length=120), nullable=False),
        sa.Column("fate", sa.String(length=8), nullable=False),
        sa.Column("into_uid", sa.Uuid(), nullable=True),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("fate IN ('purged', 'erased', 'merged')", name=op.f("ck_core_gone_fate")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_core_gone")),
    )
    op.create_index("ix_core_gone_entity", "core_gone", ["entity"], unique=False)
    connection = op.get_bind()
    act = (
        "FOR EACH ROW EXECUTE FUNCTION giga_append_only()"
        if connection.dialect.name == "postgresql"
        else "BEGIN SELECT RAISE(ABORT, 'rows of core_gone are append-only'); END"
    )
    for operation in OPERATIONS:
        connection.exec_driver_sql(
            f"CREATE TRIGGER core_gone_no_{operation.lower()} BEFORE {operation} ON core_gone {act}"
        )


def downgrade() -> None:
    op.drop_table("core_gone")
