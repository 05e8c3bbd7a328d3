"""The values of a list that a custom field brought along: edited like any other list, kept with the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from flask import request

from gigacore import customfields
from gigacore.customfields import Definition
from gigacore.data.choices import choice_key
from gigacore.entity import Choice, ChoiceList
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.messages import msg
from gigacore.plugins import choice_uses
from host_app.pages.settings.choice_forms import moved, typed

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = "core.custom_field"
PREFIX: Final = "custom."
MOVES: Final = {"up": -1, "down": 1}


def is_custom(name: str) -> bool:
    """Whether a list belongs to a custom field."""
    return name.startswith(PREFIX)


def act(ctx: Context, entry: ChoiceList, wish: str, key: str) -> None:
    """Do to one value what the page asks for. Raises what `customfields.change` raises, NotFound, Conflict."""
    definition = _definition(ctx, entry)
    values = {choice.key: _as_data(choice) for choice in definition.choices}
    if wish not in ("add", "order") and key not in values:
        raise NotFound
    order = _WISHES.get(wish)
    if order is None:
        raise NotFound
    keys = order(ctx, entry, values, key)
    customfields.change(ctx, definition.entity, definition.key, {"choices": [values[one] for one in keys]})


def _definition(ctx: Context, entry: ChoiceList) -> Definition:
    entity, _, key = entry.name.removeprefix(PREFIX).rpartition(".")
    return customfields.find(ctx, entity, key)


def _as_data(choice: Choice) -> dict[str, Any]:
    return {
        "key": choice.key, "label": choice.label, "labels": dict(choice.labels), "colour": choice.colour,
        "active": choice.active,
    }  # fmt: skip


Values = dict[str, dict[str, Any]]


def _add(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    data = typed()
    made = choice_key(data["label"])
    if made in values:
        raise Invalid.of("label", msg("There is a choice {name} already.", name=made), "unique")
    values[made] = {**data, "key": made}
    return list(values)


def _save(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    values[key] |= typed()
    return list(values)


def _switch(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    values[key]["active"] = request.form.get("do") == "show"
    return list(values)


def _remove(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    """Without any record that holds it, a value may go; the field keeps its label, switched off."""
    used = choice_uses.count(ctx, entry.name, key)
    if used:
        raise Conflict(
            msg("{count} records use this choice.", count=used),
            fix=msg("Put another choice in its place, or switch it off."),
        )
    return [one for one in values if one != key]


def _merge(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    into = request.form.get("into", "")
    if into not in values or into == key:
        raise Invalid.of("into", msg("Choose another value."))
    choice_uses.replace_everywhere(ctx, entry.name, key, into)
    return [one for one in values if one != key]


def _order(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    named = [one for one in request.form.getlist("keys") if one in values]
    return [*named, *(one for one in values if one not in named)]


def _move(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    return [one for one in moved(entry, key, MOVES[request.form["do"]]) if one in values]


_WISHES: Final[Mapping[str, Callable[[Any, ChoiceList, Values, str], list[str]]]] = {
    "add": _add, "save": _save, "hide": _switch, "show": _switch, "remove": _remove, "merge": _merge, "order": _order,
    "up": _move, "down": _move,
}  # fmt: skip
