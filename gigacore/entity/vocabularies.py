"""Countries (ISO 3166) and languages (ISO 639): their codes, and their names in the reader's language, from CLDR.

A field with such a vocabulary is a text that holds a code; a text that is no known name stays as it was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from gigacore.entity.folding import fold

COUNTRIES: Final = "countries"
LANGUAGES: Final = "languages"
LOCALES: Final = ("en", "fr")
"""Whose names are understood when they are typed or imported."""
_NO_COUNTRIES: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}  # reserved, no countries
)
_ALSO: Final[Mapping[str, str]] = MappingProxyType(
    {"usa": "US", "u.s.a.": "US", "etats-unis d'amerique": "US", "uk": "GB", "great britain": "GB", "england": "GB",
     "grande-bretagne": "GB", "angleterre": "GB", "holland": "NL", "hollande": "NL"}
)  # fmt: skip


@cache
def names(vocabulary: str, locale: str) -> Mapping[str, str]:
    """Name by code, in the order of the names; locales that CLDR does not know read English."""
    from babel import Locale, UnknownLocaleError  # half a megabyte, read when the first name is asked for

    try:
        known = Locale.parse(locale, sep="-" if "-" in locale else "_")
    except (UnknownLocaleError, ValueError):
        known = Locale("en")
    found = known.territories if vocabulary == COUNTRIES else known.languages
    kept = {code: _first_upper(name) for code, name in found.items() if _is_code(vocabulary, code)}
    return MappingProxyType(dict(sorted(kept.items(), key=lambda pair: fold(pair[1]))))


def _is_code(vocabulary: str, code: str) -> bool:
    if vocabulary == COUNTRIES:
        return len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    return len(code) == 2 and code.isalpha()


def _first_upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def name_of(vocabulary: str, text: str, locale: str) -> str:
    """What a code is called in a language; another text is its own name."""
    return names(vocabulary, locale).get(text, text)


def code_of(vocabulary: str, text: str) -> str:
    """The code of a name in English or French, or of a code in other letters; another text as it is."""
    return _index(vocabulary).get(fold(text.strip()), text)


@cache
def _index(vocabulary: str) -> Mapping[str, str]:
    index: dict[str, str] = dict(_ALSO) if vocabulary == COUNTRIES else {}
    for locale in LOCALES:
        index |= {fold(name): code for code, name in names(vocabulary, locale).items()}
    return MappingProxyType(index | {code.lower(): code for code in names(vocabulary, "en")})
