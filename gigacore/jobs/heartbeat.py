"""Signs of life of the workers, for monitors: one row of `core_state` per worker process."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_state

EVERY: Final = timedelta(seconds=15)
FORGOTTEN: Final = timedelta(days=1)
PREFIX: Final = "worker:"
S: Final = core_state.c


def is_due(last: datetime | None, now: datetime) -> bool:
    """Whether a worker that showed itself at `last` must do so again; a clock that was set back counts, too."""
    return last is None or abs(now - last) >= EVERY


def beat(connection: sa.Connection, worker: str, now: datetime) -> None:
    """Notes that the worker lives, and forgets those that have not been seen for a day."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = make(core_state).values(key=PREFIX + worker, value=now.isoformat())
    connection.execute(row.on_conflict_do_update(index_elements=[S.key], set_={"value": row.excluded.value}))
    old = sa.and_(S.key.startswith(PREFIX), S.value < (now - FORGOTTEN).isoformat())
    connection.execute(sa.delete(core_state).where(old))


def newest(connection: sa.Connection) -> datetime | None:
    """When any worker was last seen."""
    found = connection.execute(sa.select(sa.func.max(S.value)).where(S.key.startswith(PREFIX))).scalar()
    return None if found is None else datetime.fromisoformat(found)
