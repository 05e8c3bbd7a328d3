"""The folding function of PostgreSQL, and the triggers that keep the audit append-only."""

from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None

FOLD = r"""
CREATE OR REPLACE FUNCTION giga_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT replace(lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g')), U&'\03c2', U&'\03c3') $$
"""
REFUSE = """
CREATE OR REPLACE FUNCTION giga_append_only() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""
ERASED = "NEW.audit_id = OLD.audit_id AND NEW.salt IS NULL AND NEW.body IS NULL"
TRIGGERS = (
    ("core_audit", "UPDATE", ""),
    ("core_audit", "DELETE", ""),
    ("core_audit_seal", "UPDATE", ""),
    ("core_audit_seal", "DELETE", ""),
    ("core_audit_value", "UPDATE", f"NOT ({ERASED})"),
    ("core_audit_value", "DELETE", ""),
)


def upgrade() -> None:
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.exec_driver_sql(FOLD)
        connection.exec_driver_sql(REFUSE.replace("%", "%%"))
    for table, operation, when in TRIGGERS:
        make = on_postgresql if postgresql else on_sqlite
        connection.exec_driver_sql(make(table, operation, when))


def downgrade() -> None:
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    for table, operation, _ in TRIGGERS:
        target = f" ON {table}" if postgresql else ""
        connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{operation.lower()}{target}")
    if postgresql:
        connection.exec_driver_sql("DROP FUNCTION giga_append_only()")
        connection.exec_driver_sql("DROP FUNCTION giga_fold(text)")


def on_sqlite(table: str, operation: str, when: str) -> str:
    condition = f" WHEN {when}" if when else ""
    return (
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table}{condition} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are append-only'); END"
    )


def on_postgresql(table: str, operation: str, when: str) -> str:
    condition = f" WHEN ({when})" if when else ""
    return (
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
        f"FOR EACH ROW{condition} EXECUTE FUNCTION giga_append_only()"
    )
