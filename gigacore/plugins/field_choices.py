"""Removing the values of a list that a custom field brought along, each in the caller's unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gigacore import customfields
from gigacore.access import require
from gigacore.entity import Choice
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.messages import msg
from gigacore.plugins import choice_uses

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.customfields import Definition

TOOL: Final = "core.custom_field"
PREFIX: Final = "custom."


def is_custom(list_name: str) -> bool:
    """Whether a list belongs to a custom field."""
    return list_name.startswith(PREFIX)


def field_of(ctx: Context, list_name: str) -> Definition:
    """The field that brought a list along. Raises NotFound."""
    entity, _, key = list_name.removeprefix(PREFIX).rpartition(".")
    return customfields.find(ctx, entity, key)


def as_data(choice: Choice) -> dict[str, Any]:
    """A choice as `customfields.change` takes it."""
    return {
        "key": choice.key, "label": choice.label, "labels": dict(choice.labels), "colour": choice.colour,
        "active": choice.active,
    }  # fmt: skip


def remove(ctx: Context, list_name: str, key: str) -> None:
    """Takes a value that no record holds off the list; the field keeps its label, switched off.

    Raises NotFound, Forbidden, or Conflict when records hold it.
    """
    require(ctx, "edit", TOOL)
    definition = _holding(ctx, list_name, key)
    used = choice_uses.count(ctx, list_name, key)
    if used:
        raise Conflict(
            msg("{count} records use this choice.", count=used),
            fix=msg("Put another choice in its place, or switch it off."),
        )
    _keep_others(ctx, definition, key)


def merge(ctx: Context, list_name: str, key: str, into: str) -> None:
    """Puts another value in the place of one in every record, and takes it off the list.

    Raises what `remove` raises, Invalid for the same or an unknown value, and what the change of a record raises.
    """
    require(ctx, "edit", TOOL)
    definition = _holding(ctx, list_name, key)
    if into == key or into not in {choice.key for choice in definition.choices}:
        raise Invalid.of("into", msg("Choose another value."))
    choice_uses.replace_everywhere(ctx, list_name, key, into)
    _keep_others(ctx, definition, key)


def _holding(ctx: Context, list_name: str, key: str) -> Definition:
    definition = field_of(ctx, list_name)
    if key not in {choice.key for choice in definition.choices}:
        raise NotFound(msg("There is no choice {name}.", name=key))
    return definition


def _keep_others(ctx: Context, definition: Definition, key: str) -> None:
    kept = [as_data(choice) for choice in definition.choices if choice.key != key]
    customfields.change(ctx, definition.entity, definition.key, {"choices": kept})
