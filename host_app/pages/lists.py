"""The list of every entity as a table, as cards, or in sections by status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.records import ListRequest, Page
from host_app.api.policies import entity_at, on_entity
from host_app.pages import listing, views
from host_app.pages.addresses import list_url, new_url
from host_app.pages.avatars import drawer_of, picture_of
from host_app.pages.cards import card_of, fact_fields, names_of
from host_app.pages.columns import Column, columns_of, default_fields, row_writer
from host_app.pages.filters import Condition
from host_app.pages.frame import page as answer
from host_app.pages.frame import part
from host_app.pages.lanes import Place, Places, pages_of, places_of, readable_board
from host_app.pages.list_frame import counted, frame_values, readable_by_name
from host_app.pages.listing import BOARD, PAGE, Listing
from host_app.pages.parts import columns_of_plugins
from host_app.pages.raw import NOT_IN_PLACE
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>"
IN_SECTION: Final = 15


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, RULE, policy=on_entity("view"), endpoint="list")(show)


def show(plugin: str, plural: str) -> ResponseReturnValue:
    """A page of the list."""
    spec, who = entity_at(plugin, plural), reader()
    try:
        state = views.state_of(spec, request.args, who)
        if state.kind == BOARD:
            return redirect(state.url, 303)
        return _list(state, spec, who)
    except Invalid as error:
        if not request.args and not views.kept(spec, who).choice.default_view:
            raise
        return _refused(error, spec, who)


def _list(state: Listing, spec: EntitySpec, who: Reader) -> Response:
    draw = {"cards": _cards, "status": _sections}.get(state.kind, _table)
    values = draw(state, spec, who) | frame_values(state, spec, who)
    return answer("list.html", title=values["title"], body=part("list_body", **values))


def _table(state: Listing, spec: EntitySpec, who: Reader) -> dict[str, Any]:
    columns = shown_columns(state, spec, who, readable_by_name(spec, who))
    found = records.page(who.ctx, spec.name, request_of(state, _names(columns, _picture(spec, who))))
    return _heading(state, spec, columns, who) | _pages(state, spec, found, who) | {"rows": _rows(found, columns, who)}


def _rows(found: Page, columns: Sequence[Column], who: Reader) -> Markup:
    spec = who.registry.entity(columns[0].field.entity)
    avatar = drawer_of(spec, _picture(spec, who))
    write: Callable[[Mapping[str, Any]], str] = row_writer(spec, columns, who, tick=True, avatar=avatar)
    return Markup("\n".join(map(write, found.items)))  # noqa: S704 - the writer escapes every value


def _cards(state: Listing, spec: EntitySpec, who: Reader) -> dict[str, Any]:
    facts = fact_fields(spec, who, status=True)
    found = records.page(who.ctx, spec.name, request_of(state, names_of(spec, facts)))
    cards = [card_of(spec, item, facts) for item in found.items]
    return _pages(state, spec, found, who) | {"cards": cards, "rows": bool(cards)}


def _sections(state: Listing, spec: EntitySpec, who: Reader) -> dict[str, Any]:
    """A section per status, each with its first records."""
    field = readable_board(spec, who)
    if field is None:
        return _table(replace(state, kind=""), spec, who)
    places = places_of(spec, field, state.group, who)
    shown = shown_columns(state, spec, who, readable_by_name(spec, who))
    columns = [column for column in shown if column.name != field.name]  # the section says it already
    wanted = replace(request_of(state, _names(columns, _picture(spec, who))), limit=IN_SECTION, cursor=None)
    pages = zip(places.places, pages_of(places, state, wanted, who), strict=True)
    sections = [_section(place, found, places, state, columns, who) for place, found in pages]
    return _heading(state, spec, columns, who) | {
        "sections": sections,
        "rows": True,
        "count": "",
        "groups": [(state.at(group=str(n)).url, label, n == places.chosen) for n, label in places.sets],
    }


def _section(
    place: Place, found: Page, places: Places, state: Listing, columns: Sequence[Column], who: Reader
) -> dict[str, Any]:
    narrowed = state.filter.putting(Condition(places.field.name, *_is(place, places)), None)
    return {
        "place": place,
        "count": counted(found.count, who) if found.count else "",
        "rows": _rows(found, columns, who),
        "more": state.at(kind="", filter=narrowed).url if found.next else "",
        "create": new_url(state.spec, **places.preset(place), back=state.url),
    }


def _is(place: Place, places: Places) -> tuple[str, Any]:
    return "in", [int(place.key) if places.field.kind == "ref" else place.key]


def shown_columns(state: Listing, spec: EntitySpec, who: Reader, readable: Mapping[str, FieldSpec]) -> list[Column]:
    """The columns that the address names, or those of the reader, or those of the entity."""
    names: Sequence[str] = [name for name in views.shown_names(state, who) if name in readable]
    if not names:
        names = who.kept(
            ("columns", spec.name),
            lambda: default_fields(spec, readable.values(), columns_of_plugins(who.crm, spec.name)),
        )
    return columns_of(spec, names, who)


def request_of(state: Listing, names: Sequence[str]) -> ListRequest:
    """What to ask `records` for."""
    return ListRequest(
        filter=state.filter.tree(),
        sort=(state.sort,) if state.sort else (),
        fields=tuple(names),
        limit=PAGE,
        cursor=state.cursor or None,
        search=state.q,
    )


def _names(columns: Sequence[Column], picture: FieldSpec | None) -> tuple[str, ...]:
    return ("id", *(column.name for column in columns), *([picture.name] if picture else []))


def _picture(spec: EntitySpec, who: Reader) -> FieldSpec | None:
    return picture_of(spec, readable_by_name(spec, who))


def _heading(state: Listing, spec: EntitySpec, columns: Sequence[Column], who: Reader) -> dict[str, Any]:
    return {"heads": listing.heads(state, columns, state.sort or spec.sort, editable(spec, who))}


def editable(spec: EntitySpec, who: Reader) -> frozenset[str]:
    """The fields that the reader may change in some record, and that have an editor."""

    def find() -> frozenset[str]:
        if not who.may("edit", spec.name):
            return frozenset()
        return frozenset(f.name for f in who.writable(spec) if not f.computed and f.kind not in NOT_IN_PLACE)

    return who.kept(("editable", spec.name), find)


def _pages(state: Listing, spec: EntitySpec, found: Page, who: Reader) -> dict[str, Any]:
    """Count, and the ways to the pages before and after."""
    count = counted(found.count, who) if found.count else ""
    return {
        "count": count,
        "whole": found.next is not None or found.previous is not None,
        "span": who.t(msg("{shown} of {all}", shown=len(found.items), all=count)),
        "older": state.at(cursor=found.next).url if found.next else "",
        "newer": state.at(cursor=found.previous).url if found.previous else "",
        "by_time": (state.sort or spec.sort).lstrip("-") in ("id", "created_at", "updated_at"),
    }


def _refused(error: Invalid, spec: EntitySpec, who: Reader) -> Response:
    """An address with a filter or order that does not fit shows what is wrong and the way back."""
    told = [who.t(entry.message) for entry in error.errors] or [who.t(error.message)]
    path = f"{list_url(spec)}?view={views.ALL}"
    return answer("list_refused.html", 422, title=who.t(spec.label_plural), problems=told, path=path)
