"""Files and the records they hang on: whoever may see a record reads its files, whoever may edit it adds some."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore import access
from gigacore.errors import NotFound
from gigacore.files.mime import sniff
from gigacore.files.names import clean_name
from gigacore.files.tables import core_attachment, core_file, core_file_use
from gigacore.ids import uuid7
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity
    from gigacore.files.storage import Storage, Stored

F: Final = core_file.c
A: Final = core_attachment.c
U: Final = core_file_use.c
ORPHAN_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is known to the database; `object_id` is where the storage keeps it.

    `purpose` is the field that it was uploaded for (`crm.contact.photo`), empty for others.
    """

    id: int
    uid: UUID
    object_id: str
    name: str
    mime: str
    size: int
    sha256: str
    created_at: datetime
    created_by: int | None
    purpose: str = ""


FILE_COLUMNS: Final = tuple(F[name] for name in StoredFile.__slots__)


def register(ctx: Context, stored: Stored, name: str, *, plugin: str = "core", purpose: str = "") -> StoredFile:
    """Makes a stored object known, in the caller's transaction; the upload was complete before it began.

    The type is found from the first bytes. Until it hangs on a record only its creator may read the file. One that
    was uploaded on `purpose` for a field and never got there is removed after a day.
    """
    cleaned = clean_name(name)
    values: dict[str, Any] = {
        "uid": uuid7(),
        "org_id": ctx.actor.org_id,
        "object_id": stored.object_id,
        "name": cleaned,
        "mime": sniff(stored.head, cleaned),
        "size": stored.size,
        "sha256": stored.sha256,
        "plugin": plugin,
        "purpose": purpose,
        "created_at": ctx.now,
        "created_by": ctx.actor.user_id,
    }
    row = ctx.session.connection().execute(sa.insert(core_file).values(**values).returning(*FILE_COLUMNS)).one()
    return StoredFile(*row)


def attach(ctx: Context, file: UUID, entity: str, record_id: int, *, kind: str = "file") -> StoredFile:
    """Adds a file to a record that the actor may edit. Raises NotFound for what is hidden, Forbidden without the right.

    Attaching needs the right to read the file, so a number that was guessed gives nothing away.
    """
    found = get(ctx, file)
    access.require(ctx, "edit", entity, load(ctx, entity, record_id))
    connection = ctx.session.connection()
    here = sa.and_(A.entity == entity, A.record_id == record_id)
    last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(A.position), -1)).where(here)).scalar_one()
    known = connection.execute(sa.select(A.id).where(here, A.file_id == found.id)).first()
    if known is None:
        values = {"file_id": found.id, "entity": entity, "record_id": record_id, "kind": kind, "position": last + 1}
        stamp = {"created_at": ctx.now, "created_by": ctx.actor.user_id}
        connection.execute(sa.insert(core_attachment).values(**values, **stamp))
    return found


def detach(ctx: Context, file: UUID, entity: str, record_id: int) -> None:
    """Takes a file off a record that the actor may edit; a file that hangs nowhere any more is removed.

    Raises NotFound, Forbidden.
    """
    found = get(ctx, file)
    access.require(ctx, "edit", entity, load(ctx, entity, record_id))
    connection = ctx.session.connection()
    here = sa.and_(A.entity == entity, A.record_id == record_id, A.file_id == found.id)
    if connection.execute(sa.delete(core_attachment).where(here)).rowcount != 1:
        raise NotFound
    connection.execute(sa.delete(core_file).where(F.id == found.id, unused()))


def unused() -> sa.ColumnElement[bool]:
    """Whether a file hangs on no record and stands in no field, nor did until lately."""
    attached = sa.exists().where(A.file_id == F.id).correlate(core_file)
    in_field = sa.exists().where(U.file_id == F.id).correlate(core_file)
    return sa.and_(~attached, ~in_field)


def of_record(ctx: Context, entity: str, record_id: int) -> Sequence[StoredFile]:
    """The files of a record that the actor may see, in their order. Raises NotFound."""
    access.require(ctx, "view", entity, load(ctx, entity, record_id))
    here = sa.and_(A.entity == entity, A.record_id == record_id, A.file_id == F.id)
    rows = ctx.session.connection().execute(sa.select(*FILE_COLUMNS).where(here).order_by(A.position, A.id))
    return [StoredFile(*row) for row in rows]


def get(ctx: Context, uid: UUID) -> StoredFile:
    """A file of any record the actor may see, or that the actor uploaded. Raises NotFound otherwise.

    One that stands in a field of a record is for those who may read that field.
    """
    connection = ctx.session.connection()
    row = connection.execute(sa.select(*FILE_COLUMNS).where(F.uid == uid)).one_or_none()
    if row is None:
        raise NotFound
    found = StoredFile(*row)
    if not may_read(ctx, found, _links(connection, found.id)):
        raise NotFound
    return found


def _links(connection: sa.Connection, file_id: int) -> list[tuple[str, int, str]]:
    attached = sa.select(A.entity, A.record_id, sa.literal("")).where(A.file_id == file_id)
    in_fields = sa.select(U.entity, U.record_id, U.field).where(U.file_id == file_id)
    return [(entity, number, field) for entity, number, field in connection.execute(attached.union_all(in_fields))]


def may_read(ctx: Context, file: StoredFile, links: Sequence[tuple[str, int, str]]) -> bool:
    """Whether the actor may read a file that hangs on these records, in these fields (empty = on the whole record)."""
    if ctx.actor.is_system or any(visible(ctx, entity, number, field) for entity, number, field in links):
        return True
    return not links and file.created_by is not None and file.created_by == ctx.actor.user_id


def visible(ctx: Context, entity: str, record_id: int, field: str = "") -> bool:
    """Whether the actor sees the record, and the field if one is named; what an absent plugin has is seen by nobody."""
    spec = ctx.session.registry.entities.get(entity)
    if spec is None or not access.may(ctx, "view", entity):
        return False
    if field and not access.may_read(ctx, spec, field):
        return False
    return ctx.session.get(spec.cls, record_id) is not None


def load(ctx: Context, entity: str, record_id: int) -> Entity:
    """The record. Raises NotFound when it is unknown or hidden."""
    record: Entity | None = ctx.session.get(ctx.session.registry.entity(entity).cls, record_id)
    if record is None:
        raise NotFound(sought=(entity, record_id))
    return record


def sweep(connection: sa.Connection, storage: Storage, *, older_than: float = ORPHAN_SECONDS) -> int:
    """Removes objects that no row knows, older than that many seconds (uploads in progress are younger).

    Returns how many objects were removed.
    """
    old = [object_id for object_id, age in storage.objects() if age > older_than]
    removed = 0
    for start in range(0, len(old), 500):
        chunk = old[start : start + 500]
        known = set(connection.execute(sa.select(F.object_id).where(F.object_id.in_(chunk))).scalars())
        for object_id in chunk:
            if object_id not in known:
                storage.delete(object_id)
                removed += 1
    return removed
