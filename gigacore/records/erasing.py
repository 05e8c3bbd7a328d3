"""Removing records for good: what was erased or purged is entered in the register, and no restore brings it back."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore import access
from gigacore.data import audit, gone, trash
from gigacore.data.gone import Gone
from gigacore.data.journal import Entry
from gigacore.data.tables import core_trash
from gigacore.errors import NotFound
from gigacore.ids import uuid7
from gigacore.jobs import enqueue
from gigacore.records import belongings, traces
from gigacore.records.obstacles import refuse_if_idle_holds
from gigacore.records.write import delete

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.trash"
REGISTER: Final = "core.export_gone"
BATCH: Final = 500
_T: Final = core_trash.c


def erase(ctx: Context, entity: str, record_id: int, *, version: int | None = None) -> None:
    """Delete a record for good: past the trash, with its files, links, mails, messages, history and recorded values.

    The audit keeps that it was there and who erased it. Takes the right to delete it and the right to edit the trash.
    Raises InTheWay when others hold it, rows of plugins that do not run among them, and as `delete`; undo is none.
    """
    access.require(ctx, "edit", TOOL)
    session, group = ctx.session, uuid7()
    refuse_if_idle_holds(ctx, session.registry.entity(entity), record_id, "erase")
    before = session.info.get(trash.GROUP)
    session.info[trash.GROUP] = group
    try:
        delete(ctx, entity, record_id, version=version)
    finally:
        session.info.pop(trash.GROUP) if before is None else session.info.update({trash.GROUP: before})
    _finish(ctx, _T.group_uid == group)


def erase_trashed(ctx: Context, trash_id: int) -> None:
    """Erase what lies in the trash, with what was deleted with it. Raises NotFound, and Forbidden as `erase`."""
    access.require(ctx, "edit", TOOL)
    group: UUID | None = ctx.session.connection().scalar(sa.select(_T.group_uid).where(_T.id == trash_id))
    if group is None or trash_id not in {one.id for one in trash.listing(ctx, limit=10_000)}:
        raise NotFound
    _finish(ctx, _T.id == trash_id)


def _finish(ctx: Context, which: sa.ColumnElement[bool]) -> None:
    connection = ctx.session.connection()
    found = connection.execute(sa.select(_T.entity, _T.record_id, _T.record_uid, _T.body).where(which)).all()
    gone.add(connection, (Gone(row.record_uid, row.entity, "erased", None, ctx.now) for row in found))
    connection.execute(sa.delete(core_trash).where(which))
    for row in found:
        belongings.remove(connection, row.entity, [row.record_id])
        with ctx.session.door.opened():
            traces.remove(connection, ctx.session.registry, row.entity, row.record_id, bytes(row.body))
        audit.erase_values(connection, row.entity, row.record_id)
    entries = [Entry(row.entity, "erased", row.record_id, row.record_uid) for row in found]
    ctx.session.journal.write(connection, ctx, entries)
    enqueue(ctx, REGISTER, unique_key=REGISTER, system="keep it")


def purge(connection: sa.Connection, now: datetime) -> int:
    """Forget for good what has lain in the trash for thirty days, with files, links and history."""
    due = sa.select(_T.entity, _T.record_id).where(_T.purge_at < now).order_by(_T.entity, _T.record_id)
    for entity, rows in groupby(connection.execute(due).all(), lambda row: row.entity):
        ids = [row.record_id for row in rows]
        for start in range(0, len(ids), BATCH):
            belongings.remove(connection, entity, ids[start : start + BATCH])
    return trash.purge(connection, now)
