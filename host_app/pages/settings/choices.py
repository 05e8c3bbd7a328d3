"""Choice lists with their colours: add, rename, recolour, reorder, hide or remove values."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access
from gigacore.context import Context
from gigacore.entity import Choice, ChoiceList
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.messages import msg
from gigacore.plugins import choices as service
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.cells import choice_label, pill
from host_app.pages.colours import hex_of
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.routing import route

TOOL: Final = "core.choice"
LIST: Final = "/settings/lists"
MOVES: Final = {"up": -1, "down": 1}


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{LIST}/<name>", policy=on_tool(TOOL, "view"))(one)
    route(app, f"{LIST}/<name>", policy=on_tool(TOOL, "edit"), methods=["POST"])(change)


def show() -> ResponseReturnValue:
    """All lists with their values."""
    who = reader()
    lists = [
        (entry.name, who.t(entry.label), [_pill(choice, who) for choice in entry.choices if choice.active])
        for entry in who.registry.choice_lists.values()
    ]
    return settings_page("lists.html", who, title=who.t(msg("Choice lists")), lists=lists)


def _pill(choice: Choice, who: Reader) -> Markup:
    return pill(choice_label(choice.labels, choice.label, who), choice.colour)


def _list(name: str, who: Reader) -> ChoiceList:
    found = who.registry.choice_lists.get(name)
    if found is None:
        raise NotFound
    return found


def one(name: str) -> ResponseReturnValue:
    """The values of one list."""
    who = reader()
    entry = _list(name, who)
    rows = [
        {
            "pill": _pill(choice, who),
            "key": choice.key,
            "label": choice.labels.get("en") or choice.label,
            "french": choice.labels.get("fr", ""),
            "colour": hex_of(choice.colour),
            "kind": choice.kind,
            "active": choice.active,
        }
        for choice in entry.choices
    ]
    may_edit = access.may(who.ctx, "edit", TOOL) and not name.startswith("custom.")
    return settings_page(
        "list.html", who, title=who.t(entry.label), rows=rows, home=LIST, path=f"{LIST}/{name}", may_edit=may_edit
    )


def change(name: str) -> ResponseReturnValue:
    """Do what was asked for to one value, or add one; it counts at once."""
    who = reader()
    entry, wish = _list(name, who), request.form.get("do", "add")
    try:
        with current_crm().unit_of_work(current()) as ctx:
            _do(ctx, entry, wish, request.form.get("key", ""))
    except GigaError as error:
        faults = [fault.message for fault in error.errors] if isinstance(error, Invalid) else []
        told = dict.fromkeys(who.t(text) for text in (error.message, *faults, error.fix) if text is not None)
        note(" ".join(told), kind="error")
    else:
        current_crm().refresh()
        note(who.t(msg("Saved.")))
    return redirect(f"{LIST}/{name}", 303)


def _do(ctx: Context, entry: ChoiceList, wish: str, key: str) -> None:
    match wish:
        case "add":
            service.add(ctx, entry.name, _typed())
        case "save":
            service.change(ctx, entry.name, key, _typed())
        case "hide" | "show":
            service.change(ctx, entry.name, key, {"active": wish == "show"})
        case "remove":
            service.remove(ctx, entry.name, key)
        case "up" | "down":
            service.arrange(ctx, entry.name, _moved(entry, key, MOVES[wish]))
        case _:
            raise NotFound


def _typed() -> dict[str, Any]:
    """Label, its translation and colour as they were typed; an empty translation is left to the catalogue."""
    form = request.form
    data: dict[str, Any] = {"label": form.get("label", ""), "colour": form.get("colour", "")}
    if form.get("french", "").strip():
        data["labels"] = {"en": form.get("label", ""), "fr": form["french"]}
    return data


def _moved(entry: ChoiceList, key: str, step: int) -> list[str]:
    keys = [choice.key for choice in entry.choices]
    if key not in keys:
        raise NotFound
    at = keys.index(key)
    to = max(0, min(len(keys) - 1, at + step))
    keys.insert(to, keys.pop(at))
    return keys
