"""Definitions of custom fields as values, read from their table and turned into fields and choice lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from gigacore.customfields.tables import core_custom_field
from gigacore.entity import BadValue, Choice, ChoiceList, FieldSpec, Registry
from gigacore.entity.kinds import KINDS, LONG_TEXT_LENGTH, TEXT_LENGTH
from gigacore.entity.spec import EMPTY
from gigacore.formula import compile_formula
from gigacore.messages import Msg
from gigacore.values import dataclass

KINDS_OFFERED: Final = (
    "text",
    "longtext",
    "integer",
    "decimal",
    "money",
    "date",
    "datetime",
    "choice",
    "choices",
    "boolean",
    "url",
    "email",
    "phone",
    "ref",
    "file",
)
"""What a custom field may be."""

KEYED: Final = frozenset({"text", "url", "email", "phone"})
SECTION: Final = "custom"


class Executor(Protocol):
    """A connection or session."""

    def execute(self, statement: sa.Select[Any], /) -> sa.Result[Any]:
        """Run the statement."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One custom field as an administrator defined it.

    `default` is a JSON value; `plugin` is empty unless a plugin brought the field. With a `formula` its values are
    computed, and `kind` is that of the result.
    """

    uid: UUID
    entity: str
    key: str
    kind: str
    label: str
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    help: str = ""
    section: str = ""
    position: int = 0
    required: bool = False
    unique: bool = False
    indexed: bool = False
    listed: bool = False
    active: bool = True
    default: Any = None
    choices: tuple[Choice, ...] = ()
    choice_list: str | None = None
    target: str | None = None
    formula: str = ""
    plugin: str = ""

    @property
    def own_list(self) -> str:
        """The name of the choice list that the field brings along."""
        return f"custom.{self.entity}.{self.key}"

    @property
    def has_index(self) -> bool:
        """Whether an index belongs to the field."""
        return self.active and (self.indexed or self.unique)

    def field(self) -> FieldSpec:
        """The field as every derived surface knows it."""
        plain = FieldSpec(
            name=self.key, kind=self.kind, label=self.label, labels=self.labels, help=self.help, entity=self.entity,
            plugin=self.plugin or "custom", attribute="custom", column="custom", custom=True, uid=str(self.uid),
            key_column="custom_key" if self.kind in KEYED else None, required=self.required, unique=self.unique,
            indexed=self.has_index, sort=self.has_index, listed=self.listed, section=self.section or SECTION,
            max_length=_max_length(self.kind), target=self.target, soft=self.target is not None,
            choices=tuple((choice.key, choice.label) for choice in self.choices),
            choice_list=self.choice_list or (self.own_list if self.choices else None), default=None,
            formula=self.formula, computed=bool(self.formula), readonly=bool(self.formula),
        )  # fmt: skip
        return with_default(plain, self.default)

    def choices_as_list(self) -> ChoiceList | None:
        """The choice list that the field brings along, if it does."""
        return ChoiceList(self.own_list, self.label, self.choices) if self.choices else None


def with_default(spec: FieldSpec, default: Any) -> FieldSpec:
    """The field with a default given as JSON. Raises BadValue when the field does not accept it."""
    if default is None:
        return spec
    value = KINDS[spec.kind].parse(default, spec)
    return replace(spec, default=(lambda: list(value)) if isinstance(value, list) else value)


def _max_length(kind: str) -> int | None:
    return TEXT_LENGTH if kind in KEYED else LONG_TEXT_LENGTH if kind == "longtext" else None


# From and to rows -----------------------------------------------------------------------------------------------------


def to_row(definition: Definition) -> dict[str, Any]:
    """The columns of a definition."""
    return {
        "uid": definition.uid,
        "plugin": definition.plugin,
        "entity": definition.entity,
        "key": definition.key,
        "kind": definition.kind,
        "label": definition.label,
        "labels": dict(definition.labels),
        "help": definition.help,
        "section": definition.section,
        "position": definition.position,
        "is_required": definition.required,
        "is_unique": definition.unique,
        "is_indexed": definition.indexed,
        "is_listed": definition.listed,
        "is_active": definition.active,
        "default_value": definition.default,
        "choices": [choice_json(choice) for choice in definition.choices],
        "choice_list": definition.choice_list,
        "target": definition.target,
        "formula": definition.formula,
    }


def choice_json(choice: Choice) -> dict[str, Any]:
    """A choice as it stands in the definition."""
    return {
        "key": choice.key,
        "label": choice.label,
        "labels": dict(choice.labels),
        "colour": choice.colour,
        "kind": choice.kind,
        "active": choice.active,
    }


def from_row(row: Mapping[str, Any]) -> Definition:
    """The definition in a row of the table."""
    options = {name.removeprefix("is_"): row[name] for name in row if name.startswith("is_")}
    same = (
        "uid",
        "plugin",
        "entity",
        "key",
        "kind",
        "label",
        "help",
        "section",
        "position",
        "choice_list",
        "target",
        "formula",
    )
    choices = tuple(
        Choice(**{**stored, "labels": MappingProxyType(stored["labels"])}, position=place)
        for place, stored in enumerate(row["choices"])
    )
    return Definition(
        **{name: row[name] for name in same},
        **options,
        labels=MappingProxyType(row["labels"]),
        default=row["default_value"],
        choices=choices,
    )


def read_definitions(executor: Executor, entity: str | None = None) -> tuple[Definition, ...]:
    """Every definition, inactive ones too, in the order of forms."""
    columns = core_custom_field.c
    statement = sa.select(core_custom_field).order_by(columns.entity, columns.position, columns.id)
    if entity is not None:
        statement = statement.where(columns.entity == entity)
    return tuple(from_row(row._asdict()) for row in executor.execute(statement))


def load_definitions(executor: Executor) -> tuple[FieldSpec, ...]:
    """The active custom fields of all entities."""
    return tuple(definition.field() for definition in read_definitions(executor) if definition.active)


def complete(registry: Registry, executor: Executor, generation: int) -> Registry:
    """`registry` with the custom fields of the database and the choice lists that they bring along."""
    active = [definition for definition in read_definitions(executor) if definition.active]
    lists = (definition.choices_as_list() for definition in active)
    brought = [entry for entry in lists if entry is not None]
    completed = registry.with_custom_fields(_fields(active, registry), generation)
    return completed.with_choice_lists(brought, generation) if brought else completed


def _fields(definitions: Iterable[Definition], registry: Registry) -> list[FieldSpec]:
    fields = [definition.field() for definition in definitions]
    return [with_sources(one, beside(one, fields, registry)) if one.formula else one for one in fields]


def beside(field: FieldSpec, custom: Iterable[FieldSpec], registry: Registry) -> Mapping[str, FieldSpec]:
    """The other fields of the entity that a field belongs to: those in code, and `custom` ones."""
    entity = registry.entities.get(field.entity)
    coded = {name: one for name, one in entity.fields.items() if not one.custom} if entity else {}
    return coded | {one.name: one for one in custom if one.entity == field.entity and one.name != field.name}


def fault_of(definition: Definition, registry: Registry) -> Msg | None:
    """Why a formula has no values now: a field that it reads is gone. None while it works."""
    if not definition.formula:
        return None
    fields = registry.entity(definition.entity).fields.values() if definition.entity in registry.entities else ()
    try:
        compile_formula(definition.formula, definition.kind, beside(definition.field(), fields, registry))
    except BadValue as error:
        return error.message
    return None


def with_sources(field: FieldSpec, others: Mapping[str, FieldSpec]) -> FieldSpec:
    """A formula's field with the fields that it reads; none while one of them is gone, for then it has no value."""
    try:
        sources = compile_formula(field.formula, field.kind, others).sources
    except BadValue:
        return field
    return replace(field, depends_on=tuple(sorted(sources)))
