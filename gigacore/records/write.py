"""Writing records: the one way for pages, API, CLI, import, automations and plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gigacore.data import trash
from gigacore.data.locks import check_required_any
from gigacore.entity import Child, ChildSpec, Entity, EntitySpec, FieldSpec
from gigacore.errors import Invalid, NotFound, StaleVersion
from gigacore.filter import store_value
from gigacore.messages import msg
from gigacore.records.choices import settle_open_choices
from gigacore.records.inputs import input_schema, load_input
from gigacore.records.limits import require, writable_fields
from gigacore.records.obstacles import refuse_if_in_the_way, release
from gigacore.records.references import check_references

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession


def create(ctx: Context, entity: str, data: Mapping[str, Any]) -> Entity:
    """A new record from JSON-shaped input, written within the caller's unit of work.

    Raises Invalid with an error per value at fault, Forbidden without the right to create it.
    """
    record = prepare(ctx, entity, data)
    ctx.session.flush()
    return record


def prepare(ctx: Context, entity: str, data: Mapping[str, Any]) -> Entity:
    """A new record added to the session but not yet flushed; for batches. Raises as `create`."""
    session = ctx.session
    spec = session.registry.entity(entity)
    require(ctx, "create", spec)
    schema = input_schema(session.registry, spec, partial=False, writable=writable_fields(session, spec))
    values = load_input(schema, data)
    check_references(ctx, spec, values)
    settle_open_choices(ctx, spec, values)
    record = spec.cls()
    _apply(record, spec, values)
    check_required_any(spec, record)
    session.add(record)
    _apply_extensions(session, spec, record, values)
    return record


def load(ctx: Context, entity: str, record_id: int, *, verb: str = "view") -> Entity:
    """The record as an object, for services. Raises NotFound when it is unknown or hidden, Forbidden without a role."""
    spec = ctx.session.registry.entity(entity)
    require(ctx, verb, spec)
    record = ctx.session.get(spec.cls, record_id)
    if record is None:
        raise NotFound(sought=(entity, record_id))
    found: Entity = record
    return found


def update(ctx: Context, entity: str, record_id: int, data: Mapping[str, Any], *, version: int | None = None) -> Entity:
    """Change some fields of a record. `version` is the one the reader saw; another one now raises StaleVersion.

    Raises Invalid, Forbidden, Locked, NotFound; then nothing is changed.
    """
    session = ctx.session
    spec = session.registry.entity(entity)
    record = load(ctx, entity, record_id, verb="edit")
    check_version(record, version)
    schema = input_schema(session.registry, spec, partial=True, writable=writable_fields(session, spec))
    values = load_input(schema, data)
    check_references(ctx, spec, values, record)
    settle_open_choices(ctx, spec, values)
    _apply(record, spec, values)
    _apply_extensions(session, spec, record, values)
    session.flush()
    return record


def check_version(record: Entity, version: int | None) -> None:
    """Raise StaleVersion when the record is no longer the one that the reader saw."""
    if version is not None and record.version != version:
        raise StaleVersion(record.version)


def delete(ctx: Context, entity: str, record_id: int, *, version: int | None = None) -> None:
    """Move a record, its rows and links into the trash.

    Raises InTheWay when others refer to it by a rule that forbids that, and as `update`.
    """
    spec = ctx.session.registry.entity(entity)
    record = load(ctx, entity, record_id, verb="delete")
    check_version(record, version)
    refuse_if_in_the_way(ctx, spec, record_id)
    release(ctx, spec, record_id)
    trash.move(ctx, record)


def _apply(record: Entity, spec: EntitySpec, values: Mapping[str, Any]) -> None:
    custom: dict[str, Any] | None = None
    for name, value in values.items():
        field = spec.fields.get(name)
        if field is None:
            if name in spec.children:
                _apply_children(record, spec.children[name], value)
            continue
        if field.custom:
            custom = dict(record.custom or {}) if custom is None else custom
            set_custom(custom, field, value, new=record.id is None)
        else:
            setattr(record, field.attribute.removesuffix("_value") if field.kind == "money" else field.attribute, value)
    if custom is not None:
        record.custom = custom


def set_custom(custom: dict[str, Any], field: FieldSpec, value: Any, *, new: bool) -> None:
    """Put a custom field's value among the stored ones of a record; None takes it away."""
    if value is None and new and field.default is not None:
        custom[field.name] = None  # an empty value was given, so the default must not fill it
    elif value is None:
        custom.pop(field.name, None)
    else:
        custom[field.name] = store_value(field, value)


def _apply_children(record: Entity, child: ChildSpec, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make the rows those given: rows with the `id` of a present one keep their identity, others are new or go.

    Their order is that of the input; a row that stands behind its neighbour already keeps its position.
    """
    present: dict[int, Child] = {row.id: row for row in getattr(record, child.name) if row.id is not None}
    known = set(present.values())
    kept: list[Child] = []
    last = -1
    for place, values in enumerate(rows):
        row = _row(child, present, values, place)
        for name, value in values.items():
            if name != "id" and getattr(row, name) != value:
                setattr(row, name, value)
        if row not in known or row.position <= last:
            row.position = last + 1
        last = row.position
        kept.append(row)
    setattr(record, child.name, kept)


def _row(child: ChildSpec, present: dict[int, Child], values: Mapping[str, Any], position: int) -> Child:
    number = values.get("id")
    if number is None:
        return child.cls()
    if number not in present:
        raise Invalid.of(f"{child.name}.{position}.id", msg("This row does not belong to the record."), "unknown_row")
    return present.pop(number)


def _apply_extensions(session: ActorSession, spec: EntitySpec, record: Entity, values: Mapping[str, Any]) -> None:
    for plugin, cls in spec.extensions.items():
        given = values.get(plugin)
        if not given:
            continue
        session.flush()
        row = session.get(cls, record.id)
        if row is None:
            row = cls(id=record.id)
            session.add(row)
        for name, value in given.items():
            setattr(row, name, value)
