"""Which records hold which files in their fields, kept beside every write: it decides who reads a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, insert, select, update

from gigacore.data.changes import Change
from gigacore.entity.base import metadata
from gigacore.errors import Invalid
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession


def settle(session: ActorSession, changes: Iterable[Change]) -> None:
    """Notes the files that these records hold from now on; those they held until now keep for thirty days.

    A deleted record keeps its files as long as it lies in the trash. Raises Invalid for a file that is not there.
    """
    for change in changes:
        if change.plan.files and change.verb != "deleted":
            for name in change.plan.files & change.names():
                _settle(session, change, name)


def _settle(session: ActorSession, change: Change, name: str) -> None:
    uses, connection = metadata.tables["core_file_use"], session.connection()
    here = and_(
        uses.c.entity == change.plan.spec.name, uses.c.record_id == change.record.id, uses.c.field == name
    )  # fmt: skip
    if change.verb != "created":
        connection.execute(update(uses).where(here, uses.c.former_at.is_(None)).values(former_at=session.context.now))
    uid = _value(change, name)
    if uid is None:
        return
    file = _number(session, uid, name)
    again = update(uses).where(here, uses.c.file_id == file).values(former_at=None)
    if connection.execute(again).rowcount == 0:
        row = {"file_id": file, "entity": change.plan.spec.name, "record_id": change.record.id, "field": name}
        connection.execute(insert(uses).values(**row))


def _value(change: Change, name: str) -> UUID | None:
    value: Any = change.added[name][1] if name in change.added else change.plan.plan.read(change.record, name)
    return UUID(value) if isinstance(value, str) else value


def _number(session: ActorSession, uid: UUID, name: str) -> int:
    files = metadata.tables["core_file"].c
    number: int | None = session.connection().scalar(select(files.id).where(files.uid == uid))
    if number is None:
        raise Invalid.of(name, msg("There is no such file, or you may not read it."), "unknown_file")
    return number
