"""Signs of life of workers and servers, for monitors and restores: one row of `core_state` per process."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_state

EVERY: Final = timedelta(seconds=15)
FORGOTTEN: Final = timedelta(days=1)
ALIVE: Final = 3 * EVERY
PREFIX: Final = "worker:"
SERVER: Final = "server:"
S: Final = core_state.c


def own_name() -> str:
    """The name of this process: its machine and its number there."""
    return f"{_machine()}:{os.getpid()}"


def _machine() -> str:
    return socket.gethostname()[:30]


def is_due(last: datetime | None, now: datetime) -> bool:
    """Whether a worker that showed itself at `last` must do so again; a clock that was set back counts, too."""
    return last is None or abs(now - last) >= EVERY


def beat(connection: sa.Connection, process: str, now: datetime, kind: str = PREFIX) -> None:
    """Notes that a worker (or a server) lives, and forgets those that have not been seen for a day."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = make(core_state).values(key=kind + process, value=now.isoformat())
    connection.execute(row.on_conflict_do_update(index_elements=[S.key], set_={"value": row.excluded.value}))
    old = sa.and_(_shown(), S.value < (now - FORGOTTEN).isoformat())
    connection.execute(sa.delete(core_state).where(old))


def leave(connection: sa.Connection, process: str) -> None:
    """Notes that the process works no more."""
    connection.execute(sa.delete(core_state).where(S.key.in_([PREFIX + process, SERVER + process])))


def forget_all(connection: sa.Connection) -> None:
    """Drops every sign of life: the rows are those of another time."""
    connection.execute(sa.delete(core_state).where(_shown()))


def others(connection: sa.Connection, now: datetime) -> list[str]:
    """The processes besides this one that showed themselves in the last 45 seconds and did not end since."""
    rows = connection.execute(sa.select(S.key, S.value).where(_shown()))
    seen = {key.partition(":")[2] for key, value in rows if abs(now - datetime.fromisoformat(value)) < ALIVE}
    return sorted(name for name in seen if name != own_name() and not _has_ended(name))


def _shown() -> sa.ColumnElement[bool]:
    return sa.or_(S.key.startswith(PREFIX), S.key.startswith(SERVER))


def _has_ended(process: str) -> bool:
    """Whether a process of this machine is no more; of others nobody knows."""
    machine, _, number = process.rpartition(":")
    if machine != _machine() or os.name == "nt":  # there the question would end it
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def newest(connection: sa.Connection) -> datetime | None:
    """When any worker was last seen."""
    found = connection.execute(sa.select(sa.func.max(S.value)).where(S.key.startswith(PREFIX))).scalar()
    return None if found is None else datetime.fromisoformat(found)
