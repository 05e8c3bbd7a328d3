"""What people configured that names a field, a choice or a part of a plugin: views, automations, formulas, roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.access.tables import core_field_rule, core_grant, core_role
from gigacore.automation.rule import Kit
from gigacore.automation.rule import read as read_rule
from gigacore.automation.tables import core_rule
from gigacore.customfields import fault_of, read_definitions
from gigacore.errors import Invalid
from gigacore.filter import parse
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from gigacore.views.tables import core_view

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, FieldSpec, Registry

MOST: Final = 20
_PRIVATE: Final = "private"


@dataclass(frozen=True, slots=True)
class World:
    """What configuration may name: entities with their fields, and the triggers and actions of rules."""

    registry: Registry
    kit: Kit

    def without_field(self, entity: str, key: str) -> World:
        """The same once a custom field is gone."""
        specs = self.registry.entities.values()
        kept = [
            one
            for spec in specs
            for one in spec.fields.values()
            if one.custom and (spec.name, one.name) != (entity, key)
        ]
        return replace(self, registry=self.registry.with_custom_fields(kept, self.registry.generation))

    def without_plugin(self, plugin: str, offers: Iterable[str]) -> World:
        """The same once a plugin does not run; `offers` are the names of its triggers and actions."""
        gone = frozenset(offers)
        triggers = (one for one in self.kit.triggers.values() if one.name not in gone)
        actions = (one for one in self.kit.actions.values() if one.name not in gone)
        specs = {
            name: replace(spec, fields=MappingProxyType(dict(_left(spec, plugin))))
            for name, spec in self.registry.entities.items()
            if spec.plugin != plugin
        }
        return World(replace(self.registry, entities=MappingProxyType(specs)), Kit.of(triggers, actions))


def _left(spec: EntitySpec, plugin: str) -> Iterator[tuple[str, FieldSpec]]:
    """The fields of an entity that another plugin did not add, and that do not lead to one of its records."""
    for name, field in spec.fields.items():
        added = field.extension is not None and field.extension.__extension__.plugin == plugin
        if not added and (field.target or "").partition(".")[0] != plugin:
            yield name, field


def stranded(connection: sa.Connection, before: World, after: World) -> Iterator[Msg]:
    """Whatever works before and would name something unknown after."""
    yield from _bounded(_views(connection, lambda row: _fits(row, before.registry) and not _fits(row, after.registry)))
    yield from _bounded(_rules(connection, lambda body: _runs(body, before) and not _runs(body, after)))
    yield from _bounded(_formulas(connection, before.registry, after.registry))
    yield from _bounded(_grants(connection, before.registry, after.registry))
    yield from _bounded(_field_rules(connection, before.registry, after.registry))


def naming_choice(connection: sa.Connection, registry: Registry, list_name: str, key: str) -> Iterator[Msg]:
    """Views and automations whose conditions or steps name a value of a list."""
    fields = frozenset(_holding(registry, list_name))
    yield from _bounded(_views(connection, lambda row: names_value(row.filter, fields, key)))
    yield from _bounded(_rules(connection, lambda body: names_value(body, fields, key)))


def _holding(registry: Registry, list_name: str) -> Iterator[str]:
    """The names of the fields that take their values from a list."""
    for spec in registry.entities.values():
        yield from (one.name for one in spec.fields.values() if one.choice_list == list_name)
        for child in spec.children.values():
            yield from (one.name for one in child.fields.values() if one.choice_list == list_name)


def names_value(tree: Any, fields: frozenset[str], key: str) -> bool:
    """Whether a part of a tree sets one of these fields beside a value, or compares one with it."""
    if isinstance(tree, list):
        return any(names_value(part, fields, key) for part in tree)
    if not isinstance(tree, Mapping):
        return False
    about = str(tree.get("field", "")).rpartition(".")[2] in fields
    beside = (part for name, part in tree.items() if about or name.rpartition(".")[2] in fields)
    return any(_holds(part, key) for part in beside) or any(names_value(part, fields, key) for part in tree.values())


def _holds(value: Any, key: str) -> bool:
    return value == key or (isinstance(value, list) and key in value)


def _bounded(found: Iterable[Msg]) -> Iterator[Msg]:
    named = list(found)
    yield from named[:MOST]
    if len(named) > MOST:
        yield msg("and {count} more", count=len(named) - MOST)


def _views(connection: sa.Connection, is_meant: Callable[[Any], bool]) -> Iterator[Msg]:
    """Shared views by name; how many there are besides that people keep for themselves."""
    found = [row for row in connection.execute(sa.select(core_view).order_by(core_view.c.name)) if is_meant(row)]
    for row in found:
        if row.shared != _PRIVATE:
            yield msg("the shared view “{name}” uses it", name=row.name)
    if own := sum(row.shared == _PRIVATE for row in found):
        yield msg("private views that use it: {count}", count=own)


def _fits(view: Any, registry: Registry) -> bool:
    """Whether an entity has all that a view filters, sorts and shows by."""
    spec = registry.entities.get(view.entity)
    if spec is None or (view.filter is not None and not _reads(view.filter, spec, registry)):
        return False
    named = [*view.fields, *([view.sort.lstrip("-")] if view.sort else [])]
    return all(name.partition(".")[0] in spec.fields or name in spec.fields for name in named)


def _reads(tree: Any, spec: EntitySpec, registry: Registry) -> bool:
    try:
        parse(tree, spec, registry)
    except Invalid:
        return False
    return True


def _rules(connection: sa.Connection, is_meant: Callable[[Any], bool]) -> Iterator[Msg]:
    columns = core_rule.c
    for row in connection.execute(sa.select(columns.name, columns.body, columns.active).order_by(columns.name)):
        if is_meant(row.body):
            text = msg("the automation “{name}” uses it", name=row.name)
            yield text if row.active else msg("{use} (switched off)", use=text)


def _runs(body: Any, world: World) -> bool:
    try:
        read_rule(body, world.registry, world.kit)
    except Invalid:
        return False
    return True


def _formulas(connection: sa.Connection, before: Registry, after: Registry) -> Iterator[Msg]:
    for one in read_definitions(connection):
        works = one.active and one.formula and one.key in _fields_of(one.entity, after)
        if works and fault_of(one, before) is None and fault_of(one, after) is not None:
            yield msg("the formula “{name}” uses it and would have no values", name=one.label)


def _fields_of(entity: str, registry: Registry) -> Mapping[str, FieldSpec]:
    spec = registry.entities.get(entity)
    return spec.fields if spec else {}


def _grants(connection: sa.Connection, before: Registry, after: Registry) -> Iterator[Msg]:
    grants = sa.select(core_grant.c.entity, core_grant.c.filter, core_role.c.key, core_role.c.labels).join(core_role)
    for row in connection.execute(grants.where(core_grant.c.filter.is_not(None)).order_by(core_role.c.key)):
        was, stays = before.entities.get(row.entity), after.entities.get(row.entity)
        if was and _reads(row.filter, was, before) and not (stays and _reads(row.filter, stays, after)):
            yield msg("a right of the role “{name}” depends on it", name=_name(row))


def _field_rules(connection: sa.Connection, before: Registry, after: Registry) -> Iterator[Msg]:
    rules = sa.select(core_field_rule.c.entity, core_field_rule.c.field, core_role.c.key, core_role.c.labels)
    for row in connection.execute(rules.join(core_role).order_by(core_role.c.key)):
        if row.field in _fields_of(row.entity, before) and row.field not in _fields_of(row.entity, after):
            yield msg("the role “{name}” has a rule of its own for it", name=_name(row))


def _name(role: Any) -> str:
    return str(role.labels.get("en") or role.key)
