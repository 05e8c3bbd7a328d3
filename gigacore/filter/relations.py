"""To-many relations a condition may ask about: child rows, records that refer here, and what others declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import ColumnElement, FromClause

from gigacore.entity.spec import ChildSpec, EntitySpec, FieldSpec
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity.registry import Registry


class Rows(Protocol):
    """What related rows look like; `EntitySpec` and `ChildSpec` fit."""

    @property
    def name(self) -> str:
        """What the rows are called."""

    @property
    def fields(self) -> Mapping[str, FieldSpec]:
        """The fields that conditions on a row may name."""

    @property
    def table(self) -> FromClause:
        """The rows' table; its key is `id`."""


Visible = Callable[[EntitySpec], ColumnElement[bool] | None]
"""The criterion, on an entity's own table, of the records that may be seen; None = all."""


@dataclass(frozen=True, slots=True)
class RowSpec:
    """Rows that are neither an entity nor child rows, such as activities.

    `limit(registry, visible)` gives the criterion, on `table`, of the rows that may be seen; None = all.
    """

    name: str
    fields: Mapping[str, FieldSpec]
    table: FromClause
    limit: Callable[[Registry, Visible], ColumnElement[bool] | None] | None = None


@dataclass(frozen=True, slots=True)
class Via:
    """A table of pairs: `owner` holds the record's id, `row` the related row's; `fixed` columns hold these values."""

    table: FromClause
    owner: str
    row: str
    fixed: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class ToMany:
    """One relation. Either `owner`, the rows' field or column with the record's id, or `via` tables of pairs.

    Rows that are records of an entity are seen only where that entity's policy allows it.
    """

    name: str
    rows: Rows
    owner: FieldSpec | str | None = None
    via: tuple[Via, ...] = ()

    @property
    def entity(self) -> EntitySpec | None:
        """The entity whose records the rows are, if they are records."""
        return self.rows if isinstance(self.rows, EntitySpec) else None

    def seen(self, registry: Registry, visible: Visible) -> ColumnElement[bool] | None:
        """The criterion, on the rows' own table, of those that may be seen; None = all."""
        if isinstance(self.rows, EntitySpec):
            return visible(self.rows)
        limit = self.rows.limit if isinstance(self.rows, RowSpec) else None
        return None if limit is None else limit(registry, visible)


class RelationSource(Protocol):
    """Declares relations beyond child rows and references: links, activities, tags."""

    def relation(self, name: str, entity: EntitySpec, registry: Registry) -> ToMany | None:
        """The relation called `name` of `entity`, or None."""


def find_relation(
    name: str, entity: EntitySpec, registry: Registry, sources: Iterable[RelationSource] = ()
) -> ToMany | None:
    """The relation called `name` of `entity`, or None.

    Child rows go by their attribute; records that refer here by `<entity>.<field>` or, where one field only of that
    entity does, by `<entity>`; then come those that `sources` declare.
    """
    if child := entity.children.get(name):
        return child_relation(child)
    if found := _reverse(name, entity, registry):
        return found
    return next((found for source in sources if (found := source.relation(name, entity, registry))), None)


def child_relation(child: ChildSpec) -> ToMany:
    """The relation to child rows."""
    return ToMany(child.name, child, owner="parent_id")


def _reverse(name: str, entity: EntitySpec, registry: Registry) -> ToMany | None:
    other = registry.entities.get(name)
    if other is not None:
        fields = [field for field in other.fields.values() if field.target == entity.name]
        return ToMany(name, other, owner=fields[0]) if len(fields) == 1 else None
    parts = name.split(".", 2)
    other = registry.entities.get(".".join(parts[:2]))
    if other is None or len(parts) < 3:
        return None
    field = other.fields.get(parts[2])
    return ToMany(name, other, owner=field) if field is not None and field.target == entity.name else None
