"""Translations: the .po files of all packages, merged in memory; the English text is the key."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from gigacore.messages import Counted, Msg
from gigacore.text.formats import Formats
from gigacore.text.po import Forms, PoFile, read_po
from gigacore.values import dataclass

SOURCE_LOCALE: Final = "en"


@dataclass(frozen=True, slots=True, eq=False)
class Translator:
    """Turns English texts into one language; call it with a text, or with a `Msg`."""

    locale: str
    texts: Mapping[str, Forms] = field(repr=False)
    plural_index: Callable[[int], int] = field(repr=False)

    def __call__(self, text: str | Msg) -> str:
        """The translation, or the English text where there is none."""
        if isinstance(text, Msg):
            return text.render(self)
        forms = self.texts.get(text)
        if not forms:
            return text
        return forms[min(self.plural_index(text.number), len(forms) - 1)] if isinstance(text, Counted) else forms[-1]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of every language that the packages ship; of two translations of one text the first wins."""

    languages: Mapping[str, Translator]

    @classmethod
    def load(cls, packages: Iterable[str]) -> Catalogue:
        """Reads `translations/<locale>.po` of each package (import names), the core's first."""
        texts: dict[str, dict[str, Forms]] = {}
        rules: dict[str, Callable[[int], int]] = {}
        for package in packages:
            for locale, file in read_package(package):
                texts[locale] = {**file.texts, **texts.get(locale, {})}
                rules.setdefault(locale, gettext.c2py(file.plural))
        return cls(
            MappingProxyType({name: Translator(name, MappingProxyType(t), rules[name]) for name, t in texts.items()})
        )

    @property
    def locales(self) -> tuple[str, ...]:
        """Every language that a reader can choose, English first."""
        return (SOURCE_LOCALE, *sorted(set(self.languages) - {SOURCE_LOCALE}))

    def translator(self, locale: str) -> Translator:
        """The translator of a locale (`fr_CA` falls back to `fr`, an unknown one to English)."""
        for name in (locale.replace("-", "_"), locale[:2]):
            if name in self.languages:
                return self.languages[name]
        return self.languages.get(SOURCE_LOCALE, ENGLISH)

    def formats(self, locale: str, timezone: str) -> Formats:
        """Formatting of dates, numbers and money for a reader."""
        return formats_of(self.translator(locale), locale, timezone)


@lru_cache(maxsize=256)
def formats_of(translator: Translator, locale: str, timezone: str) -> Formats:
    """One `Formats` per kind of reader, for its patterns are compiled at the first use."""
    return Formats(locale, timezone, translator)


def one_or_many(count: int) -> int:
    """English plural rule."""
    return int(count != 1)


ENGLISH: Final = Translator(SOURCE_LOCALE, MappingProxyType({}), one_or_many)


def read_package(package: str) -> Iterable[tuple[str, PoFile]]:
    """The texts of one package by locale. Raises ValueError for a malformed file."""
    folder = files(package).joinpath("translations")
    found = folder.iterdir() if folder.is_dir() else ()
    for file in sorted(found, key=lambda item: item.name):
        if file.name.endswith(".po"):
            yield file.name.removesuffix(".po"), read_po(file.read_text("utf-8"))
