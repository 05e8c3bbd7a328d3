"""Defining, changing and removing custom fields, each in the caller's unit of work. Administrators only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from gigacore.access import require
from gigacore.customfields.definitions import Definition, from_row, read_definitions, to_row
from gigacore.customfields.sql import allow_time, create_indexes, drop_indexes, erase_values, values_present
from gigacore.customfields.tables import core_custom_field
from gigacore.customfields.validation import changed_definition, new_definition
from gigacore.data import bump_generation
from gigacore.data.journal import Entry
from gigacore.entity.base import metadata
from gigacore.errors import Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec

TOOL: Final = "core.custom_field"
MAX_FIELDS: Final = 200


def define(ctx: Context, data: Mapping[str, Any], *, plugin: str = "") -> Definition:
    """Add a field; it is there for sessions opened after the commit.

    `data` holds `entity`, `kind`, `label`, and may hold `key` (else made from the label), `labels`, `help`, `section`,
    `position`, `required`, `unique`, `indexed`, `listed`, `default`, `choices` or `choice_list`, `target`. Raises
    Invalid, or Forbidden without the right to edit custom fields.
    """
    require(ctx, "edit", TOOL)
    found = new_definition(data, uuid7(), ctx.session.registry, plugin=plugin)
    others = read_definitions(ctx.session.connection(), found.entity)
    if any(other.key == found.key for other in others):
        raise Invalid.of("key", msg("There is a field {name} already.", name=found.key), "unique")
    if len(others) >= MAX_FIELDS:
        raise Invalid(msg("An entity has at most {limit} custom fields.", limit=MAX_FIELDS))
    if "position" not in data:
        found = replace(found, position=max((other.position for other in others), default=-1) + 1)
    ctx.session.connection().execute(sa.insert(core_custom_field).values(**to_row(found)))
    _settle_index(ctx, None, found)
    _record(ctx, "created", found, None, found)
    return found


def change(ctx: Context, entity: str, key: str, data: Mapping[str, Any]) -> Definition:
    """Change a field; `active` False hides it and keeps its values. Entity, key, kind and target never change.

    Raises NotFound, Invalid (also when `unique` is asked for and values occur twice), Forbidden.
    """
    require(ctx, "edit", TOOL)
    present = find(ctx, entity, key)
    found = changed_definition(present, data, ctx.session.registry)
    if found != present:
        statement = sa.update(core_custom_field).where(core_custom_field.c.uid == present.uid)
        ctx.session.connection().execute(statement.values(**to_row(found)))
        _settle_index(ctx, present, found)
        _record(ctx, "updated", found, present, found)
    return found


def remove(ctx: Context, entity: str, key: str, *, purge: bool = False) -> None:
    """Take a field away.

    Its values stay and come back with `change(..., {"active": True})`, unless `purge` erases them from every record,
    which cannot be undone. Erased values raise no version and fire no event; the audit names the field. Raises NotFound
    or Forbidden.
    """
    require(ctx, "edit", TOOL)
    present = find(ctx, entity, key)
    if not purge:
        change(ctx, entity, key, {"active": False})
        return
    _settle_index(ctx, present, None)
    connection = ctx.session.connection()
    table = _table(ctx, entity)
    if table is not None:
        ctx.session.flush()
        allow_time(connection)
        with ctx.session.door.opened():
            for statement in erase_values(table, key, connection.dialect.name):
                connection.exec_driver_sql(statement)
    uses = metadata.tables["core_file_use"]
    connection.execute(sa.delete(uses).where(uses.c.entity == entity, uses.c.field == key))
    _record(ctx, "deleted", present, present, None)
    connection.execute(sa.delete(core_custom_field).where(core_custom_field.c.uid == present.uid))
    ctx.session.expire_all()


def count_values(ctx: Context, entity: str, key: str) -> int:
    """How many records hold a value of the field, active or not; a purge erases as many. Raises NotFound."""
    require(ctx, "view", TOOL)
    find(ctx, entity, key)
    table, connection = _table(ctx, entity), ctx.session.connection()
    if table is None:
        return 0
    with ctx.session.door.opened():
        return int(connection.exec_driver_sql(values_present(table, key, connection.dialect.name)).scalar_one())


def arrange(ctx: Context, entity: str, keys: Sequence[str]) -> None:
    """Put the fields of an entity into this order; those that are not named follow. Raises NotFound, Forbidden."""
    require(ctx, "edit", TOOL)
    present = {one.key: one for one in read_definitions(ctx.session.connection(), entity)}
    if not set(keys) <= present.keys():
        raise NotFound
    order = [*dict.fromkeys(keys), *(key for key in present if key not in keys)]
    for position, key in enumerate(order):
        if present[key].position != position:
            change(ctx, entity, key, {"position": position})


def find(ctx: Context, entity: str, key: str) -> Definition:
    """The definition, active or not. Raises NotFound."""
    columns = core_custom_field.c
    statement = sa.select(core_custom_field).where(columns.entity == entity, columns.key == key)
    row = ctx.session.connection().execute(statement).first()
    if row is None:
        raise NotFound
    return from_row(row._asdict())


def _table(ctx: Context, entity: str) -> str | None:
    spec = ctx.session.registry.entities.get(entity)
    return None if spec is None else spec.table.name


def _settle_index(ctx: Context, before: Definition | None, after: Definition | None) -> None:
    """Bring the field's index to what its definition asks for."""
    known = after or before
    spec = ctx.session.registry.entities.get(known.entity) if known else None
    was, wanted = (_index_kind(one) for one in (before, after))
    if spec is None or was == wanted:
        return
    connection = ctx.session.connection()
    with ctx.session.door.opened():
        if before is not None and was is not None:
            for statement in drop_indexes(spec.table.name, before.key):
                connection.exec_driver_sql(statement)
        if after is not None and wanted is not None:
            _create(connection, after, spec)


def _index_kind(definition: Definition | None) -> str | None:
    if definition is None or not definition.has_index:
        return None
    return "unique" if definition.unique else "plain"


def _create(connection: sa.Connection, definition: Definition, spec: EntitySpec) -> None:
    allow_time(connection)
    try:
        for statement in create_indexes(definition, spec, connection.dialect.name):
            connection.exec_driver_sql(statement)
    except IntegrityError:
        raise Invalid.of("unique", msg("Some records have the same value; make the values differ first.")) from None
    if connection.dialect.name == "postgresql":
        # It knows nothing of a new expression's values otherwise.
        connection.exec_driver_sql(f'ANALYZE "{spec.table.name}"')


def _record(ctx: Context, verb: str, known: Definition, before: Definition | None, after: Definition | None) -> None:
    """Audit, event, and the sign for every process to read the fields anew."""
    connection, columns = ctx.session.connection(), core_custom_field.c
    old = {} if before is None else to_row(before)
    new = {} if after is None else to_row(after)
    names = [name for name in {**old, **new} if name != "uid" and old.get(name) != new.get(name)]
    values = {name.removeprefix("is_"): [old.get(name), new.get(name)] for name in names}
    number = connection.scalar(sa.select(columns.id).where(columns.uid == known.uid))
    ctx.session.journal.write(connection, ctx, [Entry(TOOL, verb, number, known.uid, None, list(values), values)])
    bump_generation(connection)
