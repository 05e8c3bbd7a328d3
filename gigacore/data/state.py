"""Small facts about the installation, by key."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_state

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
