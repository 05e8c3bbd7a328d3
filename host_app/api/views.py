"""Saved views over the API: listed, made, changed, shared, removed, and the one with which a list opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, Response, g

from gigacore import records
from gigacore import views as saved
from gigacore.context import Context
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg
from gigacore.views import View
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.policies import entity_at, on_entity
from host_app.api.query import only
from host_app.api.records import COLLECTION
from host_app.routing import route

VIEWS: Final = f"{COLLECTION}/views"
ONE: Final = f"{VIEWS}/<int(max=2147483647):id>"
BUILT_IN: Final = ("all", "mine", "team", "today", "week", "overdue")
TEXTS: Final = ("name", "shared", "kind", "search", "sort")


def register(app: Flask) -> None:
    """Declare the routes. Whose views one may see or change, the views themselves decide."""
    policy = on_entity("view")
    route(app, VIEWS, policy=policy)(list_views)
    route(app, VIEWS, policy=policy, methods=["POST"])(create_view)
    route(app, ONE, policy=policy)(get_view)
    route(app, ONE, policy=policy, methods=["PATCH"])(change_view)
    route(app, ONE, policy=policy, methods=["DELETE"])(delete_view)
    route(app, f"{VIEWS}/actions/default", policy=policy, methods=["POST"])(choose_default)


def list_views(plugin: str, plural: str) -> Response:
    """The caller's views of a list and those shared with him; `default` is the one with which the list opens."""
    only()
    entity = entity_at(plugin, plural).name
    found = saved.views_of(g.ctx, entity)
    return answer({"items": _shown(g.ctx, found), "default": _default(g.ctx, entity, found)})


def get_view(plugin: str, plural: str, id: int) -> Response:
    """One view."""
    only()
    return answer(_shown(g.ctx, [saved.get(g.ctx, entity_at(plugin, plural).name, id)])[0])


def create_view(plugin: str, plural: str) -> Response:
    """A new view of the caller's own."""
    entity, data = entity_at(plugin, plural), _read()

    def work(ctx: Context) -> Response:
        made = saved.save(ctx, entity.name, data)
        return answer(_shown(ctx, [made])[0], 201, Location=f"/api/v1/{entity.api_path}/views/{made.id}")

    return write(work)


def change_view(plugin: str, plural: str, id: int) -> Response:
    """Some parts of a view."""
    entity, data = entity_at(plugin, plural), _read()
    return write(lambda ctx: answer(_shown(ctx, [saved.change(ctx, entity.name, id, data)])[0]))


def delete_view(plugin: str, plural: str, id: int) -> Response:
    """A view, for everybody who used it; the records stay."""
    only()
    entity = entity_at(plugin, plural)

    def work(ctx: Context) -> Response:
        saved.remove(ctx, entity.name, id)
        return nothing()

    return write(work)


def choose_default(plugin: str, plural: str) -> Response:
    """Let the caller's list open with a view: the number of a saved one, or the name of a built-in one."""
    entity, body = entity_at(plugin, plural), read_object()
    only()
    if unknown := sorted(set(body) - {"view"}):
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    wanted = body.get("view")
    if wanted not in BUILT_IN and type(wanted) is not int:
        raise Invalid.of("view", msg("Give the number of a view, or one of: {names}.", names=", ".join(BUILT_IN)))

    def work(ctx: Context) -> Response:
        key = saved.get(ctx, entity.name, wanted).uid if isinstance(wanted, int) else wanted
        saved.choose(ctx, entity.name, default_view="" if key == "all" else key)
        return answer({"default": wanted})

    return write(work)


def _default(ctx: Context, entity: str, found: list[View]) -> int | str:
    chosen = saved.choice_of(ctx, entity).default_view
    return next((view.id for view in found if view.uid == chosen), chosen if chosen in BUILT_IN else "all")


def _shown(ctx: Context, found: list[View]) -> list[dict[str, Any]]:
    owners = records.labels_of(ctx.session, "core.user", [view.owner_id for view in found])
    teams = records.labels_of(ctx.session, "core.team", [view.team_id for view in found if view.team_id])
    return [
        {
            "id": view.id, "uid": view.uid, "name": view.name, "kind": view.kind, "filter": view.filter,
            "search": view.search, "sort": view.sort, "fields": list(view.fields), "shared": view.shared,
            "owner": records.reference(view.owner_id, owners.get(view.owner_id)),
            "team": records.reference(view.team_id, teams.get(view.team_id or 0)),
            "may_change": saved.may_change(ctx, view),
        }
        for view in found
    ]  # fmt: skip


def _read() -> dict[str, Any]:
    """The parts of a view as they were sent, each of the right type. Raises Invalid with every fault."""
    only()
    data = read_object()
    faults = [
        FieldError(name, msg("There is no field {name}.", name=name), "unknown_field")
        for name in data
        if name not in PARTS
    ]
    faults += [
        FieldError(name, PARTS[name][1], "type") for name in data if name in PARTS and not PARTS[name][0](data[name])
    ]
    if faults:
        raise Invalid(errors=faults)
    return {**data, "team_id": data.pop("team")} if "team" in data else data


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 200


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


PARTS: Final[Mapping[str, tuple[Callable[[object], bool], Any]]] = {
    **dict.fromkeys(TEXTS, (_is_text, msg("This must be text of at most 200 characters."))),
    "fields": (_are_names, msg("This must be a list of field names.")),
    "filter": (lambda value: value is None or isinstance(value, dict), msg("This must be an object.")),
    "team": (lambda value: value is None or type(value) is int, msg("This must be a whole number.")),
}
