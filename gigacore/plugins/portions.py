"""How much a plugin may put into one place of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from gigacore.errors import PluginError
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.ui import Content

MOST_CONTENTS: Final = 200
MOST_TEXT: Final = 200_000


def within_limits(plugin: str, found: object) -> tuple[Content, ...]:
    """The contents of one place. Raises PluginError for more than 200 of them, or 200,000 characters."""
    contents = several(plugin, found)
    if len(contents) > MOST_CONTENTS or _left(contents, MOST_TEXT) < 0:
        raise PluginError(
            plugin,
            msg("It puts too much into one place of a page."),
            fix=msg("Show the first lines and a link to a page of its own."),
        )
    return contents


def several(plugin: str, found: object, most: int = MOST_CONTENTS) -> tuple[Any, ...]:
    """What a hook gave (None is nothing), at most one more than `most`. Raises PluginError for what is no sequence."""
    if found is None:
        return ()
    if not isinstance(found, Iterable):
        raise PluginError(
            plugin,
            msg("It gives {what} where several values belong.", what=repr(found)[:80]),
            fix=msg("Give a list, also of a single value."),
        )
    return tuple(islice(found, most + 1))


def _left(value: object, left: int) -> int:
    """What is left of `left` characters after `value`; below zero as soon as that is known."""
    if isinstance(value, str | bytes):
        return left - len(value)
    left -= 1
    for part in _parts(value):
        if left < 0:
            break
        left = _left(part, left)
    return left


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if is_dataclass(value):
        return (getattr(value, item.name) for item in fields(value))
    return ()
