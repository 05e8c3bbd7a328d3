"""Texts that a person reads, kept untranslated until the reader is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

Translate = Callable[[str], str]

_NO_PARAMS: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Msg:
    """An English text with named placeholders (`{name}`); the English text is also the translation key."""

    text: str
    params: Mapping[str, object] = field(default_factory=lambda: _NO_PARAMS)

    def render(self, translate: Translate = str) -> str:
        """The text in the language of `translate`, with parameters (themselves perhaps `Msg`) filled in."""
        template = translate(self.text)
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
