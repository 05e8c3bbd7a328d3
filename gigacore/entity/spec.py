"""Values that describe entities and fields: what every derived surface (form, list, API, import ...) reads."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy import Table

    from gigacore.entity.declare import Child, Entity, Extension

Access = Literal["owned", "parent", "reference"]
DeleteRule = Literal["restrict", "set_null", "cascade"]
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field, whether written in code, added by a plugin or by an administrator.

    `name` is its key in API, forms, filters and imports (`amount`, `x_region`, `lead_scoring.score`); `attribute` the
    mapped Python attribute (for money `<name>_value`), `column` the column; `key_column` the folded text column.
    `readonly` fields are owned by the server and stand in no input schema. Forms ask for a field with a `switch` only
    while the setting of that name is on. A file field with `image` holds a picture of at most so many pixels in width
    and height. A text with a `vocabulary` (`countries`, `languages`) holds a code that pages show by name. `formula` is
    the text from which an administrator's computed field takes its value.
    """

    name: str
    kind: str
    label: str
    entity: str = ""
    plugin: str = ""
    attribute: str = ""
    column: str = ""
    key_column: str | None = None
    help: str = ""
    required: bool = False
    readonly: bool = False
    max_length: int | None = None
    minimum: Any = None
    maximum: Any = None
    enum: type[enum.Enum] | None = None
    choices: tuple[tuple[str, str], ...] = ()
    choice_list: str | None = None
    image: tuple[int, int] | None = None
    target: str | None = None
    on_delete: DeleteRule | None = None
    soft: bool = False
    default: Any = None
    listed: bool = False
    search: bool = False
    sort: bool = False
    indexed: bool = False
    unique: bool = False
    personal: bool = False
    secret: bool = False
    computed: bool = False
    custom: bool = False
    uid: str = ""
    section: str = ""
    switch: str = ""
    vocabulary: str = ""
    extension: type[Extension] | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    compute: Callable[[Any], Any] | None = None
    formula: str = ""
    depends_on: tuple[str, ...] = ()
    rollup: RollupSpec | None = None

    @property
    def currency_attribute(self) -> str:
        """The mapped attribute that holds a money field's currency."""
        return f"{self.attribute.removesuffix('_value')}_currency"

    @property
    def is_text(self) -> bool:
        """Whether comparisons fold case and accents."""
        return self.kind in TEXT_KINDS

    def default_value(self) -> Any:
        """A fresh default for a new record."""
        return self.default() if callable(self.default) else self.default


TEXT_KINDS: Final = frozenset({"text", "longtext", "url", "email", "phone"})


@dataclass(frozen=True, slots=True)
class RollupSpec:
    """A stored sum, count or maximum.

    `source` is an attribute of child rows, or `<entity>.<ref field>` for records that refer here.
    """

    source: str
    function: Literal["sum", "count", "max"]
    field: str | None = None


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """Rows that belong to one record and live, change and die with it."""

    name: str
    label: str
    entity: str
    cls: type[Child]
    fields: Mapping[str, FieldSpec]
    order_by: str = "position"

    @property
    def readonly(self) -> bool:
        """Whether the rows are the server's own, so that they stand in no input schema."""
        return all(spec.readonly for spec in self.fields.values())

    @property
    def table(self) -> Table:
        """The child rows' table."""
        return self.cls.__table__  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed change of a choice field, from any of `sources` to any of `targets` (keys or `kind:<kind>`, `*`).

    A field that has transitions changes in no other way. `action` = only that action may do it.
    """

    field: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    action: str | None = None


SIGHT: Final = ("owner_id", "team_id", "visibility")
"""The columns that say who sees an owned record: an index that ends in them tells what to pass over without the row."""


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """One kind of record and everything that is derived from its declaration."""

    name: str
    plugin: str
    short: str
    plural: str
    label: str
    label_plural: str
    title: str
    cls: type[Entity]
    fields: Mapping[str, FieldSpec]
    children: Mapping[str, ChildSpec] = field(default_factory=lambda: EMPTY)
    icon: str = "file"
    group: str = "Sales"
    board: str | None = None
    access: Access = "owned"
    parent_field: str | None = None
    subject: str | None = None
    id_prefix: str = ""
    transitions: tuple[Transition, ...] = ()
    locked_when: Mapping[str, Any] | None = None
    frozen_when: Mapping[str, Any] | None = None
    locked_reason: str = ""
    required_any: tuple[str, ...] = ()
    sort: str = "-id"
    by_name: str = ""
    key_facts: tuple[str, ...] = ()
    hidden: bool = False
    label_new: str = ""
    labels: str | None = None
    colour: str | None = None
    extensions: Mapping[str, type[Extension]] = field(default_factory=lambda: EMPTY)

    @property
    def table(self) -> Table:
        """The entity's table."""
        return self.cls.__table__  # type: ignore[return-value]

    @property
    def api_path(self) -> str:
        """`crm/leads`: the path below `/api/v1/` and of its pages."""
        return f"{self.plugin}/{self.plural}"

    @property
    def owned(self) -> bool:
        """Whether rows carry owner, team and visibility."""
        return self.access == "owned"

    @property
    def title_field(self) -> FieldSpec:
        """The field that names a record."""
        return self.fields[self.title]

    def field(self, name: str) -> FieldSpec:
        """The field called `name`. Raises Invalid when there is none."""
        spec = self.fields.get(name)
        if spec is None:
            raise Invalid.of(name, msg("There is no field {name}.", name=name), "unknown_field")
        return spec

    def with_fields(
        self, more: Mapping[str, FieldSpec], extensions: Mapping[str, type[Extension]] = EMPTY
    ) -> EntitySpec:
        """The same entity with further fields and extension tables."""
        return replace(
            self,
            fields=MappingProxyType({**self.fields, **more}),
            extensions=MappingProxyType({**self.extensions, **extensions}),
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice list: a stable key, a label (English; `labels` by language), colour and semantic kind."""

    key: str
    label: str
    kind: str = ""
    colour: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    active: bool = True
    position: int = 0


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """A list that an administrator edits. Code tests `kind`, never a key or label.

    `open` lists take a new value from anybody who edits a record (tags, contact types).
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    open: bool = False
    _by_key: Mapping[str, Choice] = field(init=False, repr=False, compare=False)
    _first: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lays out what every write of a record asks for."""
        latest_first = self.choices[::-1]
        object.__setattr__(self, "_by_key", {choice.key: choice for choice in latest_first})
        object.__setattr__(self, "_first", {choice.kind: choice.key for choice in latest_first if choice.active})

    @property
    def plugin(self) -> str:
        """The plugin that declares the list."""
        return self.name.split(".", 1)[0]

    def get(self, key: str) -> Choice | None:
        """The choice with that key."""
        return self._by_key.get(key)

    def kind_of(self, key: str | None) -> str:
        """The semantic kind of a key; empty when unknown."""
        found = self._by_key.get(key) if key is not None else None
        return found.kind if found else ""

    def first_of(self, kind: str) -> str | None:
        """The key of the first active choice of that kind."""
        return self._first.get(kind)

    def keys_of(self, *kinds: str) -> tuple[str, ...]:
        """The keys of all choices of these kinds."""
        return tuple(choice.key for choice in self.choices if choice.kind in kinds)
