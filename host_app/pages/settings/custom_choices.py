"""The values of a list that a custom field brought along: edited like any other list, kept with the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from flask import request

from gigacore import customfields
from gigacore.data.choices import choice_key
from gigacore.entity import ChoiceList
from gigacore.errors import Invalid, NotFound
from gigacore.messages import msg
from gigacore.plugins import field_choices
from host_app.pages.settings.choice_forms import moved, typed

if TYPE_CHECKING:
    from gigacore.context import Context

TOOL: Final = field_choices.TOOL
MOVES: Final = {"up": -1, "down": 1}


def act(ctx: Context, entry: ChoiceList, wish: str, key: str) -> None:
    """Do to one value what the page asks for. Raises what `customfields.change` raises, NotFound, Conflict."""
    if wish == "remove":
        return field_choices.remove(ctx, entry.name, key)
    if wish == "merge":
        return field_choices.merge(ctx, entry.name, key, request.form.get("into", ""))
    definition = field_choices.field_of(ctx, entry.name)
    values = {choice.key: field_choices.as_data(choice) for choice in definition.choices}
    order = _WISHES.get(wish)
    if order is None or (wish not in ("add", "order") and key not in values):
        raise NotFound
    keys = order(ctx, entry, values, key)
    customfields.change(ctx, definition.entity, definition.key, {"choices": [values[one] for one in keys]})


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


def _order(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    named = [one for one in request.form.getlist("keys") if one in values]
    return [*named, *(one for one in values if one not in named)]


def _move(ctx: Context, entry: ChoiceList, values: Values, key: str) -> list[str]:
    return [one for one in moved(entry, key, MOVES[request.form["do"]]) if one in values]


_WISHES: Final[Mapping[str, Callable[[Any, ChoiceList, Values, str], list[str]]]] = {
    "add": _add, "save": _save, "hide": _switch, "show": _switch, "order": _order, "up": _move, "down": _move,
}  # fmt: skip
