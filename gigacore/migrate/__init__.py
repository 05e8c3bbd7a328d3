"""Migrations: one Alembic history per plugin, one transaction per operation, on SQLite and PostgreSQL.

Alembic is loaded when a schema is changed or compared, not when the application starts.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from gigacore.migrate.history import History, State, current, state, states

if TYPE_CHECKING:
    from gigacore.migrate.comparison import check
    from gigacore.migrate.operations import downgrade, operation, upgrade
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

_HOMES: Final = MappingProxyType(
    {
        "check": "gigacore.migrate.comparison",
        "downgrade": "gigacore.migrate.operations",
        "operation": "gigacore.migrate.operations",
        "upgrade": "gigacore.migrate.operations",
        "write_revision": "gigacore.migrate.revision",
    }
)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
