"""Texts that a person reads, kept untranslated until the reader is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any, Final, Self

from gigacore.values import dataclass

Translate = Callable[[str], str]

_NO_PARAMS: Final[Mapping[str, object]] = MappingProxyType({})
_AS_IT_IS: Final = "{text}"
_MANY: Final = 2


class Counted(str):
    """A text whose form follows the number that it tells of: “1 record”, “2 records”."""

    __slots__ = ("number",)
    number: int

    def __new__(cls, text: str, count: object) -> Self:
        """`count` is the number, or how it is shown; only the lowest two have forms of their own."""
        made = super().__new__(cls, text)
        made.number = count if isinstance(count, int) else int(count) if count in ("0", "1") else _MANY
        return made


@dataclass(frozen=True, slots=True)
class Msg:
    """An English text with named placeholders (`{name}`); the English text is also the translation key."""

    text: str
    params: Mapping[str, object] = field(default_factory=lambda: _NO_PARAMS)

    def render(self, translate: Translate = str) -> str:
        """The text in the language of `translate`, with parameters (themselves perhaps `Msg`) filled in.

        A parameter `count` chooses between the forms that the language has for one and for many.
        """
        count = self.params.get("count")
        template = translate(self.text if count is None else Counted(self.text, count))
        if not self.params:
            return template
        return template.format(
            **{
                name: value.render(translate) if isinstance(value, Msg) else value
                for name, value in self.params.items()
            }
        )

    def __str__(self) -> str:
        return self.render()


def msg(text: str, /, **params: object) -> Msg:
    """Mark `text` for translation. `params` may hold further `Msg` values; they are translated with it."""
    return Msg(text, MappingProxyType(params) if params else _NO_PARAMS)


def joined(messages: Iterable[Msg], between: str = " ") -> Msg:
    """Several texts one after another; each is translated by itself."""
    parts = {f"p{number}": message for number, message in enumerate(messages)}
    return Msg(between.join(f"{{{name}}}" for name in parts), parts)


def verbatim(text: str) -> Msg:
    """A text that is the same in every language, such as what another system answered."""
    return Msg(_AS_IT_IS, {"text": text})


def packed(message: Msg) -> dict[str, Any]:
    """A message as JSON holds it, to be shown in the language of whoever reads it later."""
    return {"msg": message.text, "params": {name: _as_json(value) for name, value in message.params.items()}}


def _as_json(value: object) -> object:
    """A parameter: what JSON has no form for, such as a path, is kept as it is shown."""
    if isinstance(value, Msg):
        return packed(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def unpacked(kept: Mapping[str, Any]) -> Msg:
    """The reverse of `packed`."""
    params = {name: unpacked(value) if _is_packed(value) else value for name, value in kept["params"].items()}
    return Msg(kept["msg"], params)


def _is_packed(value: object) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"msg", "params"}
