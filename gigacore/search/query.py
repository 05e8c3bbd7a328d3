"""How a search uses the index of an entity: it narrows the records down, the texts themselves decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from gigacore.data.search_texts import index_name
from gigacore.entity import EntitySpec, Registry
from gigacore.entity.columns import BigId
from gigacore.search.index import present

LENGTH: Final = 3
MOST: Final = 24
_MEMO: Final = "search_indexes"


def index_of(connection: sa.Connection, registry: Registry, spec: EntitySpec) -> sa.TableClause | None:
    """The index that searches of an entity read; None where there is none, or the database chooses it by itself."""
    if connection.dialect.name != "sqlite":
        return None
    known: dict[str, sa.TableClause] | None = registry.memo.get(_MEMO)
    if known is None:
        known = registry.memo[_MEMO] = {n: sa.table(n, sa.column("rowid", BigId)) for n in present(connection)}
    return known.get(index_name(spec.table.name))


def grams(words: Sequence[str]) -> str | None:
    """What the index is asked for: every trigram of the words, in any order and field; None for short words only.

    Whoever searches compares the texts as well: the index knows neither places nor fields.
    """
    found = [word[at : at + LENGTH] for word in words for at in range(len(word) - LENGTH + 1)]
    return " AND ".join(_quoted(gram) for gram in list(dict.fromkeys(found))[:MOST]) or None


def matching(index: sa.TableClause, wanted: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """The entries that hold these `grams`."""
    matches: sa.ColumnElement[Any] = sa.literal_column(index.name).op("MATCH", is_comparison=True)(wanted)
    return matches


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'
