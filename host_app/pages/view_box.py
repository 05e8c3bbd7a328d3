"""Saving the view of a list, changing and removing saved ones: a box in a menu, or a page of its own."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import views as saved
from gigacore.entity import EntitySpec
from gigacore.errors import Forbidden, Invalid
from gigacore.messages import msg
from gigacore.records import labels_of
from gigacore.views import View
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import listing, views
from host_app.pages.addresses import list_url
from host_app.pages.forms import Option
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.listing import Listing
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/views"
SHARING: Final = {"private": msg("Only me"), "team": msg("A team"), "all": msg("Everybody")}
TEAM: Final = "team:"


def register(app: Flask) -> None:
    """Declare the routes."""
    policy = on_entity("view")
    route(app, RULE, policy=policy)(show)
    route(app, RULE, policy=policy, methods=["POST"])(create)
    route(app, f"{RULE}/<int:view_id>", policy=policy, methods=["POST"])(change)
    route(app, f"{RULE}/<int:view_id>/delete", policy=policy, methods=["POST"])(delete)
    route(app, f"{RULE}/default", policy=policy, methods=["POST"])(make_default)


def show(plugin: str, plural: str) -> ResponseReturnValue:
    """What can be done with the view that is shown."""
    spec, who = entity_at(plugin, plural), reader()
    return _box(spec, listing.read(spec, request.args), who)


def _box(spec: EntitySpec, state: Listing, who: Reader, problem: str = "", name: str = "") -> Response:
    view = views.kept(spec, who).view(state.origin) if state.origin else None
    tab = next((tab for tab in views.tabs(state, who) if tab.current), None)
    default = views.kept(spec, who).choice.default_view
    return answer(
        "parts/view_box.html" if is_partial() else "view_page.html",
        422 if problem else 200,
        title=who.t(msg("Views")),
        path=f"{list_url(spec)}/views",
        kept=state.kept(),
        view=view if view is not None and saved.may_change(who.ctx, view) else None,
        changed=view is not None and views.is_changed(state, view, who),
        name=name,
        shares=_shares(view, who),
        new_shares=_shares(None, who),
        problem=problem,
        opens=(tab.key, tab.label, default == tab.key or (not default and tab.key == views.ALL)) if tab else None,
    )


def _shares(view: View | None, who: Reader) -> list[Option]:
    """With whom the reader may share; nothing to choose without that right."""
    if not saved.may_share(who.ctx):
        return []
    now = "private" if view is None else f"{TEAM}{view.team_id}" if view.shared == "team" else view.shared
    found = [("private", who.t(SHARING["private"]))]
    found += [(f"{TEAM}{number}", label) for number, label in _teams(who)]
    found.append(("all", who.t(SHARING["all"])))
    return [Option(value, label, value == now) for value, label in found]


def _teams(who: Reader) -> list[tuple[int, str]]:
    found = labels_of(who.ctx.session, "core.team", list(saved.sharing_teams(who.ctx)))
    return sorted(found.items(), key=lambda pair: pair[1].lower())


def create(plugin: str, plural: str) -> ResponseReturnValue:
    """Keep what the list shows under a name."""
    spec, who = entity_at(plugin, plural), reader()
    state = listing.read(spec, request.form, plain=False)
    try:
        with current_crm().unit_of_work(current()) as ctx:
            made = saved.save(ctx, spec.name, _named() | _content(state))
    except (Invalid, Forbidden) as error:
        return _refused(spec, state, error, who)
    note(who.t(msg("The view “{name}” is saved.", name=made.name)))
    return _go(_address(spec, made))


def change(plugin: str, plural: str, view_id: int) -> ResponseReturnValue:
    """Rename or share a view, or give it what the list shows now."""
    spec, who = entity_at(plugin, plural), reader()
    state = listing.read(spec, request.form, plain=False)
    data = _content(state) if request.form.get("take") else _named()
    try:
        with current_crm().unit_of_work(current()) as ctx:
            found = saved.change(ctx, spec.name, view_id, data)
    except (Invalid, Forbidden) as error:
        return _refused(spec, state, error, who)
    note(who.t(msg("Saved.")))
    return _go(_address(spec, found))


def delete(plugin: str, plural: str, view_id: int) -> ResponseReturnValue:
    """Take a view away; the records stay."""
    spec, who = entity_at(plugin, plural), reader()
    with current_crm().unit_of_work(current()) as ctx:
        saved.remove(ctx, spec.name, view_id)
    note(who.t(msg("The view was deleted. Its records are still there.")))
    return _go(list_url(spec))


def make_default(plugin: str, plural: str) -> ResponseReturnValue:
    """Open the list with this view from now on."""
    spec, who = entity_at(plugin, plural), reader()
    key = request.form.get("key", "")
    view = views.kept(spec, who).view(key)
    chosen = view.uid if view is not None else "" if key == views.ALL else key
    with current_crm().unit_of_work(current()) as ctx:
        saved.choose(ctx, spec.name, default_view=chosen)
    note(who.t(msg("The list now opens with this view.")))
    return _go(_address(spec, view) if view is not None else list_url(spec))


def _content(state: Listing) -> dict[str, Any]:
    """What of a list a view keeps."""
    return {
        "filter": state.filter.tree(), "search": state.q, "sort": state.sort, "fields": state.fields,
        "kind": state.kind or "table",
    }  # fmt: skip


def _named() -> dict[str, Any]:
    shared = request.form.get("shared", "private")
    team = shared.removeprefix(TEAM) if shared.startswith(TEAM) else ""
    return {
        "name": request.form.get("name", ""),
        "shared": "team" if team else shared,
        "team_id": int(team) if team.isdigit() else None,
    }


def _refused(spec: EntitySpec, state: Listing, error: Invalid | Forbidden, who: Reader) -> Response:
    faults = error.errors if isinstance(error, Invalid) else ()
    told = " ".join(who.t(fault.message) for fault in faults) or who.t(error.message)
    return _box(spec, state, who, told, request.form.get("name", ""))


def _address(spec: EntitySpec, view: View) -> str:
    return f"{list_url(spec)}{'/board' if view.kind == listing.BOARD else ''}?view={view.id}"


def _go(target: str) -> Response:
    if is_partial():
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]  # redirect() answers with werkzeug's base class
