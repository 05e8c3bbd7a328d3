"""Finding records of several entities at once, by title and readable id: one statement, what a palette shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import search
from gigacore.entity import EntitySpec, FieldSpec
from gigacore.ids import parse_readable
from gigacore.records.kept import Criteria, Statement, run
from gigacore.records.limits import may_act, readable_fields, visible
from gigacore.records.words import holding, pattern, search_index, search_words, searched_fields
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

MOST: Final = 20
GRAMS: Final = "grams"


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found."""

    entity: str
    id: int
    title: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    """The search in one entity. `limits` are the criteria with values of their own: the actor's, the number sought."""

    spec: EntitySpec
    limits: Sequence[sa.ColumnElement[bool]]
    fields: Sequence[FieldSpec] = ()
    index: sa.TableClause | None = None
    """Where it is, records are read in its order, the newest first, and no more of them than are shown."""

    @property
    def form(self) -> tuple[object, ...]:
        """What of it shapes the statement, besides its limits."""
        return self.spec.name, len(self.limits), self.index is None, *(field.name for field in self.fields)

    def select(self, place: int, where: Criteria, words: int, most: int) -> sa.Select[Any]:
        table, title = self.spec.table, self.spec.title_field.column
        newest = sa.select(table.c.id, table.c[title].label("title")).where(*where)
        if words:
            newest = newest.where(holding(self.spec, self.fields, [sa.bindparam(_word(n)) for n in range(words)]))
        if self.index is None:
            newest = newest.order_by(table.c.id.desc())
        else:
            place_in_index = self.index.c.rowid
            newest = newest.select_from(self.index.join(table, table.c.id == place_in_index))
            newest = newest.where(search.matching(self.index, sa.bindparam(GRAMS))).order_by(place_in_index.desc())
        inner = newest.limit(most).subquery()
        return sa.select(sa.literal_column(str(place), sa.Integer), inner.c.id, inner.c.title)


def find(ctx: Context, text: str, entities: Sequence[str], most: int = 5) -> list[Found]:
    """The newest records, at most `most` of each entity, that `text` finds: by readable id, else in searchable fields.

    Only what the actor may see; an entity or a title out of its sight is left out. One statement, none for no text.
    """
    registry, most, text = ctx.session.registry, min(most, MOST), text.strip()[:100]
    known = [registry.entities[name] for name in entities if name in registry.entities]
    number = parse_readable(text)
    words = [] if number is not None else search_words(text)
    grams = search.grams(words)
    parts = list(_parts(ctx, known, number, grams)) if text else []
    if not parts:
        return []
    values = {GRAMS: grams, **{_word(n): pattern(word) for n, word in enumerate(words)}}
    key = ("find", most, len(words), *(part.form for part in parts))
    limits = [one for part in parts for one in part.limits]
    rows = run(ctx.session, key, limits, lambda criteria: _statement(parts, criteria, len(words), most), values)
    return [Found(parts[place].spec.name, found, title) for place, found, title in rows]


def _parts(
    ctx: Context, specs: Sequence[EntitySpec], number: tuple[str, int] | None, grams: str | None
) -> Iterator[_Part]:
    session = ctx.session
    for spec in specs:
        if not may_act(ctx, "view", spec) or spec.title_field.name not in readable_fields(session, spec):
            continue
        limit = visible(session, spec)
        limits = [] if limit is None else [limit]
        if number is None:
            fields = searched_fields(session, spec)
            yield _Part(spec, limits, fields, search_index(session, spec, fields) if grams else None)
        elif number[0] == spec.id_prefix:
            yield _Part(spec, [*limits, spec.table.c.id == number[1]])


def _word(number: int) -> str:
    """The name of a word's parameter."""
    return f"word{number}"


def _statement(parts: Sequence[_Part], where: Criteria, words: int, most: int) -> Statement:
    criteria = iter(where)
    selects = [
        part.select(place, [next(criteria) for _ in part.limits], words, most) for place, part in enumerate(parts)
    ]
    return selects[0] if len(selects) == 1 else sa.union_all(*selects)
