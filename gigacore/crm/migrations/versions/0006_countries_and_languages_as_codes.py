"""Countries and languages that have a known name are kept as their codes; other texts stay"""

import sqlalchemy as sa
from alembic import op

from gigacore.entity.folding import folded_key
from gigacore.entity.vocabularies import COUNTRIES, LANGUAGES, code_of

revision = "crm_0006"
down_revision = "crm_0005"
branch_labels = None
depends_on = None

PLACES = (
    ("crm_company", "country", True), ("crm_contact", "country", True), ("crm_lead", "country", True),
    ("crm_company_address", "country", False), ("crm_contact_address", "country", False),
    ("crm_company", "language", False), ("crm_contact", "language", False),
)  # fmt: skip


def upgrade() -> None:
    for table, column, keyed in PLACES:
        _convert(table, column, COUNTRIES if column == "country" else LANGUAGES, keyed)


def _convert(table: str, column: str, vocabulary: str, keyed: bool) -> None:
    named = sa.table(table, sa.column(column, sa.String), sa.column(f"{column}_key", sa.String))
    value, connection = named.c[column], op.get_bind()
    for (text,) in connection.execute(sa.select(value).where(value.is_not(None)).distinct()).all():
        code = code_of(vocabulary, text)
        if code != text:
            values = {column: code, **({f"{column}_key": folded_key(code)} if keyed else {})}
            connection.execute(named.update().where(value == text).values(**values))


def downgrade() -> None:
    pass
