"""What the flush must do for each mapped class, worked out once per registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Select, bindparam, select

from gigacore.data.door import SCOPED
from gigacore.data.formulas import Computed, formulas_of
from gigacore.data.inserts import Inserter
from gigacore.data.search_texts import searched_columns
from gigacore.data.survey import tables_in
from gigacore.entity import Child, Entity, EntitySpec, Extension, FieldSpec, Registry
from gigacore.entity.kinds import KINDS
from gigacore.entity.spec import ChildSpec, RollupSpec
from gigacore.filter import Condition, parse
from gigacore.values import dataclass

KeyMaker = Callable[[str | None], str | None]

MAX_LOADS: Final = 256
SERVER_OWNED: Final = frozenset({"id", "uid", "version", "created_at", "created_by", "updated_at", "updated_by"})


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """The fields of one mapped class, as the flush needs them."""

    names: Mapping[str, str]
    """Mapped attribute -> field name; both attributes of a money field name it."""
    attributes: Mapping[str, str]
    """Field name -> attribute that shows its value; custom fields have none."""
    fields: Mapping[str, FieldSpec]
    keys: tuple[tuple[str, str, KeyMaker], ...]
    defaults: tuple[FieldSpec, ...]
    hidden: frozenset[str]
    quiet: frozenset[str]
    """Computed fields: their change raises no version and fires no event."""

    def read(self, row: Any, name: str) -> Any:
        """The value of a field now."""
        attribute = self.attributes.get(name)
        if attribute is None:
            return (row.custom or {}).get(name)
        return getattr(row, attribute)


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """Child rows of one entity."""

    spec: ChildSpec
    parent: EntitySpec
    plan: FieldPlan
    inserter: Inserter


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """A plugin's fields on an entity that it does not own."""

    parent: EntitySpec
    plan: FieldPlan


@dataclass(frozen=True, slots=True)
class RelationRollup:
    """A stored figure on `target` over the records that refer to it through `attribute`."""

    target: EntitySpec
    spec: FieldSpec
    rule: RollupSpec
    attribute: str


@dataclass(frozen=True, slots=True)
class EntityPlan:
    """Everything the flush must do for records of one entity."""

    spec: EntitySpec
    plan: FieldPlan
    computed: tuple[FieldSpec, ...]
    rollups: tuple[FieldSpec, ...]
    relations: tuple[RelationRollup, ...]
    custom_keys: tuple[tuple[str, KeyMaker], ...]
    custom_defaults: tuple[FieldSpec, ...]
    formulas: tuple[Computed, ...]
    files: frozenset[str]
    """The fields, those of plugins among them, that hold a file."""
    locked_when: Condition | None
    frozen_when: Condition | None
    load: Select[Any]
    inserter: Inserter
    loads: dict[int, tuple[Any, Select[Any]]] = field(default_factory=dict)
    """Statements that load one record within criteria, by the identity of the criteria, which guards keep."""

    def load_within(self, limit: ColumnElement[bool] | None) -> Select[Any]:
        """The statement that loads the record with key `pk` if it meets the criteria."""
        known = self.loads.get(id(limit))
        if known is not None and known[0] is limit:
            return known[1]
        statement = self.load if limit is None else self.load.where(limit)
        tables = {self.spec.table.name} if limit is None else {self.spec.table.name, *tables_in(limit)}
        statement = statement.execution_options(**{SCOPED: frozenset(tables)})
        if len(self.loads) >= MAX_LOADS:
            self.loads.clear()
        self.loads[id(limit)] = limit, statement
        return statement


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of one registry, by class and by table."""

    registry: Registry
    entities: Mapping[type[Entity], EntityPlan]
    children: Mapping[type[Child], ChildPlan]
    extensions: Mapping[type[Extension], ExtensionPlan]
    tables: dict[str, EntityPlan | ChildPlan | ExtensionPlan] = field(default_factory=dict)
    surveys: WeakKeyDictionary[Any, set[str]] = field(default_factory=WeakKeyDictionary)
    """The tables of statements that were seen before; modules keep their statements and run them often."""

    def class_of(self, table: str) -> type[Any]:
        """The mapped class of a table."""
        everything = (*self.entities, *self.children, *self.extensions)
        return next(cls for cls in everything if cls.__table__.name == table)  # type: ignore[attr-defined]

    @classmethod
    def of(cls, registry: Registry) -> Plans:
        """Work out the plans of a registry."""
        relations = _relations(registry)
        specs = registry.entities.values()
        plans = cls(
            registry,
            {spec.cls: _entity_plan(spec, registry, relations.get(spec.name, ())) for spec in specs},
            {
                c.cls: ChildPlan(c, spec, _field_plan(c.fields), Inserter(c.cls))
                for spec in specs
                for c in spec.children.values()
            },
            {e: ExtensionPlan(spec, _field_plan(e.__fields__)) for spec in specs for e in spec.extensions.values()},
        )
        everything = (*plans.entities.items(), *plans.children.items(), *plans.extensions.items())
        plans.tables.update({mapped.__table__.name: plan for mapped, plan in everything})  # type: ignore[attr-defined,misc]
        return plans


def _field_plan(fields: Mapping[str, FieldSpec]) -> FieldPlan:
    stored = {name: spec for name, spec in fields.items() if spec.custom or spec.extension is None or "." in name}
    coded = [spec for spec in stored.values() if not spec.custom and spec.name not in SERVER_OWNED]
    return FieldPlan(
        names=_names(coded),
        attributes={
            s.name: s.attribute.removesuffix("_value") if s.kind == "money" else s.attribute
            for s in stored.values()
            if not s.custom
        },
        fields=stored,
        keys=tuple((s.attribute, s.key_column, KINDS[s.kind].key) for s in coded if s.key_column),
        defaults=tuple(s for s in coded if s.default is not None),
        hidden=frozenset(s.name for s in stored.values() if s.secret),
        quiet=frozenset(s.name for s in stored.values() if s.computed),
    )


def _names(fields: list[FieldSpec]) -> Mapping[str, str]:
    names = {spec.attribute: spec.name for spec in fields}
    return names | {spec.currency_attribute: spec.name for spec in fields if spec.kind == "money"}


def _entity_plan(spec: EntitySpec, registry: Registry, relations: tuple[RelationRollup, ...]) -> EntityPlan:
    own = {name: one for name, one in spec.fields.items() if one.extension is None}
    custom = [one for one in own.values() if one.custom]
    return EntityPlan(
        spec=spec,
        plan=_field_plan(own),
        computed=tuple(one for one in own.values() if one.compute is not None),
        rollups=tuple(one for one in own.values() if one.rollup is not None and "." not in one.rollup.source),
        relations=relations,
        custom_keys=tuple((one.name, KINDS[one.kind].key) for one in custom if one.is_text),
        custom_defaults=tuple(one for one in custom if one.default is not None),
        formulas=formulas_of(spec),
        files=frozenset(name for name, one in spec.fields.items() if one.kind == "file"),
        locked_when=parse(spec.locked_when, spec, registry) if spec.locked_when else None,
        frozen_when=parse(spec.frozen_when, spec, registry) if spec.frozen_when else None,
        load=select(spec.cls).where(spec.cls.id == bindparam("pk")),
        inserter=Inserter(spec.cls, searched_columns(spec)),
    )


def _relations(registry: Registry) -> dict[str, tuple[RelationRollup, ...]]:
    found: dict[str, list[RelationRollup]] = {}
    for target in registry.entities.values():
        for spec in target.fields.values():
            if spec.rollup is None or "." not in spec.rollup.source or spec.extension is not None:
                continue
            source, _, reference = spec.rollup.source.rpartition(".")
            if source in registry.entities:
                attribute = registry.entities[source].fields[reference].attribute
                found.setdefault(source, []).append(RelationRollup(target, spec, spec.rollup, attribute))
    return {source: tuple(rules) for source, rules in found.items()}
