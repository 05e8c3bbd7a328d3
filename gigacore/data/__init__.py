"""Engine, actor sessions and the one write path with its audit and outbox."""

from gigacore.data import ddl, tables
from gigacore.data.database import Database, NoRights
from gigacore.data.door import mark_scoped
from gigacore.data.engine import check_engine, create_engine, prepare_engine
from gigacore.data.generation import bump_generation, read_generation
from gigacore.data.seed import seed
from gigacore.data.session import ActorSession, Guard, Hooks, NoHooks

__all__ = [
    "ActorSession",
    "Database",
    "Guard",
    "Hooks",
    "NoHooks",
    "NoRights",
    "bump_generation",
    "check_engine",
    "create_engine",
    "ddl",
    "mark_scoped",
    "prepare_engine",
    "read_generation",
    "seed",
    "tables",
]
