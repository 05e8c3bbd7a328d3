"""Small facts about the installation, above all the generation of its declarations."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Integer, String, bindparam, cast, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_state

GENERATION: Final = "generation"
_K: Final = core_state.c
_FIND: Final = select(_K.value).where(_K.key == bindparam("name"))


def get_state(connection: Connection, key: str) -> str | None:
    """The value under a key."""
    return connection.scalar(_FIND, {"name": key})


def set_state(connection: Connection, key: str, value: str) -> None:
    """Keep a value under a key."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(core_state).values(key=key, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def generation(connection: Connection) -> int:
    """The number that rises with every change of custom fields, choice lists and layouts."""
    return int(get_state(connection, GENERATION) or 0)


def raise_generation(connection: Connection) -> int:
    """Make every process read the declarations anew. Gives the new number."""
    raised = cast(cast(_K.value, Integer) + 1, String)
    statement = update(core_state).where(_K.key == GENERATION).values(value=raised).returning(_K.value)
    value = connection.scalar(statement)
    if value is None:
        set_state(connection, GENERATION, "1")
    return int(value or 1)
