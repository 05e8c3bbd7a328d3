"""New records by the hundred: schema, rights, rules, audit and events as for one, in a few statements per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import marshmallow
import sqlalchemy as sa
from marshmallow import Schema, ValidationError

from gigacore.data import bulk, mark_scoped
from gigacore.data.locks import check_required_any
from gigacore.entity import SYSTEM_TARGETS, Child, Entity, EntitySpec, FieldSpec
from gigacore.errors import FieldError, GigaError, Invalid
from gigacore.filter import store_value
from gigacore.messages import msg
from gigacore.records.choices import settle_open_choices
from gigacore.records.limits import require, visible, writable_fields
from gigacore.records.schema import SpecField, input_schema, load_input
from gigacore.records.write import create

if TYPE_CHECKING:
    from gigacore.context import Context


@dataclass(frozen=True, slots=True)
class Failed:
    """Why one row of a batch was not written."""

    error: GigaError


def create_many(ctx: Context, entity: str, rows: Sequence[Mapping[str, Any]]) -> list[Entity | Failed]:
    """New records, each on its own merits: a row that is refused leaves the others alone.

    The records do not join the session; read them again to change them. Raises Forbidden without the right to create.
    """
    if not rows:
        return []
    batch = Batch.of(ctx, entity)
    results: list[Entity | Failed | None] = [batch.checked(row) for row in rows]
    batch.check_references(results)
    savepoint = ctx.session.begin_nested()
    try:
        batch.write(results)
        savepoint.commit()
    except GigaError:  # the database refused the common statement: find out whose row it was
        savepoint.rollback()
        return [alone(ctx, entity, row) for row in rows]
    return [alone(ctx, entity, row) if one is None else one for one, row in zip(results, rows, strict=True)]


def alone(ctx: Context, entity: str, row: Mapping[str, Any]) -> Entity | Failed:
    """One row by the way of single records, within a savepoint."""
    savepoint = ctx.session.begin_nested()
    try:
        record = create(ctx, entity, row)
    except GigaError as error:
        savepoint.rollback()
        return Failed(error)
    savepoint.commit()
    return record


@dataclass(slots=True)
class Batch:
    """What the rows of one batch share."""

    ctx: Context
    spec: EntitySpec
    schema: Schema
    attributes: Mapping[str, str]
    blank: Mapping[str, Any]
    blank_rows: Mapping[str, Mapping[str, Any]]
    choices: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, ctx: Context, entity: str) -> Batch:
        """Prepares a batch. Raises Forbidden."""
        session = ctx.session
        spec = session.registry.entity(entity)
        require(ctx, "create", spec)
        schema = input_schema(session.registry, spec, partial=False, writable=writable_fields(session, spec))
        attributes = {
            name: one.attribute.removesuffix("_value") if one.kind == "money" else one.attribute
            for name, one in spec.fields.items()
            if not one.custom and one.extension is None
        }
        rows = {name: blank(child.fields) for name, child in spec.children.items()}
        return cls(ctx, spec, schema, attributes, blank(spec.fields), rows)

    def checked(self, row: Mapping[str, Any]) -> Entity | Failed | None:
        """The record of one row, not yet written. None = it holds what only single records can."""
        try:
            values = quick_load(self.schema, row)
            if values is None:
                values = load_input(self.schema, row)
            if any(values.get(plugin) for plugin in self.spec.extensions):
                return None
            self.settle_choices(values)
            record = self.record(values)
            check_required_any(self.spec, record)
        except GigaError as error:
            return Failed(error)
        return record

    def settle_choices(self, values: dict[str, Any]) -> None:
        """Keys for labels of open lists; what one row added is known to the next."""
        for name, value in values.items():
            known = self.choices.get((name, value)) if isinstance(value, str) else None
            if known is not None:
                values[name] = known
                continue
            spec = self.spec.fields.get(name)
            if spec is not None and spec.choice_list and value:
                one = {name: value}
                settle_open_choices(self.ctx, self.spec, one)
                values[name] = one[name]
                if isinstance(value, str):
                    self.choices[name, value] = one[name]

    def record(self, values: Mapping[str, Any]) -> Entity:
        """The record with these values.

        It joins no session, so its values are set beside SQLAlchemy's bookkeeping, which costs more than all the rest.
        """
        spec, record = self.spec, self.spec.cls()
        filled, custom = record.__dict__, dict[str, Any]()
        filled.update(self.blank)
        filled.update({name: [] for name in spec.children})
        for name, value in values.items():
            attribute = self.attributes.get(name)
            if attribute is not None and spec.fields[name].kind != "money":
                filled[attribute] = value
            elif attribute is not None:
                setattr(record, attribute, value)
            elif name in spec.children:
                filled[name] = [child_row(spec.children[name].cls, self.blank_rows[name], row) for row in value or ()]
            elif value is not None:
                custom[name] = store_value(spec.fields[name], value)
        filled["custom"] = custom
        return record

    def check_references(self, results: list[Entity | Failed | None]) -> None:
        """Refuses records that refer to what is not there, or is out of the actor's sight: one statement per target."""
        for name, one in self.spec.fields.items():
            if one.kind != "ref" or one.target is None or name not in self.attributes:
                continue
            wanted = {value for record in results if isinstance(record, Entity) and (value := self.value(record, name))}
            missing = wanted - existing(self.ctx, one.target, wanted) if wanted else wanted
            for place, record in enumerate(results):
                if missing and isinstance(record, Entity) and self.value(record, name) in missing:
                    reason = msg("There is no such record, or you may not see it.")
                    results[place] = Failed(Invalid(errors=[FieldError(name, reason, "unknown_record")]))

    def value(self, record: Entity, name: str) -> Any:
        """A field of a record that is not yet written."""
        return record.__dict__.get(self.attributes[name])

    def write(self, results: list[Entity | Failed | None]) -> None:
        """Writes the good records; those that rights or rules refuse become `Failed`."""
        places = [place for place, one in enumerate(results) if isinstance(one, Entity)]
        refused = bulk.insert(self.ctx, [results[place] for place in places], keep_going=True).refused  # type: ignore[misc]
        for position, error in refused.items():
            results[places[position]] = Failed(error)


def blank(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """The attributes that stay empty unless a row says otherwise: not those with a default, nor the server's own."""
    return {
        one.attribute: None
        for one in fields.values()
        if one.default is None and not one.custom and one.extension is None and one.section != "record"
    }


def child_row(cls: type[Child], empty: Mapping[str, Any], values: Mapping[str, Any]) -> Child:
    """A new child row."""
    row = cls()
    row.__dict__.update(empty)
    for name, value in values.items():
        if name != "id" and row.__fields__[name].kind == "money":
            setattr(row, name, value)
        elif name != "id":
            row.__dict__[row.__fields__[name].attribute] = value
    return row


def quick_load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `schema.load` gives for good input, without its bookkeeping; None = it must say itself what is wrong."""
    loaded: dict[str, Any] = {}
    known = schema.load_fields
    for name, value in data.items():
        one = known.get(name)
        if one is None:
            return None
        if value is None:
            if not one.allow_none:
                return None
            loaded[name] = None
            continue
        found = quick_value(one, name, value, data)
        if found is None:
            return None
        loaded[name] = found[0]
    return loaded if _required(schema) <= loaded.keys() else None


@lru_cache(maxsize=256)
def _required(schema: Schema) -> frozenset[str]:
    return frozenset(name for name, one in schema.load_fields.items() if one.required)


def quick_value(
    one: marshmallow.fields.Field[Any], name: str, value: Any, data: Mapping[str, Any]
) -> tuple[Any] | None:
    """One value as its field reads it, in a tuple; None = refused."""
    if isinstance(one, SpecField):
        try:
            return (one._deserialize(value, name, data),)
        except ValidationError:
            return None
    if (
        isinstance(one, marshmallow.fields.List)
        and isinstance(value, list)
        and isinstance(one.inner, marshmallow.fields.Nested)
    ):
        rows = [quick_load(one.inner.schema, row) if isinstance(row, Mapping) else None for row in value]
        return None if len(rows) > 100 or any(row is None for row in rows) else (rows,)
    return None


def existing(ctx: Context, target: str, numbers: set[Any]) -> set[Any]:
    """Those of the records that exist and that the actor may see."""
    session, wanted = ctx.session, sorted(numbers)
    if target in SYSTEM_TARGETS:
        table = sa.table(SYSTEM_TARGETS[target].table, sa.column("id", sa.BigInteger))
        return set(session.connection().scalars(sa.select(table.c.id).where(table.c.id.in_(wanted))))
    spec = session.registry.entities.get(target)
    if spec is None:
        return numbers  # the plugin that owns the target is away; a soft reference outlives it
    limit = visible(session, spec)
    found = sa.select(spec.table.c.id).where(spec.table.c.id.in_(wanted))
    return set(session.connection().scalars(mark_scoped(found if limit is None else found.where(limit))))
