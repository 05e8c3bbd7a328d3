"""Indexes that tell who sees a record, and filtered lists in the order of names"""

import sqlalchemy as sa
from alembic import op

revision = "crm_0005"
down_revision = "crm_0004"
branch_labels = None
depends_on = None

SIGHT = ("id", "owner_id", "team_id", "visibility")
OPEN = sa.text("visibility != 'private'")
WIDENED = {
    "crm_company": (("created_at",),),
    "crm_contact": (("created_at",),),
    "crm_lead": (("created_at",), ("status", "created_at")),
    "crm_note": (),
    "crm_opportunity": (("created_at",), ("stage_id", "created_at")),
    "crm_task": (("created_at",), ("status", "due_at")),
}
BY_NAME = {
    "crm_company": ("city_key", "name_key"),
    "crm_contact": ("city_key", "name_key"),
    "crm_lead": ("city_key", "last_name_key"),
}


def upgrade() -> None:
    for table, declared in WIDENED.items():
        for columns in declared:
            op.drop_index(_name(table, columns), table_name=table)
            op.create_index(_name(table, columns), table, [*columns, *SIGHT], unique=False)
        op.create_index(
            f"ix_{table}_open", table, ["visibility"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN
        )
    for table, columns in BY_NAME.items():
        op.create_index(_name(table, columns), table, [*columns, *SIGHT], unique=False)


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def downgrade() -> None:
    for table, columns in BY_NAME.items():
        op.drop_index(_name(table, columns), table_name=table)
    for table, declared in WIDENED.items():
        op.drop_index(f"ix_{table}_open", table_name=table)
        for columns in declared:
            op.drop_index(_name(table, columns), table_name=table)
            op.create_index(_name(table, columns), table, list(columns), unique=False)
