"""The board of an entity: its records in columns by status, moved from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access, records
from gigacore.entity import EntitySpec, FieldSpec, Money
from gigacore.errors import NotFound
from gigacore.records import ListRequest
from gigacore.records.totals import totals
from host_app.api.policies import entity_at, on_entity
from host_app.pages import listing
from host_app.pages.addresses import list_url, new_url, record_url, with_query
from host_app.pages.cells import Draw, choices_of, drawer
from host_app.pages.colours import pill_class
from host_app.pages.columns import new_label, title_of, value_of
from host_app.pages.frame import page as answer
from host_app.pages.listing import Listing
from host_app.pages.lists import counted
from host_app.pages.reader import Reader, reader
from host_app.routing import route

BOARDS: Final = frozenset({"choice", "enum", "ref"})
CARDS: Final = 20
MOST_COLUMNS: Final = 20
MOST_FACTS: Final = 3
BARE: Final = frozenset({"integer", "decimal", "boolean"})
WEIGHTED: Final = "weighted"


@dataclass(frozen=True, slots=True)
class Place:
    """One column before it is filled: the value of the status, its name and colour."""

    key: str
    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class Card:
    """One record: its number, title, and facts drawn."""

    id: int
    url: str
    title: str
    facts: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """One column with its cards, their count and sums, and the way to the rest."""

    key: str
    label: str
    colour: str
    count: str
    sums: str
    weighted: str
    cards: tuple[Card, ...]
    more: str
    create: str


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/<plugin>/<plural>/board", policy=on_entity("view"))(show)


def has_board(spec: EntitySpec) -> bool:
    """Whether the records of an entity can be shown in columns."""
    field = spec.fields.get(spec.board or "")
    return field is not None and field.kind in BOARDS and field.target not in ("core.user", "core.team")


def show(plugin: str, plural: str) -> ResponseReturnValue:
    """The board; `?group=` chooses among several sets of columns (pipelines)."""
    spec, who = entity_at(plugin, plural), reader()
    field = spec.fields.get(spec.board or "")
    if field is None or not has_board(spec) or not access.may_read(who.ctx, spec, field):
        raise NotFound
    args = request.args.copy()
    wanted = args.pop("group", "")
    state = listing.read(spec, args)
    groups, chosen, places = _places(spec, field, wanted, who)
    lanes = [_lane(place, state, field, chosen, who) for place in places[:MOST_COLUMNS]]
    return answer(
        "board.html",
        title=who.t(spec.label_plural),
        path=list_url(spec),
        list_url=state.url,
        lanes=lanes,
        groups=[(str(number), label, number == chosen.get("id")) for number, label in groups],
        q=state.q,
        kept=state.kept("q"),
        may_move=who.may("edit", spec.name) and not field.readonly and who.may_write(spec, field),
        may_create=who.may("create", spec.name),
        create_label=new_label(spec, who),
        pill_class=pill_class,
    )


def _places(
    spec: EntitySpec, field: FieldSpec, wanted: str, who: Reader
) -> tuple[list[tuple[int, str]], dict[str, Any], list[Place]]:
    """The sets of columns, the chosen one, and its columns."""
    if field.kind != "ref":
        found = [Place(key, label, colour) for key, label, colour, active in choices_of(field, who) if active]
        return [], {}, found
    target = who.registry.entity(field.target or "")
    group = _group_field(spec, target)
    if group is None:
        return [], {}, _stages(target, None, who)
    sets = who.registry.entity(group.target or "")
    items = records.page(who.ctx, sets.name, ListRequest(fields=("id", sets.title), limit=50, count=False)).items
    groups = [(int(item["id"]), title_of(sets, item)) for item in items]
    chosen = next((number for number, _label in groups if str(number) == wanted), groups[0][0] if groups else 0)
    tree = {"field": group.name, "op": "eq", "value": chosen}
    return groups, {"id": chosen, "field": group.name}, _stages(target, tree, who)


def _group_field(spec: EntitySpec, target: EntitySpec) -> FieldSpec | None:
    """The reference that both the records and their stages have: stages of one pipeline belong together."""
    shared = (target.fields[name] for name in target.fields if name in spec.fields)
    return next((one for one in shared if one.kind == "ref" and one.required and one.target in _names(spec)), None)


def _names(spec: EntitySpec) -> set[str]:
    return {field.target for field in spec.fields.values() if field.target and not field.target.startswith("core.")}


def _stages(target: EntitySpec, tree: object, who: Reader) -> list[Place]:
    extra = tuple(name for name in ("colour", "kind") if name in target.fields)
    wanted = ListRequest(tree, fields=("id", target.title, *extra), limit=MOST_COLUMNS, count=False)
    items = records.page(who.ctx, target.name, wanted).items
    return [Place(str(item["id"]), title_of(target, item), _colour(item)) for item in items]


def _colour(item: Mapping[str, Any]) -> str:
    """A stage's own colour, else one that fits what it means."""
    return item.get("colour") or {"won": "green", "lost": "grey"}.get(str(item.get("kind")), "blue")


def _lane(place: Place, state: Listing, field: FieldSpec, chosen: Mapping[str, Any], who: Reader) -> Lane:
    spec = state.spec
    value: Any = int(place.key) if field.kind == "ref" else place.key
    here = {"field": field.name, "op": "eq", "value": value}
    tree = state.filter.tree()
    both = {"all": [tree, here]} if tree is not None else here
    facts = _fact_fields(spec, who)
    names = ("id", spec.title, *(name for name, _draw in facts))
    found = records.page(who.ctx, spec.name, ListRequest(both, fields=names, limit=CARDS, search=state.q))
    cards = tuple(_card(spec, item, facts) for item in found.items)
    sums = "" if state.q else _sum(spec, _money(spec), both, who)
    weighted = "" if state.q or not sums else _sum(spec, spec.fields.get(WEIGHTED), both, who)
    preset = {field.name: place.key} | ({chosen["field"]: chosen["id"]} if chosen else {})
    more = with_query(list_url(spec), [*state.kept(), (field.name, place.key)]) if found.next else ""
    count = counted(found.count, who) if found.count else ""
    create = new_url(spec, **preset, back=request.full_path.rstrip("?"))
    return Lane(place.key, place.label, place.colour, count, sums, weighted, cards, more, create)


def _money(spec: EntitySpec) -> FieldSpec | None:
    return next((one for one in spec.fields.values() if one.kind == "money" and one.listed and not one.custom), None)


def _sum(spec: EntitySpec, field: FieldSpec | None, tree: object, who: Reader) -> str:
    """The sums of a column by currency, or their total where there are many currencies."""
    if field is None or field.kind != "money" or field.custom or not access.may_read(who.ctx, spec, field):
        return ""
    found = totals(who.ctx, spec.name, field.name, tree)
    shown: Iterable[Money] = found.sums if len(found.sums) < 3 or found.missing else (found.total,)
    return " + ".join(who.formats.money(one.amount, one.currency) for one in shown)


def _fact_fields(spec: EntitySpec, who: Reader) -> Sequence[tuple[str, Draw]]:
    """What a card tells besides its title: the key facts that speak for themselves, then the owner."""
    readable = {field.name for field in who.readable(spec) if field.kind not in BARE}
    names = [name for name in spec.key_facts if name in readable and name not in (spec.board, "owner_id")]
    chosen = [*names[:MOST_FACTS], *(["owner_id"] if "owner_id" in readable else [])]
    return [(name, drawer(spec.fields[name], who)) for name in chosen]


def _card(spec: EntitySpec, item: Mapping[str, Any], facts: Sequence[tuple[str, Draw]]) -> Card:
    values = ((draw, value_of(item, name)) for name, draw in facts)
    drawn = tuple(Markup(draw(value)) for draw, value in values if value not in (None, "", []))  # noqa: S704
    return Card(item["id"], record_url(spec, item["id"]), title_of(spec, item), drawn)
