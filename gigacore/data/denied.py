"""Attempts that were refused: what the audit keeps of them, and how much of it.

A record that is hidden answers like one that is not there, but who asked for it is kept like any other refusal.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, select

from gigacore.data.door import mark_scoped
from gigacore.data.journal import Entry
from gigacore.data.tables import core_audit
from gigacore.errors import Forbidden, NotFound
from gigacore.ids import uuid7_floor

if TYPE_CHECKING:
    from gigacore.context import Context

ENTITY: Final = "core.denied"
MOST_HIDDEN: Final = 100
WINDOW: Final = timedelta(hours=1)
_A: Final = core_audit.c


def entry_of(connection: Connection, ctx: Context, error: Forbidden | NotFound) -> Entry | None:
    """What to keep of a refusal; None when there was nothing to refuse, or enough of it was kept in this hour."""
    values: dict[str, object] = {"message": str(error.message), "source": ctx.source}
    if isinstance(error, NotFound):
        if error.sought is None or not _is_there(connection, ctx, *error.sought) or _is_enough(connection, ctx):
            return None
        values |= {"message": "hidden", "entity": error.sought[0], "record_id": error.sought[1]}
    return Entry(ENTITY, "denied", fields=["message"], values=values, event=False)


def _is_there(connection: Connection, ctx: Context, entity: str, record_id: int) -> bool:
    spec = ctx.session.registry.entities.get(entity)
    if spec is None:
        return False
    statement = select(spec.table.c.id).where(spec.table.c.id == record_id)
    return connection.execute(mark_scoped(statement)).first() is not None


def _is_enough(connection: Connection, ctx: Context) -> bool:
    """Whoever tries many numbers must not fill the audit with them."""
    lately = (_A.entity == ENTITY, _A.record_id.is_(None), _A.id > uuid7_floor(ctx.now - WINDOW))
    mine = select(_A.id).where(*lately, _A.actor_id == ctx.actor.user_id).limit(MOST_HIDDEN).subquery()
    return int(connection.scalar(select(func.count()).select_from(mine)) or 0) >= MOST_HIDDEN
