"""The trash: a deleted record with its child rows, extension rows and links, kept whole for thirty days."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    TypeDecorator,
    and_,
    delete,
    insert,
    or_,
    select,
    true,
)

from gigacore.data import gone, rollups
from gigacore.data.changes import Change
from gigacore.data.custom import still_defined
from gigacore.data.faults import translated_errors
from gigacore.data.journal import Entry, encode
from gigacore.data.plan import EntityPlan
from gigacore.data.tables import core_link, core_trash
from gigacore.entity import Entity, EntitySpec
from gigacore.errors import Conflict, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data.session import ActorSession

KEPT: Final = timedelta(days=30)
GROUP: Final = "giga_trash_group"
_T: Final = core_trash.c
_L: Final = core_link.c


@dataclass(frozen=True, slots=True)
class Trashed:
    """One record in the trash."""

    id: int
    entity: str
    record_id: int
    label: str
    deleted_at: datetime
    deleted_by: int | None
    purge_at: datetime


def move(ctx: Context, record: Entity) -> None:
    """Delete a record; it lies in the trash with all that belongs to it. Same as `session.delete` and a flush."""
    ctx.session.delete(record)
    ctx.session.flush()


def listing(ctx: Context, *, entity: str | None = None, limit: int = 50, before: int | None = None) -> list[Trashed]:
    """What lies in the trash, newest first.

    The system and Super Admins see everything, others what was theirs or what they deleted.
    """
    statement = (
        select(_T.id, _T.entity, _T.record_id, _T.label, _T.deleted_at, _T.deleted_by, _T.purge_at)
        .where(_own(ctx))
        .order_by(_T.id.desc())
        .limit(limit)
    )
    if entity is not None:
        statement = statement.where(_T.entity == entity)
    if before is not None:
        statement = statement.where(_T.id < before)
    return [Trashed(*row) for row in ctx.session.connection().execute(statement)]


def restore(ctx: Context, trash_id: int) -> Entity:
    """Put a record back with the same id and uid, and what was deleted with it because it belonged to it.

    Raises NotFound when it is not in the trash or the actor could not have deleted it, Conflict when its place is taken
    or something it refers to is gone.
    """
    connection = ctx.session.connection()
    row = connection.execute(select(core_trash).where(_T.id == trash_id)).mappings().first()
    if row is None or row["entity"] not in ctx.session.registry.entities:
        raise NotFound
    return _restore(ctx, row)


def restore_record(ctx: Context, entity: str, record_id: int) -> Entity:
    """Put a record back by its number. Raises NotFound when it is not in the trash or not the actor's to restore."""
    statement = select(core_trash).where(_T.entity == entity, _T.record_id == record_id, _own(ctx))
    row = ctx.session.connection().execute(statement).mappings().first()
    if row is None or entity not in ctx.session.registry.entities:
        raise NotFound
    return _restore(ctx, row)


def restore_anew(ctx: Context, record_uid: uuid.UUID) -> Entity:
    """Put a record that was merged back under its number and a new uid: the register knows the old one for ever.

    Takes the rights of `restore`. Raises NotFound when it lies in the trash no more, Conflict as `restore`.
    """
    statement = select(core_trash).where(_T.record_uid == record_uid, _own(ctx))
    row = ctx.session.connection().execute(statement).mappings().first()
    if row is None or row["entity"] not in ctx.session.registry.entities:
        raise NotFound
    return _restore(ctx, row, uuid7())


def _own(ctx: Context) -> ColumnElement[bool]:
    """What the actor may know of the trash: what was theirs or what they deleted, everything for Super Admins."""
    actor = ctx.actor
    if actor.is_system or actor.super_admin:
        return true()
    return or_(_T.deleted_by == actor.user_id, _T.owner_id == actor.user_id)


def _restore(ctx: Context, row: RowMapping, uid: uuid.UUID | None = None) -> Entity:
    session, body = ctx.session, orjson.loads(bytes(row["body"]))
    spec = session.registry.entity(row["entity"])
    if uid is None:
        _refuse_if_merged(session, row)
    else:
        body["row"]["uid"] = str(uid)
    _put_back(session, spec, body)
    record = session.get(spec.cls, row["record_id"])
    if record is None:
        raise NotFound
    if not session.unlimited:
        session.guard.check_write(session, spec, record, "delete", frozenset(), None)
    session.connection().execute(delete(core_trash).where(_T.id == row["id"]))
    _announce(ctx, session.plans.entities[spec.cls], record)
    with session.by_rule():
        for dependent in _dependents(session, spec, row):
            _restore(ctx, dependent)
    return record  # type: ignore[no-any-return]


def _refuse_if_merged(session: ActorSession, row: RowMapping) -> None:
    found = gone.of(session.connection(), row["record_uid"])
    if found is not None:
        raise Conflict(
            msg("{label} was merged into another record and stays so.", label=row["label"]),
            fix=msg("Undo the merging in the changes of that record if they are two after all."),
        )


def _put_back(session: ActorSession, spec: EntitySpec, body: Mapping[str, Any]) -> None:
    tables = {child.table.name: child.table for child in spec.children.values()}
    tables |= _extension_tables(session, spec)
    connection = session.connection()
    with session.door.opened(), translated_errors():
        own = {**body["row"], "version": body["row"]["version"] + 1}
        own["custom"] = still_defined(session, spec, own["custom"] or {})
        own["custom_key"] = {name: key for name, key in (own["custom_key"] or {}).items() if name in own["custom"]}
        connection.execute(insert(spec.table), _decoded(spec.table, own))
        for name, rows in body["rows"].items():
            if rows and name in tables:
                connection.execute(insert(tables[name]), [_decoded(tables[name], one) for one in rows])
    for link in body["links"]:
        values = _decoded(core_link, link)
        taken = connection.scalar(select(_L.id).where(or_(_L.id == values["id"], _L.uid == values["uid"])))
        if taken is None:
            connection.execute(insert(core_link), values)


def _announce(ctx: Context, plan: EntityPlan, record: Any) -> None:
    change = Change(plan, record, "restored")
    rollups.refresh_referred(ctx.session, [change])
    entry = Entry(plan.spec.name, "restored", record.id, record.uid, record.version, [], {})
    ctx.session.journal.write(ctx.session.connection(), ctx, [entry])


def _dependents(session: ActorSession, spec: EntitySpec, row: RowMapping) -> list[RowMapping]:
    """Records of the same deletion that referred to this one by the rule `cascade`."""
    cascading: dict[str, list[str]] = {}
    for field in session.registry.referrers.get(spec.name, ()):
        if field.on_delete == "cascade" and field.extension is None:
            cascading.setdefault(field.entity, []).append(field.column)
    if not cascading:
        return []
    same = and_(_T.group_uid == row["group_uid"], _T.entity.in_(cascading))
    found = []
    for other in session.connection().execute(select(core_trash).where(same)).mappings():
        values = orjson.loads(bytes(other["body"]))["row"]
        if any(values.get(column) == row["record_id"] for column in cascading[other["entity"]]):
            found.append(other)
    return found


def purge(connection: Connection, now: datetime) -> int:
    """Forget for good what has lain here for thirty days; the register keeps that it is gone."""
    gone.add_purged(connection, now)
    return connection.execute(delete(core_trash).where(_T.purge_at < now)).rowcount


# Called by the flush --------------------------------------------------------------------------------------------------


def snapshot(session: ActorSession, change: Change) -> dict[str, Any]:
    """The row for the trash, read before the record is deleted."""
    spec, record = change.plan.spec, change.record
    connection = session.connection()
    with session.door.opened():
        row = connection.execute(select(spec.table).where(spec.table.c.id == record.id)).mappings().first()
        if row is None:
            raise Conflict(msg("This record was deleted in the meantime."))
        rows = {
            child.table.name: _rows(connection, child.table, "parent_id", record.id) for child in spec.children.values()
        }
        rows |= {
            name: _rows(connection, table, "id", record.id) for name, table in _extension_tables(session, spec).items()
        }
    links = [dict(one) for one in connection.execute(select(core_link).where(_ends_at(spec, record.id))).mappings()]
    body = encode({"row": dict(row), "rows": rows, "links": links})
    return {**_head(session, spec, record, row), "body": body}


def _head(session: ActorSession, spec: EntitySpec, record: Any, row: RowMapping) -> dict[str, Any]:
    now = session.context.now
    label = row.get(spec.title_field.column)
    visibility = row.get("visibility")
    return {
        "entity": spec.name, "record_id": record.id, "record_uid": record.uid,
        "label": str(label)[:300] if label else f"#{record.id}",
        "group_uid": session.info.setdefault(GROUP, uuid7()),
        "org_id": row.get("org_id"), "owner_id": row.get("owner_id"), "team_id": row.get("team_id"),
        "visibility": visibility.value if visibility is not None else None,
        "deleted_at": now, "deleted_by": session.actor.user_id, "purge_at": now + KEPT,
    }  # fmt: skip


def store(session: ActorSession, changes: Sequence[Change]) -> None:
    """Keep the snapshots of what was just deleted, and take its links away."""
    rows = [change.snapshot for change in changes if change.snapshot is not None]
    if not rows:
        return
    connection = session.connection()
    connection.execute(insert(core_trash), rows)
    for change in changes:
        if change.snapshot is not None:
            connection.execute(delete(core_link).where(_ends_at(change.plan.spec, change.snapshot["record_id"])))


def _ends_at(spec: EntitySpec, record_id: int) -> Any:
    return or_(
        and_(_L.from_entity == spec.name, _L.from_id == record_id),
        and_(_L.to_entity == spec.name, _L.to_id == record_id),
    )


def _rows(connection: Connection, table: Table, column: str, key: int) -> list[dict[str, Any]]:
    statement = select(table).where(table.c[column] == key).order_by(table.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def _extension_tables(session: ActorSession, spec: EntitySpec) -> dict[str, Table]:
    """The tables that hold fields of plugins on the entity, of those too that do not run."""
    tables: list[Any] = [extension.__table__ for extension in spec.extensions.values()]
    tables += [one.table for one in session.registry.idle_extensions if one.entity == spec.name]
    return {table.name: table for table in tables}


def _decoded(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The Python values of a stored row; columns that are gone since are left out."""
    return {name: _value(table.c[name], value) for name, value in row.items() if name in table.c}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None or not isinstance(value, str):
        return value
    stored = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    kind = stored.python_type
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is date:
        return date.fromisoformat(value)
    if kind is Decimal:
        return Decimal(value)
    if kind is uuid.UUID:
        return uuid.UUID(value)
    return bytes.fromhex(value) if kind is bytes else value
