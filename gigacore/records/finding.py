"""Finding records of several entities at once, by title and readable id: one statement, what a palette shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import search
from gigacore.entity import EntitySpec
from gigacore.ids import parse_readable
from gigacore.records.kept import Criteria, Statement, run
from gigacore.records.limits import may_act, readable_fields, visible
from gigacore.records.read import holding, search_index, search_words

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.data import ActorSession

MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found."""

    entity: str
    id: int
    title: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    """The search in one entity. `limits` is how many of the statement's criteria are its own."""

    spec: EntitySpec
    where: Sequence[sa.ColumnElement[bool]]
    index: sa.TableClause | None = None
    """Where it is, records are read in its order, the newest first, and no more of them than are shown."""

    def select(self, place: int, where: Criteria, most: int) -> sa.Select[Any]:
        table, title = self.spec.table, self.spec.title_field.column
        newest = sa.select(table.c.id, table.c[title].label("title")).where(*where)
        if self.index is None:
            newest = newest.order_by(table.c.id.desc())
        else:
            place_in_index = self.index.c.rowid
            newest = newest.select_from(self.index.join(table, table.c.id == place_in_index))
            newest = newest.order_by(place_in_index.desc())
        inner = newest.limit(most).subquery()
        return sa.select(sa.literal_column(str(place), sa.Integer), inner.c.id, inner.c.title)


def find(ctx: Context, text: str, entities: Sequence[str], most: int = 5) -> list[Found]:
    """The newest records, at most `most` of each entity, that `text` finds: by readable id, else in searchable fields.

    Only what the actor may see; an entity or a title out of its sight is left out. One statement, none for no text.
    """
    registry, most = ctx.session.registry, min(most, MOST)
    known = [registry.entities[name] for name in entities if name in registry.entities]
    parts = list(_parts(ctx, known, text.strip()[:100])) if text.strip() else []
    if not parts:
        return []
    key = ("find", most, *((part.spec.name, len(part.where), part.index is None) for part in parts))
    where = [one for part in parts for one in part.where]
    rows = run(ctx.session, key, where, lambda criteria: _statement(parts, criteria, most))
    return [Found(parts[place].spec.name, number, title) for place, number, title in rows]


def _parts(ctx: Context, specs: Sequence[EntitySpec], text: str) -> Iterator[_Part]:
    session, known = ctx.session, parse_readable(text)
    for spec in specs:
        if not may_act(ctx, "view", spec) or spec.title_field.name not in readable_fields(session, spec):
            continue
        if known is None:
            yield _by_words(session, spec, text)
        elif known[0] == spec.id_prefix:
            yield _Part(spec, [*_limit(session, spec), spec.table.c.id == known[1]])


def _by_words(session: ActorSession, spec: EntitySpec, text: str) -> _Part:
    where = [*_limit(session, spec), holding(session, spec, text)]
    index = search_index(session, spec)
    found = None if index is None else search.narrowed(index, search_words(text))
    return _Part(spec, where) if index is None or found is None else _Part(spec, [found, *where], index)


def _limit(session: ActorSession, spec: EntitySpec) -> list[sa.ColumnElement[bool]]:
    limit = visible(session, spec)
    return [] if limit is None else [limit]


def _statement(parts: Sequence[_Part], where: Criteria, most: int) -> Statement:
    criteria = iter(where)
    selects = [part.select(place, [next(criteria) for _ in part.where], most) for place, part in enumerate(parts)]
    return selects[0] if len(selects) == 1 else sa.union_all(*selects)
