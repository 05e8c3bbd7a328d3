"""From the text of one cell to the value of one field, and what spreadsheets would take for a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from gigacore.entity import KINDS, BadValue, ChoiceList, FieldSpec, Money, Registry, fold
from gigacore.exchange.mapping import normal
from gigacore.exchange.synonyms import VALUES
from gigacore.messages import msg
from gigacore.values import dataclass

Translate = Callable[[str], str]
Converter = Callable[[str], Any]

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_HAS_CURRENCY: Final = re.compile(r"[A-Z]{3}|[€$£]")


def protect(text: str) -> str:
    """The text as an export writes it: a leading apostrophe keeps spreadsheets from running it as a formula."""
    return f"'{text}" if text.startswith((*FORMULA, "'")) else text


def unprotect(text: str) -> str:
    """The reverse of `protect`; other text stays as it is."""
    return text[1:] if text[:1] == "'" and text[1:].startswith((*FORMULA, "'")) else text


@dataclass(frozen=True, slots=True)
class Reading:
    """How the texts of a file are understood.

    `locale` of numbers and dates, `currency` of amounts without one; `words` are the values that a person gave for
    words of the file (`{heading: {word: value}}`), `translators` the languages in which labels are known.
    """

    locale: str = "en"
    currency: str = "EUR"
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    translators: tuple[Translate, ...] = ()


def converter(heading: str, spec: FieldSpec, registry: Registry, reading: Reading) -> Converter | None:
    """The function for one column; it raises BadValue. None for references, which need the database."""
    words = {normal(word): value for word, value in reading.words.get(heading, {}).items()}
    if spec.kind in ("ref", "file"):
        return None
    inner = by_kind(spec, registry, reading)
    if not words:
        return inner
    return lambda text: inner(words.get(normal(text), text))


def by_kind(spec: FieldSpec, registry: Registry, reading: Reading) -> Converter:
    """The function for one kind of field."""
    choices = registry.choice_list(spec)
    if choices is not None and spec.kind == "choice":
        return ChoiceFinder(choices, reading.translators)
    if choices is not None:
        one = ChoiceFinder(choices, reading.translators)
        parse = KINDS[spec.kind].parse_text
        return lambda text: [one(part) for part in parse(text, spec, reading.locale)]
    if spec.kind == "enum":
        return EnumFinder(spec, reading.translators)
    if spec.kind == "money":
        return lambda text: money(text, spec, reading)
    if spec.is_text:
        return str
    parse_text, locale = KINDS[spec.kind].parse_text, reading.locale
    return lambda text: parse_text(text, spec, locale)


def money(text: str, spec: FieldSpec, reading: Reading) -> Money:
    """An amount; without a currency of its own it is in the file's."""
    whole = text if _HAS_CURRENCY.search(text) else f"{text} {reading.currency}"
    found: Money = KINDS["money"].parse_text(whole, spec, reading.locale)
    return found


class ChoiceFinder:
    """Finds a choice by key, label in any language, or synonym; an open list takes what it does not know."""

    def __init__(self, choices: ChoiceList, translators: tuple[Translate, ...]) -> None:
        self.choices = choices
        self.known: dict[str, str] = {}
        for choice in choices.choices:
            labels = [choice.label, *choice.labels.values(), *(translate(choice.label) for translate in translators)]
            for text in (choice.key, *labels):
                self.known.setdefault(normal(text), choice.key)

    def __call__(self, text: str) -> str:
        """The key of the choice. Raises BadValue."""
        key = normal(text)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.by_synonym(key) or self.unknown(text)
        return found

    def by_synonym(self, key: str) -> str:
        """What other programs mean by the word."""
        for wanted in VALUES.get(key, ()):
            if wanted.startswith("kind:"):
                keys = self.choices.keys_of(wanted.removeprefix("kind:"))
                if keys:
                    return keys[0]
            elif self.choices.get(wanted) is not None:
                return wanted
        return ""

    def unknown(self, text: str) -> str:
        """A new value of an open list. Raises BadValue for a closed one."""
        if self.choices.open:
            return text
        labels = ", ".join(choice.label for choice in self.choices.choices if choice.active)
        raise BadValue(msg("“{value}” is not one of: {values}.", value=text[:60], values=labels))


class EnumFinder:
    """Finds a member of a closed enumeration by value or label in any language."""

    def __init__(self, spec: FieldSpec, translators: tuple[Translate, ...]) -> None:
        self.spec = spec
        self.known: dict[str, str] = {}
        for value, label in spec.choices:
            for text in (value, label, *(translate(label) for translate in translators)):
                self.known.setdefault(fold(text.strip()), value)

    def __call__(self, text: str) -> str:
        """The value of the member. Raises BadValue."""
        found = self.known.get(fold(text.strip()))
        if found is None:
            labels = ", ".join(label for _, label in self.spec.choices)
            raise BadValue(msg("“{value}” is not one of: {values}.", value=text[:60], values=labels))
        return found
