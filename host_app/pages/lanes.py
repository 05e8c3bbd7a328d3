"""The columns of a board and the sections of a list by status: what they are, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gigacore import access, records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.records import ListRequest
from gigacore.values import dataclass
from host_app.pages.cells import choices_of
from host_app.pages.columns import title_of
from host_app.pages.listing import Listing
from host_app.pages.reader import Reader

BOARDS: Final = frozenset({"choice", "enum", "ref"})
MOST: Final = 20
CLOSED: Final = frozenset({"won", "lost"})


@dataclass(frozen=True, slots=True)
class Place:
    """One column before it is filled: the value of the status, its name, colour and meaning."""

    key: str
    label: str
    colour: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The columns of an entity. Where there are several sets of them (pipelines), `group` is the field that chooses."""

    field: FieldSpec
    places: tuple[Place, ...]
    sets: tuple[tuple[int, str], ...] = ()
    group: str = ""
    chosen: int = 0

    def preset(self, place: Place) -> dict[str, object]:
        """What a new record of a column has from the start."""
        return {self.field.name: place.key} | ({self.group: self.chosen} if self.group else {})

    def condition(self, place: Place) -> dict[str, Any]:
        """The records of a column, in the filter language."""
        value: Any = int(place.key) if self.field.kind == "ref" else place.key
        return {"field": self.field.name, "op": "eq", "value": value}


def board_field(spec: EntitySpec) -> FieldSpec | None:
    """The field whose values are the columns, if the entity has a board."""
    field = spec.fields.get(spec.board or "")
    if field is None or field.kind not in BOARDS or field.target in ("core.user", "core.team"):
        return None
    return field


def readable_board(spec: EntitySpec, who: Reader) -> FieldSpec | None:
    """The same, if the reader may see it."""
    field = board_field(spec)
    return field if field is not None and access.may_read(who.ctx, spec, field) else None


def places_of(spec: EntitySpec, field: FieldSpec, wanted: str, who: Reader) -> Places:
    """The columns; `wanted` chooses among several sets."""
    if field.kind != "ref":
        return Places(field, tuple(_values(field, who)))
    target = who.registry.entity(field.target or "")
    group = _group_field(spec, target)
    if group is None:
        return Places(field, _stages(target, None, who))
    sets = who.registry.entity(group.target or "")
    items = records.page(who.ctx, sets.name, ListRequest(fields=("id", sets.title), limit=50, count=False)).items
    groups = tuple((int(item["id"]), title_of(sets, item)) for item in items)
    chosen = next((number for number, _label in groups if str(number) == wanted), groups[0][0] if groups else 0)
    stages = _stages(target, {"field": group.name, "op": "eq", "value": chosen}, who)
    return Places(field, stages, groups, group.name, chosen)


def _values(field: FieldSpec, who: Reader) -> Iterable[Place]:
    listed = who.registry.choice_list(field)
    for key, label, colour, active in choices_of(field, who):
        if active:
            yield Place(key, label, colour, listed.kind_of(key) if listed else "")


def _group_field(spec: EntitySpec, target: EntitySpec) -> FieldSpec | None:
    """The reference that both the records and their stages have: stages of one pipeline belong together."""
    shared = (target.fields[name] for name in target.fields if name in spec.fields)
    return next((one for one in shared if one.kind == "ref" and one.required and one.target in _names(spec)), None)


def _names(spec: EntitySpec) -> set[str]:
    return {field.target for field in spec.fields.values() if field.target and not field.target.startswith("core.")}


def _stages(target: EntitySpec, tree: object, who: Reader) -> tuple[Place, ...]:
    extra = tuple(name for name in (target.colour, "kind") if name and name in target.fields)
    wanted = ListRequest(tree, fields=("id", target.title, *extra), limit=MOST, count=False)
    items = records.page(who.ctx, target.name, wanted).items
    colour = target.colour or "colour"
    return tuple(Place(str(one["id"]), title_of(target, one), one.get(colour) or "blue", _kind(one)) for one in items)


def _kind(item: Mapping[str, Any]) -> str:
    found = item.get("kind") or ""
    return str(getattr(found, "value", found))


def pages_of(places: Places, state: Listing, request: ListRequest, who: Reader) -> list[records.Page]:
    """The first records of every column, with the list's own filter and search."""
    here = replace(request, filter=state.filter.tree())
    return records.pages(who.ctx, state.spec.name, here, [places.condition(place) for place in places.places])


def page_of(place: Place, places: Places, state: Listing, request: ListRequest, who: Reader) -> records.Page:
    """The records of one column, from where the cursor of `request` begins."""
    tree, here = state.filter.tree(), places.condition(place)
    both = {"all": [tree, here]} if tree is not None else here
    return records.page(who.ctx, state.spec.name, replace(request, filter=both))


def asked(spec: EntitySpec, place: Place, who: Reader) -> Sequence[FieldSpec]:
    """What to ask of whoever moves a record here: the fields that the action of the column's meaning asks for."""
    action = who.registry.actions.get(spec.name, {}).get(place.kind) if place.kind in CLOSED else None
    if action is None:
        return ()
    writable = {field.name for field in who.writable(spec)}
    return [spec.fields[one.name] for one in action.params if one.name in writable]
