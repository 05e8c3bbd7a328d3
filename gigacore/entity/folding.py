"""Folding of text for comparing, sorting and searching: no case, no accents, the same on every engine."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MARKS: Final = re.compile("[\u0300-\u036f]")
KEY_LENGTH: Final = 240


def fold(text: str) -> str:
    """`text` without accents (NFKD, combining marks U+0300 to U+036F dropped) and in lower case.

    A final sigma counts as any other: only Python's `lower` knows it, databases do not.
    """
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).lower().replace("\u03c2", "\u03c3")


def folded_key(text: str | None) -> str | None:
    """The value of a key column: the folded text, cut so that every engine can index it."""
    return None if text is None else fold(text)[:KEY_LENGTH]
