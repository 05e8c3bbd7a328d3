"""What pickers and the search box offer: records by their titles."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import SYSTEM_TARGETS, EntitySpec, fold
from gigacore.errors import NotFound
from gigacore.ids import parse_readable
from gigacore.messages import msg
from gigacore.records import ListRequest
from host_app.api.answers import answer as json_answer
from host_app.api.policies import entity_at, on_entity
from host_app.pages.addresses import list_url, record_url, with_query
from host_app.pages.columns import number_of, title_of
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.reader import Reader, reader
from host_app.routing import route, signed_in

MOST: Final = 12
MOST_PER_ENTITY: Final = 4


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/<plugin>/<plural>/options", policy=on_entity("view"))(options)
    route(app, "/pick/<target>/options", policy=signed_in)(system_options)
    route(app, "/search", policy=signed_in)(search)


def options(plugin: str, plural: str) -> ResponseReturnValue:
    """Records of an entity whose searchable fields contain `q`, as JSON."""
    spec, who = entity_at(plugin, plural), reader()
    items = [
        {"id": item["id"], "label": title_of(spec, item), "hint": number_of(spec, item["id"]) if spec.id_prefix else ""}
        for item in find(who, spec, request.args.get("q", ""), MOST)
    ]
    return json_answer({"items": items})


def find(who: Reader, spec: EntitySpec, text: str, most: int) -> list[dict[str, Any]]:
    """The records of an entity that `text` finds: by readable id, else by the searchable fields."""
    known = parse_readable(text)
    if known is not None and known[0] == spec.id_prefix:
        wanted = ListRequest(
            {"field": "id", "op": "eq", "value": known[1]}, fields=("id", spec.title), limit=1, count=False
        )
        return records.page(who.ctx, spec.name, wanted).items
    wanted = ListRequest(fields=("id", spec.title), limit=most, search=text.strip()[:100], count=False)
    return records.page(who.ctx, spec.name, wanted).items


def system_options(target: str) -> ResponseReturnValue:
    """People, teams and organisations whose names contain `q`, as JSON."""
    if target not in SYSTEM_TARGETS:
        raise NotFound
    found = _system_names(reader(), target, request.args.get("q", ""))
    return json_answer({"items": [{"id": number, "label": name} for number, name in found]})


def _system_names(who: Reader, target: str, text: str) -> list[tuple[int, str]]:
    place = SYSTEM_TARGETS[target]
    table = sa.table(place.table, sa.column("id", sa.BigInteger), sa.column(place.title, sa.String))
    name = table.c[place.title]
    statement = sa.select(table.c.id, name).order_by(name).limit(500)
    needle = fold(text)
    rows = who.ctx.session.connection().execute(statement)
    return [(row[0], row[1]) for row in rows if needle in fold(row[1] or "")][:MOST]


def find_by_name(who: Reader, target: str, text: str) -> int | None:
    """The one record that is called `text`, for forms sent without a picked record. None when none or several are."""
    if target in SYSTEM_TARGETS:
        exact = [number for number, name in _system_names(who, target, text) if fold(name) == fold(text)]
    else:
        spec = who.registry.entities.get(target)
        found = find(who, spec, text, MOST) if spec is not None else []
        exact = [item["id"] for item in found if spec and fold(title_of(spec, item)) == fold(text)]
    return exact[0] if len(exact) == 1 else None


def search() -> ResponseReturnValue:
    """Records of all entities, and pages, that `q` finds."""
    who, text = reader(), request.args.get("q", "").strip()
    hits = [hit for spec in who.entities("view") for hit in _hits(who, spec, text)] if len(text) > 1 else []
    pages = [hit for hit in _page_hits(who, text) if text]
    template = "parts/search_hits.html" if is_partial() else "search.html"
    return answer(template, title=who.t(msg("Search")), q=text, hits=[*hits, *pages])


def _hits(who: Reader, spec: EntitySpec, text: str) -> list[dict[str, str]]:
    found = find(who, spec, text, MOST_PER_ENTITY + 1)
    kind = who.t(spec.label)
    hits = [
        {"url": record_url(spec, item["id"]), "label": title_of(spec, item), "kind": kind, "icon": spec.icon}
        for item in found[:MOST_PER_ENTITY]
    ]
    if len(found) > MOST_PER_ENTITY:
        label = who.t(msg("All {things} with “{text}”", things=who.t(spec.label_plural).lower(), text=text))
        hits.append({"url": with_query(list_url(spec), [("q", text)]), "label": label, "kind": "", "icon": "search"})
    return hits


def _page_hits(who: Reader, text: str) -> list[dict[str, str]]:
    needle = fold(text)
    pages = [(who.t(spec.label_plural), list_url(spec), spec.icon) for spec in who.entities("view")]
    pages += [(who.t(msg("Settings")), "/settings", "settings")]
    kind = who.t(msg("Page"))
    return [
        {"url": url, "label": label, "kind": kind, "icon": icon} for label, url, icon in pages if needle in fold(label)
    ]
