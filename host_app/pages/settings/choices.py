"""Choice lists with their colours: look at them and add, rename, recolour, reorder or hide values."""

from __future__ import annotations

from typing import Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.data import choices as choice_rows
from gigacore.entity import ChoiceList
from gigacore.errors import NotFound
from gigacore.messages import msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.cells import choice_label, pill
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.routing import route

TOOL: Final = "core.choice"
LIST: Final = "/settings/lists"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{LIST}/<name>", policy=on_tool(TOOL, "view"))(one)
    route(app, f"{LIST}/<name>", policy=on_tool(TOOL, "edit"), methods=["POST"])(add)


def show() -> ResponseReturnValue:
    """All lists with their values."""
    who = reader()
    lists = [
        (entry.name, who.t(entry.label), [_pill(entry, choice.key, who) for choice in entry.choices if choice.active])
        for entry in who.registry.choice_lists.values()
    ]
    return settings_page("lists.html", who, title=who.t(msg("Choice lists")), lists=lists)


def _pill(entry: ChoiceList, key: str, who: Reader) -> str:
    choice = entry.get(key)
    return pill(choice_label(choice.labels, choice.label, who), choice.colour) if choice else ""


def _list(name: str, who: Reader) -> ChoiceList:
    found = who.registry.choice_lists.get(name)
    if found is None:
        raise NotFound
    return found


def one(name: str) -> ResponseReturnValue:
    """The values of one list."""
    who = reader()
    entry = _list(name, who)
    rows = [(_pill(entry, choice.key, who), choice.key, choice.kind, choice.active) for choice in entry.choices]
    return settings_page("list.html", who, title=who.t(entry.label), rows=rows, home=LIST, path=f"{LIST}/{name}")


def add(name: str) -> ResponseReturnValue:
    """Add a value."""
    who = reader()
    entry, label = _list(name, who), request.form.get("label", "").strip()
    if label:
        with current_crm().unit_of_work(current()) as ctx:
            choice_rows.add_choice(ctx, entry, label[:120])
        current_crm().refresh()
        note(who.t(msg("“{label}” was added.", label=label)))
    return redirect(f"{LIST}/{name}", 303)
