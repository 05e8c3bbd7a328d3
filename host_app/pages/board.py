"""The board of an entity: its records in columns by status, moved from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.messages import msg
from gigacore.records import Count, ListRequest
from gigacore.values import dataclass
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import listing, views
from host_app.pages.addresses import is_local, new_url, with_query
from host_app.pages.answers import refused
from host_app.pages.cards import Card, card_of, fact_fields, names_of
from host_app.pages.currencies import currency_codes
from host_app.pages.figures import age
from host_app.pages.form import Task, read_typed
from host_app.pages.forms import Filling, Input, make_input
from host_app.pages.frame import is_partial, part
from host_app.pages.frame import page as answer
from host_app.pages.lanes import Place, Places, asked, page_of, pages_of, places_of, readable_board
from host_app.pages.list_frame import counted, frame_values
from host_app.pages.listing import BOARD, Listing
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.sums import Standing, Sum, Sums, kept_of, sums_of
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>"
CARDS: Final = 20
SUMMED_AT_ONCE: Final = 1_000
"""Of more records than that the sums come after the cards: they read each record, the cards only the first ones."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One column with its cards, their count and sums, the way to the rest, and what a move to it asks for."""

    place: Place
    count: str
    sums: Sum
    weighted: Sum
    cards: tuple[Card, ...]
    more: str
    create: str
    asks: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Late:
    """Where the sums of a large board come from, with scripts and without; once they are `asked` for, or by themselves.

    Columns of which no exact count is known are too large to be summed unasked.
    """

    url: str
    plain: str
    asked: bool


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, f"{RULE}/board", policy=on_entity("view"))(show)
    route(app, f"{RULE}/board/cards", policy=on_entity("view"))(more_cards)
    route(app, f"{RULE}/board/sums", policy=on_entity("view"))(late_sums)
    route(app, f"{RULE}/<int:record_id>/move", policy=on_entity("edit"), methods=["POST"])(move)


def show(plugin: str, plural: str) -> ResponseReturnValue:
    """The board; `?group=` chooses among several sets of columns (pipelines)."""
    spec, who = entity_at(plugin, plural), reader()
    field = _field(spec, who)
    state = _state(spec, who)
    places = places_of(spec, field, state.group, who)
    may_move = who.may("edit", spec.name) and not field.readonly and who.may_write(spec, field)
    kept = kept_of(places, state, who)
    pages = _pages(places, state, kept, who)
    late = _late(pages, state) if kept is None else None
    sums = kept.sums if kept else None if late else sums_of(places, state, who)
    values = frame_values(state, spec, who) | {
        "lanes": _lanes(places, pages, sums, state, who, may_move=may_move),
        "late": late,
        "as_of": age(kept.at, who) if kept else "",
        "groups": [(state.at(group=str(n)).url, label, n == places.chosen) for n, label in places.sets],
        "may_move": may_move,
        "bulk": [],
        "rows": True,
        "back": request.full_path.rstrip("?"),
    }
    return answer("list.html", title=values["title"], body=part("list_body", **values))


def _field(spec: EntitySpec, who: Reader) -> FieldSpec:
    field = readable_board(spec, who)
    if field is None:
        raise NotFound
    return field


def _state(spec: EntitySpec, who: Reader) -> Listing:
    state = views.state_of(spec, request.args, who) if request.args else listing.read(spec, request.args)
    return replace(state, kind=BOARD, group=request.args.get("group", state.group)[:20])


def _pages(places: Places, state: Listing, kept: Standing | None, who: Reader) -> list[records.Page]:
    """The first cards of every column with its number: a kept one where the column does not end on the page."""
    request = _request(state.spec, state, who)
    if kept is None:
        return pages_of(places, state, request, who)
    pages = zip(places.places, pages_of(places, state, replace(request, count=False), who), strict=True)
    return [
        replace(page, count=Count(kept.counts.get(place.key, 0) if page.next else len(page.items), exact=True))
        for place, page in pages
    ]


def _late(pages: Sequence[records.Page], state: Listing) -> Late | None:
    counts = [page.count for page in pages if page.count]
    if "sums" in request.args or sum(count.value for count in counts) <= SUMMED_AT_ONCE:
        return None
    return Late(_at(state, "/sums"), _at(state, "", ("sums", "1")), asked=not all(count.exact for count in counts))


def _lanes(
    places: Places, pages: Sequence[records.Page], sums: Sums | None, state: Listing, who: Reader, *, may_move: bool
) -> list[Lane]:
    spec = state.spec
    facts = fact_fields(spec, who)
    inputs = _inputs(spec, places, who) if may_move else {}
    return [
        Lane(
            place,
            counted(found.count, who) if found.count else "",
            *(sums.of(place, who) if sums else (Sum(), Sum())),
            tuple(card_of(spec, item, facts) for item in found.items),
            _more(state, place, found.next) if found.next else "",
            new_url(spec, **places.preset(place), back=request.full_path.rstrip("?")),
            inputs.get(place.key, ()),
        )
        for place, found in zip(places.places, pages, strict=True)
    ]


def _request(spec: EntitySpec, state: Listing, who: Reader, cursor: str | None = None) -> ListRequest:
    sort = (state.sort,) if state.sort else ()
    names = names_of(spec, fact_fields(spec, who))
    return ListRequest(sort=sort, fields=names, limit=CARDS, search=state.q, cursor=cursor, count=cursor is None)


def _more(state: Listing, place: Place, cursor: str) -> str:
    return _at(state, "/cards", ("lane", place.key), ("cursor", cursor))


def _at(state: Listing, end: str, *more: tuple[str, str]) -> str:
    """The address of the board, or of a part of it, as it is filtered now."""
    return with_query(f"{state.path}{end}", [*state.at().pairs(), *more])


def _inputs(spec: EntitySpec, places: Places, who: Reader) -> dict[str, tuple[Input, ...]]:
    """What a move to each column asks for, by the key of the column."""
    fields = {place.key: asked(spec, place, who) for place in places.places}
    money = any(field.kind == "money" for found in fields.values() for field in found)
    filling = Filling(Raw(), currencies=currency_codes(who) if money else ())
    return {key: tuple(make_input(f, f.name, filling, who) for f in found) for key, found in fields.items()}


def more_cards(plugin: str, plural: str) -> ResponseReturnValue:
    """The next cards of one column: `?lane=` with the cursor."""
    spec, who = entity_at(plugin, plural), reader()
    state = _state(spec, who)
    places = places_of(spec, _field(spec, who), state.group, who)
    place = next((one for one in places.places if one.key == request.args.get("lane")), None)
    if place is None:
        raise NotFound
    found = page_of(place, places, state, _request(spec, state, who, state.cursor or None), who)
    facts = fact_fields(spec, who)
    return answer(
        "parts/lane_cards.html",
        cards=[card_of(spec, item, facts) for item in found.items],
        more=_more(state, place, found.next) if found.next else "",
        may_move=who.may("edit", spec.name),
    )


def late_sums(plugin: str, plural: str) -> ResponseReturnValue:
    """The sums of all columns, each for its place on a board that is shown already."""
    spec, who = entity_at(plugin, plural), reader()
    state = _state(spec, who)
    places = places_of(spec, _field(spec, who), state.group, who)
    sums = sums_of(places, state, who)
    return answer("parts/lane_sums.html", sums=[(place.key, *sums.of(place, who)) for place in places.places])


def move(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Move a record to another column, with what the column asks for; a refusal says why."""
    spec, who = entity_at(plugin, plural), reader()
    raw = raw_from(request.form.to_dict(flat=False))
    back = raw.text("back") if is_local(raw.text("back")) else f"/{spec.plugin}/{spec.plural}/{BOARD}"
    try:
        data = _moved(spec, raw, who)
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            records.update(ctx, spec.name, record_id, data)
    except GigaError as error:
        return _not_moved(error, who) if is_partial() else refused(error, back, who)
    if is_partial():
        return Response(status=204)
    note(who.t(msg("Saved.")))
    return redirect(back, 303)


def _moved(spec: EntitySpec, raw: Raw, who: Reader) -> Mapping[str, Any]:
    """The new status and what was filled in with it, as input for `records`."""
    field = _field(spec, who)
    value = raw.text("value")
    fields: Sequence[FieldSpec] = [one for one in who.writable(spec) if one.name in raw and one.name != field.name]
    typed = read_typed(Task(spec, fields, who), raw)
    if typed.errors:
        raise Invalid(errors=typed.errors)
    chosen = {name: given for name, given in typed.data.items() if name in raw and given not in (None, "", [])}
    return {**chosen, field.name: int(value) if field.kind == "ref" and value.isdigit() else value}


def _not_moved(error: GigaError, who: Reader) -> Response:
    """Why a card goes back, for the script that moved it."""
    faults = [fault.message for fault in error.errors] if isinstance(error, Invalid) else []
    told = dict.fromkeys(who.t(text) for text in (error.message, *faults, error.fix) if text is not None)
    return Response(" ".join(told), error.status, content_type="text/plain; charset=utf-8")
