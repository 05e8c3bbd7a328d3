"""The immutable registry of everything declared: entities with their fields, choice lists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gigacore.entity.declare import Entity, Extension
from gigacore.entity.spec import EMPTY, ChoiceList, EntitySpec, FieldSpec
from gigacore.errors import NotFound, PluginError
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy import Table

    from gigacore.data.links import LinkKind
    from gigacore.filter.relations import RelationSource
    from gigacore.ui import BulkAction, RecordAction


T = TypeVar("T")
MOST_KEPT: Final = 1000
_WORDED: Final = "worded"


@dataclass(frozen=True, slots=True)
class SystemTarget:
    """A core table that fields may refer to although it is no entity: its table and the column that names a row."""

    table: str
    title: str


SYSTEM_TARGETS: Final[Mapping[str, SystemTarget]] = MappingProxyType(
    {
        "core.user": SystemTarget("core_user", "name"),
        "core.team": SystemTarget("core_team", "name"),
        "core.org": SystemTarget("core_org", "name"),
    }
)


@dataclass(frozen=True, slots=True)
class IdleReference:
    """A reference that holds although its plugin does not run: rows of `table` may stand on a record of `target`.

    `rule` is that of the reference, or `soft`.
    """

    plugin: str
    entity: str
    label_plural: str
    table: str
    column: str
    target: str
    rule: str


@dataclass(frozen=True, slots=True)
class IdleExtension:
    """Fields that a plugin which does not run keeps of the records of `entity`, in a table of their number."""

    plugin: str
    entity: str
    table: Table


@dataclass(frozen=True, slots=True)
class Registry:
    """All entities and choice lists of the enabled plugins, with custom fields. Never changed, only replaced.

    `relation_sources` declare what filters may ask of a record besides child rows and references (links, activities).
    `link_kinds` are the relations between records that plugins add, `bulk_actions` what they do to many at once. `idle`
    and `idle_extensions` are references and tables of plugins that are installed and do not run, as their stored
    manifests tell.
    `memo` keeps values derived from this registry (schemas, read plans), so that they die with it.
    """

    entities: Mapping[str, EntitySpec]
    choice_lists: Mapping[str, ChoiceList] = field(default_factory=lambda: EMPTY)
    generation: int = 0
    paths: Mapping[tuple[str, str], EntitySpec] = field(default_factory=dict)
    by_table: Mapping[str, EntitySpec] = field(default_factory=lambda: EMPTY)
    referrers: Mapping[str, tuple[FieldSpec, ...]] = field(default_factory=lambda: EMPTY)
    actions: Mapping[str, Mapping[str, RecordAction]] = field(default_factory=lambda: EMPTY)
    relation_sources: tuple[RelationSource, ...] = ()
    idle: tuple[IdleReference, ...] = ()
    idle_extensions: tuple[IdleExtension, ...] = ()
    link_kinds: tuple[LinkKind, ...] = ()
    bulk_actions: tuple[BulkAction, ...] = ()
    memo: dict[object, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    @classmethod
    def build(
        cls,
        entities: Iterable[type[Entity] | EntitySpec],
        *,
        extensions: Iterable[type[Extension]] = (),
        choice_lists: Iterable[ChoiceList] = (),
        actions: Iterable[RecordAction] = (),
        relation_sources: Iterable[RelationSource] = (),
        generation: int = 0,
    ) -> Registry:
        """The registry of these declarations. Raises PluginError when two share a name, path or table."""
        specs: dict[str, EntitySpec] = {}
        for declared in entities:
            spec = declared if isinstance(declared, EntitySpec) else declared.__giga__
            if spec.name in specs:
                raise PluginError(
                    spec.plugin,
                    msg("Two entities are called {name}.", name=spec.name),
                    fix=msg("Give one of the two another name in its EntityMeta."),
                )
            specs[spec.name] = spec
        for extension in extensions:
            _extend(specs, extension)
        lists = MappingProxyType({entry.name: entry for entry in choice_lists})
        found = _by_entity(actions, specs)
        sources = tuple(relation_sources)
        return cls(MappingProxyType(specs), lists, generation, actions=found, relation_sources=sources)._indexed()

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once, for keys that readers may word at will: `MOST_KEPT` of them are remembered."""
        worded: dict[Hashable, T] = self.memo.setdefault(_WORDED, {})
        found = worded.get(key)
        if found is None:
            if len(worded) >= MOST_KEPT:
                worded.clear()
            found = worded[key] = make()
        return found

    def _indexed(self) -> Registry:
        paths: dict[tuple[str, str], EntitySpec] = {}
        referrers: dict[str, list[FieldSpec]] = {}
        for spec in self.entities.values():
            if paths.setdefault((spec.plugin, spec.plural), spec) is not spec:
                raise PluginError(
                    spec.plugin,
                    msg("Two entities share the path {path}.", path=spec.api_path),
                    fix=msg("Give one of the two another plural= in its EntityMeta."),
                )
            for one in spec.fields.values():
                if one.target:
                    referrers.setdefault(one.target, []).append(one)
        return replace(
            self,
            paths=MappingProxyType(paths),
            by_table=MappingProxyType({spec.table.name: spec for spec in self.entities.values()}),
            referrers=MappingProxyType({target: tuple(found) for target, found in referrers.items()}),
        )

    def entity(self, name: str) -> EntitySpec:
        """The entity called `name` (`crm.lead`). Raises NotFound."""
        spec = self.entities.get(name)
        if spec is None:
            raise NotFound(msg("There is no entity {name}.", name=name))
        return spec

    def by_path(self, plugin: str, plural: str) -> EntitySpec:
        """The entity at `/<plugin>/<plural>`. Raises NotFound."""
        spec = self.paths.get((plugin, plural))
        if spec is None:
            raise NotFound
        return spec

    def of(self, record: Entity) -> EntitySpec:
        """The entity of a record."""
        return self.entity(type(record).__giga__.name)

    def choice_list(self, spec: FieldSpec) -> ChoiceList | None:
        """The choice list of a field, None when the field has none or its plugin is gone."""
        return self.choice_lists.get(spec.choice_list) if spec.choice_list else None

    def with_custom_fields(self, definitions: Iterable[FieldSpec], generation: int) -> Registry:
        """A registry in which entities carry these custom fields and no others; unknown entities are passed over."""
        more: dict[str, dict[str, FieldSpec]] = {}
        for spec in definitions:
            more.setdefault(spec.entity, {})[spec.name] = spec
        specs = {name: _with_custom(spec, more.get(name, {})) for name, spec in self.entities.items()}
        return replace(self, entities=MappingProxyType(specs), generation=generation)._indexed()

    def with_choice_lists(self, lists: Iterable[ChoiceList], generation: int) -> Registry:
        """A registry with these lists in place of those of the same name."""
        merged = {**self.choice_lists, **{entry.name: entry for entry in lists}}
        return replace(self, choice_lists=MappingProxyType(merged), generation=generation)


def _by_entity(
    actions: Iterable[RecordAction], specs: Mapping[str, EntitySpec]
) -> Mapping[str, Mapping[str, RecordAction]]:
    found: dict[str, dict[str, RecordAction]] = {}
    for action in actions:
        if action.entity not in specs:
            continue
        if found.setdefault(action.entity, {}).setdefault(action.name, action) is not action:
            raise PluginError(
                specs[action.entity].plugin,
                msg("Two actions of {entity} are called {name}.", entity=action.entity, name=action.name),
                fix=msg("Give one of the two another name."),
            )
    return MappingProxyType({entity: MappingProxyType(named) for entity, named in found.items()})


def _with_custom(spec: EntitySpec, custom: Mapping[str, FieldSpec]) -> EntitySpec:
    coded = {name: one for name, one in spec.fields.items() if not one.custom}
    return replace(spec, fields=MappingProxyType({**coded, **custom}))


def _extend(specs: dict[str, EntitySpec], extension: type[Extension]) -> None:
    meta = extension.__extension__
    if meta.entity not in specs:
        raise PluginError(
            meta.plugin,
            msg("{plugin} adds fields onto {entity}, which is not there.", plugin=meta.plugin, entity=meta.entity),
            fix=msg("Check the entity's name, and that its plugin stands in requires= and runs."),
        )
    specs[meta.entity] = specs[meta.entity].with_fields(extension.__fields__, {meta.plugin: extension})
