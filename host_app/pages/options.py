"""What pickers offer: records by their titles."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import SYSTEM_TARGETS, EntitySpec, fold
from gigacore.entity.vocabularies import COUNTRIES, LANGUAGES, names
from gigacore.errors import NotFound
from gigacore.records import ListRequest
from host_app.api.answers import answer as json_answer
from host_app.api.policies import entity_at, on_entity
from host_app.pages.columns import number_of, title_of
from host_app.pages.reader import Reader, reader
from host_app.routing import route, signed_in

MOST: Final = 12


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/<plugin>/<plural>/options", policy=on_entity("view"))(options)
    route(app, "/pick/<target>/options", policy=signed_in)(system_options)
    route(app, "/names/<vocabulary>", policy=signed_in)(known_names)


def options(plugin: str, plural: str) -> ResponseReturnValue:
    """Records of an entity whose searchable fields contain `q`, as JSON."""
    spec, who = entity_at(plugin, plural), reader()
    items = [
        {"id": item["id"], "label": title_of(spec, item), "hint": number_of(spec, item["id"]) if spec.id_prefix else ""}
        for item in find(who, spec, request.args.get("q", ""), MOST)
    ]
    return json_answer({"items": items})


def find(who: Reader, spec: EntitySpec, text: str, most: int) -> list[dict[str, Any]]:
    """The newest records of an entity that `text` finds: by readable id, else by the searchable fields."""
    if text.strip():
        found = records.find(who.ctx, text, [spec.name], most)
        if not spec.labels:
            return [{"id": one.id, spec.title: one.title} for one in found]
        names = records.labels_of(who.ctx.session, spec.name, [one.id for one in found])
        return [{"id": number, spec.title: name} for number, name in names.items()]
    wanted = ListRequest(fields=("id", spec.title), limit=most, count=False)
    return records.page(who.ctx, spec.name, wanted).items


def known_names(vocabulary: str) -> ResponseReturnValue:
    """The names of countries or languages in the reader's language, as JSON."""
    if vocabulary not in (COUNTRIES, LANGUAGES):
        raise NotFound
    return json_answer({"items": [*names(vocabulary, reader().locale).values()]})


def system_options(target: str) -> ResponseReturnValue:
    """People, teams and organisations whose names contain `q`, as JSON."""
    if target not in SYSTEM_TARGETS:
        raise NotFound
    found = system_names(reader(), target, request.args.get("q", ""))
    return json_answer({"items": [{"id": number, "label": name} for number, name in found]})


def system_names(who: Reader, target: str, text: str) -> list[tuple[int, str]]:
    """Numbers and names of people, teams or organisations whose names contain `text`."""
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
        exact = [number for number, name in system_names(who, target, text) if fold(name) == fold(text)]
    else:
        spec = who.registry.entities.get(target)
        found = find(who, spec, text, MOST) if spec is not None else []
        exact = [item["id"] for item in found if spec and fold(title_of(spec, item)) == fold(text)]
    return exact[0] if len(exact) == 1 else None
