"""What a search compares: the words of its text with the folded keys of an entity's searchable fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore import search
from gigacore.entity import EntitySpec, FieldSpec, fold
from gigacore.records.limits import readable_fields

if TYPE_CHECKING:
    from gigacore.data import ActorSession

ESCAPE: Final = "/"
MOST: Final = 6


def search_words(text: str) -> list[str]:
    """What a search looks for."""
    return fold(text).split()[:MOST]


def pattern(word: str) -> str:
    """What LIKE takes for a word anywhere in a text."""
    plain = word.replace(ESCAPE, ESCAPE * 2).replace("%", f"{ESCAPE}%").replace("_", f"{ESCAPE}_")
    return f"%{plain}%"


def searching(session: ActorSession, spec: EntitySpec, text: str) -> ColumnElement[bool]:
    """Whether each word of `text` stands in a searchable field that the actor may read."""
    fields, words = searched_fields(session, spec), search_words(text)
    held, index = holding(spec, fields, [pattern(word) for word in words]), search_index(session, spec, fields)
    grams = None if index is None else search.grams(words)
    if index is None or grams is None:
        return held
    return sa.and_(spec.table.c.id.in_(sa.select(index.c.rowid).where(search.matching(index, grams))), held)


def searched_fields(session: ActorSession, spec: EntitySpec) -> list[FieldSpec]:
    """The searchable fields that the actor may read."""
    readable = readable_fields(session, spec)
    return [f for f in spec.fields.values() if f.search and not f.custom and f.key_column and f.name in readable]


def search_index(session: ActorSession, spec: EntitySpec, fields: Sequence[FieldSpec]) -> sa.TableClause | None:
    """The index that narrows a search down; None where there is none, or where it lacks fields that plugins add."""
    if any(field.extension for field in fields):
        return None
    return search.index_of(session.connection(), session.registry, spec)


def holding(spec: EntitySpec, fields: Sequence[FieldSpec], patterns: Sequence[Any]) -> ColumnElement[bool]:
    """Whether each pattern, a text or a parameter, stands in one of the fields."""
    any_field = (sa.or_(sa.false(), *(_holds(spec, field, one) for field in fields)) for one in patterns)
    return sa.and_(sa.true(), *any_field)


def _holds(spec: EntitySpec, field: FieldSpec, like: Any) -> ColumnElement[bool]:
    """Whether the folded key of a field, of the entity or of what a plugin adds to it, holds a word."""
    table: Any = field.extension.__table__ if field.extension else spec.table
    holds: ColumnElement[bool] = table.c[field.key_column or ""].like(like, escape=ESCAPE)
    return spec.table.c.id.in_(sa.select(table.c.id).where(holds)) if field.extension else holds
