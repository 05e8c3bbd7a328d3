"""Names of pipelines and stages by language, their colours, and indexes for boards"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity import columns, fold

revision = "crm_0004"
down_revision = "crm_0003"
branch_labels = None
depends_on = None

NAMES = {
    "crm_pipeline": {"Sales": "Ventes"},
    "crm_stage": {
        "Prospect": "Prospect", "Qualified": "Qualifié", "Proposal": "Proposition", "Negotiation": "Négociation",
        "Won": "Gagné", "Lost": "Perdu",
    },
}  # fmt: skip
COLOURS = {"open": "blue", "won": "green", "lost": "grey"}
BOARDS = {
    "crm_lead": ("status", "created_at"),
    "crm_opportunity": ("stage_id", "created_at"),
    "crm_task": ("status", "due_at"),
}


def upgrade() -> None:
    for table, names in NAMES.items():
        op.add_column(table, sa.Column("labels", columns.JsonB(), nullable=True))
        op.add_column(table, sa.Column("known_as", sa.String(length=1000), nullable=True))
        op.add_column(table, sa.Column("known_as_key", columns.KeyText(), nullable=True))
        _name(table, names)
    stage = sa.table("crm_stage", sa.column("kind", sa.String), sa.column("colour", sa.String))
    for kind, colour in COLOURS.items():
        op.execute(stage.update().where(stage.c.kind == kind, stage.c.colour.is_(None)).values(colour=colour))
    for table, on in BOARDS.items():
        op.create_index(f"ix_{table}_{'_'.join(on)}", table, list(on), unique=False)


def _name(table: str, names: dict[str, str]) -> None:
    """Translate the names that an installation begins with, and note all names for searches."""
    named = sa.table(
        table, sa.column("id", sa.BigInteger), sa.column("name", sa.String), sa.column("labels", columns.JsonB()),
        sa.column("known_as", sa.String), sa.column("known_as_key", sa.String),
    )  # fmt: skip
    connection = op.get_bind()
    for number, name in connection.execute(sa.select(named.c.id, named.c.name)).all():
        labels = {"fr": names[name]} if name in names else None
        known = " ".join(dict.fromkeys([name, *(labels or {}).values()]))
        values = {"labels": labels, "known_as": known, "known_as_key": fold(known)}
        connection.execute(named.update().where(named.c.id == number).values(**values))


def downgrade() -> None:
    for table, on in BOARDS.items():
        op.drop_index(f"ix_{table}_{'_'.join(on)}", table_name=table)
    for table in NAMES:
        for column in ("known_as_key", "known_as", "labels"):
            op.drop_column(table, column)
