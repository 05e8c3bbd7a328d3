"""Choice lists with their colours: add, rename, recolour, reorder, hide or remove values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gigacore import access
from gigacore.context import Actor, Context
from gigacore.entity import Choice, ChoiceList
from gigacore.errors import NotFound
from gigacore.messages import msg
from gigacore.plugins import choices as service
from gigacore.plugins import field_choices
from gigacore.plugins.configuration import ChoiceRemoval
from host_app.api.policies import on_tool
from host_app.pages.cells import choice_label, kind_label, pill
from host_app.pages.colours import hex_of
from host_app.pages.form import AGAIN
from host_app.pages.reader import Reader, reader
from host_app.pages.settings import custom_choices
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.asking import asked
from host_app.pages.settings.choice_forms import moved, typed
from host_app.pages.settings.doing import do
from host_app.routing import Policy, route

TOOL: Final = "core.choice"
LIST: Final = "/settings/lists"
MOVES: Final = {"up": -1, "down": 1}


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{LIST}/<name>", policy=on_tool(TOOL, "view"))(one)
    route(app, f"{LIST}/<name>", policy=Policy("choice list: edit", _may_edit), methods=["POST"])(change)


def _may_edit(actor: Actor, arguments: Mapping[str, Any]) -> None:
    """A custom field's list is edited by whoever edits the field."""
    access.require(g.ctx, "edit", custom_choices.TOOL if field_choices.is_custom(arguments["name"]) else TOOL)


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
    return _shown(name, {})


def _shown(name: str, typed: Mapping[str, str]) -> ResponseReturnValue:
    """The values, one of them perhaps with what had been typed before a session ended."""
    who = reader()
    entry = _list(name, who)
    rows = [_row(choice, typed if typed.get("key") == choice.key else {}, who) for choice in entry.choices]
    may_edit = access.may(who.ctx, "edit", custom_choices.TOOL if field_choices.is_custom(name) else TOOL)
    return settings_page(
        "list.html", who, title=who.t(entry.label), rows=rows, home=LIST, path=f"{LIST}/{name}", may_edit=may_edit,
        is_open=entry.open, restored=bool(typed), fresh={} if typed.get("key") else typed,
    )  # fmt: skip


def _row(choice: Choice, typed: Mapping[str, str], who: Reader) -> dict[str, Any]:
    return {
        "pill": _pill(choice, who),
        "key": choice.key,
        "shown": choice_label(choice.labels, choice.label, who),
        "label": typed.get("label", choice.labels.get("en") or choice.label),
        "french": typed.get("french", choice.labels.get("fr", "")),
        "colour": typed.get("colour") or hex_of(choice.colour),
        "kind": kind_label(choice.kind, who) if choice.kind else "",
        "active": choice.active,
        "unfold": "label" in typed,
    }


def change(name: str) -> ResponseReturnValue:
    """Do what was asked for to one value, or add one; it counts at once."""
    if AGAIN in request.form:
        return _shown(name, request.form)
    entry, wish, key = _list(name, reader()), request.form.get("do", "add"), request.form.get("key", "")
    if wish in ("remove", "merge") and (page := _ask_to_remove(entry, key, into=wish == "merge")) is not None:
        return page
    act = custom_choices.act if field_choices.is_custom(name) else _do
    return do(lambda ctx: act(ctx, entry, wish, key), f"{LIST}/{name}")


def _ask_to_remove(entry: ChoiceList, key: str, *, into: bool) -> ResponseReturnValue | None:
    """What would go with a value, and which records another one would be put into."""
    who, other, home = reader(), request.form.get("into", "") if into else "", f"{LIST}/{entry.name}"
    known = entry.get(key)
    if known is None:
        raise NotFound
    label = choice_label(known.labels, known.label, who)
    wish = ChoiceRemoval(entry.name, key, other)
    if not into:
        return asked(wish, msg("Remove “{label}”?", label=label), msg("Remove"), home)
    title = msg("Replace “{label}” in all records and remove it?", label=label)
    return asked(wish, title, msg("Replace in all records and remove"), home)


def _do(ctx: Context, entry: ChoiceList, wish: str, key: str) -> None:
    match wish:
        case "add":
            service.add(ctx, entry.name, typed())
        case "save":
            service.change(ctx, entry.name, key, typed())
        case "hide" | "show":
            service.change(ctx, entry.name, key, {"active": wish == "show"})
        case "remove":
            service.remove(ctx, entry.name, key)
        case "merge":
            service.merge(ctx, entry.name, key, request.form.get("into", ""))
        case "order":
            service.arrange(ctx, entry.name, request.form.getlist("keys"))
        case "up" | "down":
            service.arrange(ctx, entry.name, moved(entry, key, MOVES[wish]))
        case _:
            raise NotFound
