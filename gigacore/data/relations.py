"""What filters may ask of any record besides its fields, child rows and references: its links and activities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, or_, select

from gigacore.data.tables import core_activity, core_activity_link, core_link
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.filter.relations import RowSpec, ToMany, Via, Visible

if TYPE_CHECKING:
    from gigacore.entity import Registry

LINKS: Final = "links"
ACTIVITIES: Final = "activities"


class CoreRelations:
    """`activities`; `links` (by kind) and `links.<entity>` (the linked records of that entity), in either direction.

    Where an entity has child rows of that name, they come first; `core.links` and `core.activities` always mean these.
    """

    def relation(self, name: str, entity: EntitySpec, registry: Registry) -> ToMany | None:
        """The relation called `name` of `entity`, or None."""
        bare = name.removeprefix("core.")
        if bare == ACTIVITIES:
            via = Via(core_activity_link, "record_id", "activity_id", (("entity", entity.name),))
            return ToMany(name, _ACTIVITY, via=(via,))
        if bare == LINKS:
            ends = (Via(core_link, f"{end}_id", "id", ((f"{end}_entity", entity.name),)) for end in ("from", "to"))
            return ToMany(name, _LINK, via=tuple(ends))
        other = registry.entities.get(bare.removeprefix(f"{LINKS}.")) if bare.startswith(f"{LINKS}.") else None
        if other is None:
            return None
        both = (_linked(entity, other, "from", "to"), _linked(entity, other, "to", "from"))
        return ToMany(name, other, via=both)


def _linked(entity: EntitySpec, other: EntitySpec, own: str, far: str) -> Via:
    fixed = ((f"{own}_entity", entity.name), (f"{far}_entity", other.name))
    return Via(core_link, f"{own}_id", f"{far}_id", fixed)


def _seen_activities(registry: Registry, visible: Visible) -> ColumnElement[bool] | None:
    """An activity is seen where its source is; one without a source wherever a linked record is."""
    sources = _ends(registry, visible, core_activity.c.source_entity, core_activity.c.source_id)
    return None if sources is None else or_(core_activity.c.source_entity.is_(None), sources)


def _seen_links(registry: Registry, visible: Visible) -> ColumnElement[bool] | None:
    """A link is seen by whoever sees both its ends."""
    columns = core_link.c
    first = _ends(registry, visible, columns.from_entity, columns.from_id)
    second = _ends(registry, visible, columns.to_entity, columns.to_id)
    return None if first is None or second is None else and_(first, second)


def _ends(
    registry: Registry, visible: Visible, entity: ColumnElement[str], number: ColumnElement[int]
) -> ColumnElement[bool] | None:
    """Whether the record named by two columns may be seen; None when all may."""
    limits = [(spec, visible(spec)) for spec in registry.entities.values()]
    if all(limit is None for _, limit in limits):
        return None
    return or_(false(), *(and_(entity == spec.name, number.in_(_ids(spec, limit))) for spec, limit in limits))


def _ids(spec: EntitySpec, limit: ColumnElement[bool] | None) -> Select[Any]:
    ids = select(spec.table.c.id).select_from(spec.table).correlate_except(spec.table)
    return ids if limit is None else ids.where(limit)


def _fields(*fields: FieldSpec) -> Mapping[str, FieldSpec]:
    return MappingProxyType(
        {field.name: replace(field, attribute=field.name, column=field.name, plugin="core") for field in fields}
    )


_ACTIVITY: Final = RowSpec(
    "core.activity",
    _fields(
        FieldSpec("kind", "choice", label="Kind"),
        FieldSpec("at", "datetime", label="When"),
        FieldSpec("direction", "choice", label="Direction"),
        FieldSpec("title", "text", label="Title"),
        FieldSpec("actor_id", "ref", label="By", target="core.user", soft=True),
    ),
    core_activity,
    _seen_activities,
)
_LINK: Final = RowSpec(
    "core.link",
    _fields(FieldSpec("kind", "choice", label="Kind"), FieldSpec("created_at", "datetime", label="Created")),
    core_link,
    _seen_links,
)
