"""Files in fields of records: uploaded for a field, looked up by uid, and removed when they stand nowhere any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from gigacore import access
from gigacore.errors import FieldError, Forbidden, GigaError, NotFound
from gigacore.files import pictures
from gigacore.files.service import F, U, get, register, unused
from gigacore.files.storage import DEFAULT_LIMIT
from gigacore.files.tables import core_file, core_file_use
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.entity import EntitySpec, FieldSpec
    from gigacore.files.service import StoredFile
    from gigacore.files.storage import Storage

KEPT: Final = timedelta(days=30)
PENDING: Final = timedelta(days=1)


class House(Protocol):
    """Where files are stored and made known: a `Crm`."""

    @property
    def storage(self) -> Storage:
        """Where the bytes are."""

    def unit_of_work(self, actor: Actor) -> AbstractContextManager[Context]:
        """One transaction."""


def purpose_of(field: FieldSpec) -> str:
    """What a file uploaded for a field is noted with."""
    return f"{field.entity}.{field.name}"


def upload(house: House, actor: Actor, field: FieldSpec, stream: BinaryIO, name: str, source: str = "") -> StoredFile:
    """Store a file for a field, to be named by its uid in a record's input within a day; a unit of work of its own.

    A field of pictures takes it as `pictures.prepared` gives it. Raises TooLarge, Invalid, and Forbidden when the actor
    may not write the field; then nothing is kept.
    """
    if field.image is not None:
        stream, name = pictures.prepared(stream, name, field.image)
    stored = house.storage.write_stream(stream, limit=DEFAULT_LIMIT)
    try:
        with house.unit_of_work(actor) as ctx:
            ctx.source = source or ctx.source
            if not access.may_write(ctx, ctx.session.registry.entity(field.entity), field):
                raise Forbidden(msg("You may not change {fields}.", fields=msg(field.label)))
            return register(ctx, stored, name, purpose=purpose_of(field))
    except GigaError:
        house.storage.delete(stored.object_id)
        raise


def check(ctx: Context, spec: EntitySpec, values: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the files among a record's input: unknown, out of sight, or no picture that was checked."""
    errors = []
    for name, uid in named(ctx.session.plans.entities[spec.cls].files, spec, values):
        try:
            found = get(ctx, uid)
        except NotFound:
            errors.append(FieldError(name, msg("There is no such file, or you may not read it."), "unknown_file"))
            continue
        if spec.fields[name].image is not None and found.purpose != purpose_of(spec.fields[name]):
            errors.append(FieldError(name, msg("Upload the picture for this field first."), "unknown_file"))
    return errors


def named(files: Iterable[str], spec: EntitySpec, values: Mapping[str, Any]) -> list[tuple[str, UUID]]:
    """The files that a record's input names, by field."""
    found = []
    for name in files:
        plugin, _, own = name.rpartition(".")
        holder = values.get(plugin) or {} if spec.fields[name].extension else values
        if (uid := holder.get(own)) is not None:
            found.append((name, uid))
    return found


def described(connection: sa.Connection, uids: Iterable[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    """What is known of these files, in one statement, none for no uids. Whoever calls may read the fields.

    A file that is no longer known has no name.
    """
    wanted = sorted(set(uids))
    if not wanted:
        return {}
    rows = connection.execute(sa.select(F.uid, F.name, F.mime, F.size).where(F.uid.in_(wanted)))
    found = {row.uid: row._asdict() | {"url": f"/files/{row.uid}"} for row in rows}
    return {uid: found.get(uid) or {"uid": uid, "name": None} for uid in wanted}


def remove_unused(connection: sa.Connection, now: datetime) -> int:
    """Forget files whose place in a field another took thirty days ago, and uploads that reached no record in a day.

    The bytes go with the next sweep. Returns how many files were forgotten.
    """
    connection.execute(sa.delete(core_file_use).where(U.former_at < now - KEPT))
    loose = sa.and_(F.purpose != "", F.created_at < now - PENDING, unused())
    return connection.execute(sa.delete(core_file).where(loose)).rowcount
