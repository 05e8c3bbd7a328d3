"""New records by the hundred: schema, rights, rules, audit and events as for one, in a few statements per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import configure_mappers

from gigacore.data import bulk
from gigacore.data.locks import check_required_any
from gigacore.entity import Child, Entity, EntitySpec, FieldSpec
from gigacore.errors import GigaError
from gigacore.records.choices import settle_open_choices
from gigacore.records.garbage import uncollected
from gigacore.records.inputs import input_schema, load_input, quick_load
from gigacore.records.limits import require, writable_fields
from gigacore.records.references import missing_references
from gigacore.records.write import create, set_custom
from gigacore.values import dataclass

if TYPE_CHECKING:
    from marshmallow import Schema

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
    with uncollected():
        return _create_many(ctx, entity, rows)


def _create_many(ctx: Context, entity: str, rows: Sequence[Mapping[str, Any]]) -> list[Entity | Failed]:
    batch = Batch.of(ctx, entity)
    loaded = [batch.load(row) for row in rows]
    batch.check_references(loaded)
    results = [batch.record(values) if isinstance(values, dict) else values for values in loaded]
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
    """Field -> attribute, of built-in fields without bookkeeping of their own (money has some)."""
    open_lists: frozenset[str]
    files: frozenset[str]
    blank: Mapping[str, Any]
    blank_rows: Mapping[str, Mapping[str, Any]]
    choices: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, ctx: Context, entity: str) -> Batch:
        """Prepares a batch. Raises Forbidden."""
        configure_mappers()  # records are made past SQLAlchemy's constructor, which would see to it
        session = ctx.session
        spec, registry = session.registry.entity(entity), session.registry
        require(ctx, "create", spec)
        schema = input_schema(registry, spec, partial=False, writable=writable_fields(session, spec))
        own = [one for one in spec.fields.values() if one.extension is None]
        attributes = {one.name: one.attribute for one in own if not one.custom and one.kind != "money"}
        lists = [(one.name, registry.choice_list(one)) for one in own]
        open_lists = frozenset(name for name, choices in lists if choices is not None and choices.open)
        rows = {name: blank(child.fields) for name, child in spec.children.items()}
        files = session.plans.entities[spec.cls].files
        return cls(ctx, spec, schema, attributes, open_lists, files, blank(spec.fields), rows)

    def load(self, row: Mapping[str, Any]) -> dict[str, Any] | Failed | None:
        """The checked values of one row. None = it holds what only single records can."""
        try:
            values = quick_load(self.schema, row)
            if values is None:
                values = load_input(self.schema, row)
        except GigaError as error:
            return Failed(error)
        alone = any(values.get(plugin) for plugin in self.spec.extensions)
        return None if alone or any(values.get(name) for name in self.files) else values

    def check_references(self, loaded: list[dict[str, Any] | Failed | None]) -> None:
        """Refuses rows that refer to what is not there, or is out of the actor's sight: one statement per target."""
        good = {place: values for place, values in enumerate(loaded) if isinstance(values, dict)}
        for place, error in missing_references(self.ctx, self.spec, good).items():
            loaded[place] = Failed(error)

    def record(self, values: dict[str, Any]) -> Entity | Failed:
        """The record with these values, not yet written.

        It joins no session, so its values are set beside SQLAlchemy's bookkeeping, which costs more than all the rest.
        """
        spec = self.spec
        record: Entity = spec.cls.__mapper__.class_manager.new_instance()
        filled, custom = record.__dict__, dict[str, Any]()
        filled.update(self.blank)
        for name in spec.children:
            filled[name] = []
        try:
            self.settle_choices(values)
            for name, value in values.items():
                if (attribute := self.attributes.get(name)) is not None:
                    filled[attribute] = value
                elif name in spec.children:
                    child = spec.children[name].cls
                    filled[name] = [child_row(child, self.blank_rows[name], row) for row in value or ()]
                elif spec.fields[name].custom:
                    set_custom(custom, spec.fields[name], value, new=True)
                else:
                    setattr(record, name, value)
            filled["custom"] = custom
            check_required_any(spec, record)
        except GigaError as error:
            return Failed(error)
        return record

    def settle_choices(self, values: dict[str, Any]) -> None:
        """Keys for labels of open lists; what one row added is known to the next."""
        for name in self.open_lists & values.keys():
            value = values[name]
            if isinstance(value, str) and (known := self.choices.get((name, value))) is not None:
                values[name] = known
            elif value:
                settled = {name: value}
                settle_open_choices(self.ctx, self.spec, settled)
                values[name] = settled[name]
                if isinstance(value, str):
                    self.choices[name, value] = settled[name]

    def write(self, results: list[Entity | Failed | None]) -> None:
        """Writes the good records; those that rights or rules refuse become `Failed`."""
        places = [place for place, one in enumerate(results) if isinstance(one, Entity)]
        refused = bulk.insert(self.ctx, [results[place] for place in places], keep_going=True).refused  # type: ignore[misc]
        for position, error in refused.items():
            results[places[position]] = Failed(error)


def blank(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """The attributes that stay empty unless a row says otherwise: not those with a default, nor the server's own."""
    empty = [
        one
        for one in fields.values()
        if one.default is None and not one.custom and one.extension is None and one.section != "record"
    ]
    amounts = (one.currency_attribute for one in empty if one.kind == "money")
    return dict.fromkeys((*(one.attribute for one in empty), *amounts))


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
