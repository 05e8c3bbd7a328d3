"""Reading .po files without babel, which takes longer to load than all the files take to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from gigacore.values import dataclass

Forms = tuple[str, ...]
Entry = dict[str, str]

_ESCAPED: Final = re.compile(r"\\(.)")
_MEANS: Final = {"n": "\n", "t": "\t", "r": "\r"}
_PLURAL: Final = re.compile(r"^Plural-Forms:.*\bplural=([^;\n]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PoFile:
    """The translated texts of a file by their English, and its rule for plurals as an expression in C over `n`."""

    texts: Mapping[str, Forms]
    plural: str


def read_po(text: str) -> PoFile:
    """The texts of a file; fuzzy ones and those not translated whole are left out. Raises ValueError for a bad line."""
    texts: dict[str, Forms] = {}
    plural = "n != 1"
    for entry in _entries(text):
        key = entry.get("msgid", "")
        forms = tuple(value for name, value in entry.items() if name.startswith("msgstr"))
        if key and forms and all(forms):
            texts[key] = forms
        elif not key and (rule := _PLURAL.search("".join(forms))):
            plural = rule[1].strip()
    return PoFile(texts, plural)


def _entries(text: str) -> Iterator[Entry]:
    """What each entry holds, by keyword; fuzzy ones are passed over, but for the header."""
    entry: Entry = {}
    keyword, fuzzy = "", False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        starts = line.startswith(("msgid ", "msgctxt ")) and any(name.startswith("msgstr") for name in entry)
        if entry and (starts or not line or line[0] == "#"):
            if not fuzzy or not entry.get("msgid"):
                yield entry
            entry, keyword, fuzzy = {}, "", False
        if not line or line[0] == "#":
            fuzzy |= line.startswith("#,") and "fuzzy" in line
            continue
        if line[0] != '"':
            keyword, _, line = line.partition(" ")
        if not keyword or len(line) < 2 or not (line[0] == line[-1] == '"'):
            raise ValueError(f"line {number} is not part of an entry: {raw!r}")
        entry[keyword] = entry.get(keyword, "") + _plain(line[1:-1])
    if entry and (not fuzzy or not entry.get("msgid")):
        yield entry


def _plain(quoted: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANS.get(found[1], found[1]), quoted) if "\\" in quoted else quoted
