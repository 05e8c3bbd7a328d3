"""DDL beyond tables: the append-only triggers of audit and register and, on PostgreSQL, the folding function."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import DDL, event

from gigacore.data.tables import core_audit, core_audit_seal, core_audit_value, core_gone
from gigacore.entity.base import metadata

FOLD_POSTGRESQL: Final = r"""
CREATE OR REPLACE FUNCTION giga_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT replace(lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g')), U&'\03c2', U&'\03c3') $$
"""
_REFUSE_POSTGRESQL: Final = """
CREATE OR REPLACE FUNCTION giga_append_only() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""
_ERASED: Final = "NEW.audit_id = OLD.audit_id AND NEW.salt IS NULL AND NEW.body IS NULL"


def before_tables(dialect: str) -> list[str]:
    """What must stand before the core's tables are made, for a dialect's name."""
    return [FOLD_POSTGRESQL, _REFUSE_POSTGRESQL] if dialect == "postgresql" else []


def after_tables(dialect: str) -> list[str]:
    """The append-only triggers: audit rows, seals and the register never change; values only become NULL (erasure)."""
    make = _postgresql_trigger if dialect == "postgresql" else _sqlite_trigger
    return [
        make(core_audit.name, "UPDATE"),
        make(core_audit.name, "DELETE"),
        make(core_audit_seal.name, "UPDATE"),
        make(core_audit_seal.name, "DELETE"),
        make(core_audit_value.name, "UPDATE", f"NOT ({_ERASED})"),
        make(core_audit_value.name, "DELETE"),
        make(core_gone.name, "UPDATE"),
        make(core_gone.name, "DELETE"),
    ]


def _sqlite_trigger(table: str, operation: str, when: str = "") -> str:
    condition = f" WHEN {when}" if when else ""
    return (
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table}{condition} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are append-only'); END"
    )


def _postgresql_trigger(table: str, operation: str, when: str = "") -> str:
    condition = f" WHEN ({when})" if when else ""
    return (
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
        f"FOR EACH ROW{condition} EXECUTE FUNCTION giga_append_only()"
    )


def _ddl(statement: str, dialect: str) -> Any:
    return DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]


def _attach() -> None:
    for dialect in ("sqlite", "postgresql"):
        for statement in before_tables(dialect):
            event.listen(metadata, "before_create", _ddl(statement, dialect))
        triggers = iter(after_tables(dialect))
        for table in (core_audit, core_audit_seal, core_audit_value, core_gone):
            for _ in range(2):
                event.listen(table, "after_create", _ddl(next(triggers), dialect))


_attach()
