"""The generation of the registry: a number that changes whenever fields, choices or plugins changed."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, insert, select, update

from gigacore.data.tables import core_state

_KEY: Final = "generation"
_BUMPED: Final = "giga_generation_bumped"


def read_generation(connection: Connection) -> int:
    """The present generation; 0 before the database is seeded."""
    return int(connection.scalar(select(core_state.c.value).where(core_state.c.key == _KEY)) or 0)


def bump_generation(connection: Connection) -> int:
    """Make every process read fields and choices anew once this transaction commits. Returns the new generation."""
    # Random, not counted: a counter would give the same value to a rolled back change and to the next one.
    value = secrets.randbelow(2**31 - 1) + 1
    changed = connection.execute(update(core_state).where(core_state.c.key == _KEY).values(value=str(value)))
    if not changed.rowcount:
        connection.execute(insert(core_state).values(key=_KEY, value=str(value)))
    connection.info[_BUMPED] = True
    return value


def take_bump(connection: Connection) -> bool:
    """Whether the generation was bumped on this connection since the last question."""
    return bool(connection.info.pop(_BUMPED, False))
