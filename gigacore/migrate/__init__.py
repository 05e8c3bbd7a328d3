"""Migrations: one Alembic history per plugin, one transaction per operation, on SQLite and PostgreSQL."""

from gigacore.migrate.comparison import check
from gigacore.migrate.history import History, State, current, state, states
from gigacore.migrate.operation import downgrade, operation, upgrade
from gigacore.migrate.revision import write_revision

__all__ = [
    "History",
    "State",
    "check",
    "current",
    "downgrade",
    "operation",
    "state",
    "states",
    "upgrade",
    "write_revision",
]
