"""A record just created as its readers see it, without reading again what the session has in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy.orm import Mapper

from gigacore.entity import KINDS, Entity, EntitySpec, FieldSpec
from gigacore.records.limits import readable_fields, surely_sees
from gigacore.records.plan import ReadPlan, read_plan
from gigacore.records.read import get, materialise
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession

_MISSING: Final = object()


def shown(ctx: Context, entity: str, record: Entity) -> dict[str, Any]:
    """The record as `get` gives it. Raises NotFound when the actor cannot see it (any more).

    One that this unit of work created is taken from memory, if all of it is there just as the database gives it and
    the actor sees it for its ownership alone; any other is read.
    """
    session = ctx.session
    spec = session.registry.entity(entity)
    if record.version == 1 and record in session.raised and surely_sees(session, spec, record):
        plan = read_plan(session.registry, spec, readable_fields(session, spec), None, whole=True)
        row = _source(session, plan).row(session, record)
        if row is not None:
            return materialise(ctx, plan, [row])[0]
    return get(ctx, entity, record.id)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the columns of a plan stand in memory: extension (None = the record), attribute, type as it is read."""

    columns: tuple[tuple[type[Any] | None, str, type | None], ...]
    extensions: tuple[type[Any], ...]

    def row(self, session: ActorSession, record: Entity) -> list[Any] | None:
        """The row as the database would give it; None when that is not certain."""
        values: dict[type[Any] | None, dict[str, Any] | None] = {None: record.__dict__}
        for extension in self.extensions:
            found = session.identity_map.get(extension.__mapper__.identity_key_from_primary_key((record.id,)))
            values[extension] = None if found is None else found.__dict__
        row = []
        for owner, attribute, kind in self.columns:
            held = values[owner]
            value = None if held is None else held.get(attribute, _MISSING)
            if value is not None and not _as_read(value, kind):
                return None
            row.append(value)
        return row


def _as_read(value: Any, kind: type | None) -> bool:
    if kind is datetime:
        return type(value) is datetime and value.tzinfo is UTC
    return type(value) is kind


def _source(session: ActorSession, plan: ReadPlan) -> _Source:
    """Worked out once per plan."""
    known: dict[ReadPlan, _Source] = session.registry.memo.setdefault("sources_in_memory", {})
    if plan not in known:
        extensions = tuple(plan.spec.extensions[name] for name in plan.extensions)
        classes = {plan.spec.table: None, **{cls.__table__: cls for cls in extensions}}
        known[plan] = _Source(tuple(_place(plan.spec, classes[c.table], c) for c in plan.columns), extensions)
    return known[plan]


def _place(spec: EntitySpec, extension: type[Any] | None, column: Any) -> tuple[type[Any] | None, str, type | None]:
    mapper: Mapper[Any] = (extension or spec.cls).__mapper__
    fields = extension.__fields__ if extension else spec.fields
    attribute = mapper.get_property_by_column(column).key
    return extension, attribute, _type(spec, attribute, fields)


def _type(spec: EntitySpec, attribute: str, fields: Any) -> type | None:
    """The Python type in which the database gives an attribute; None = one that is not compared here."""
    known: dict[str, type] = {"id": int, "uid": UUID, "version": int, "custom": dict}
    if attribute in known:
        return known[attribute]
    field: FieldSpec
    for field in fields.values():
        if not field.custom and attribute == field.attribute:
            return _read_type(field)
        if field.kind == "money" and attribute == field.currency_attribute:
            return str
    return None


def _read_type(field: FieldSpec) -> type | None:
    if field.kind == "enum":
        return field.enum
    return Decimal if field.kind == "money" else KINDS[field.kind].python
