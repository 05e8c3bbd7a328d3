"""Numbers without gaps, for documents: one row per organisation, series and year, raised in the issuing transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_counter
from gigacore.errors import Misuse
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession


def next_number(session: ActorSession, series: str, year: int, *, org_id: int | None = None) -> int:
    """The next number of the series, from 1. Call it last: until the commit others wait for it.

    The number is used when the unit of work commits and free again when it rolls back. Raises Misuse in a reading.
    """
    if not session.writable:
        raise Misuse(msg("This session only reads."), fix=msg("Open a unit of work to write."))
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(core_counter).values(
        org_id=session.actor.org_id if org_id is None else org_id, series=series, year=year, value=1
    )
    raised = row.on_conflict_do_update(
        index_elements=["org_id", "series", "year"], set_={"value": core_counter.c.value + 1}
    )
    return int(connection.execute(raised.returning(core_counter.c.value)).scalar_one())
