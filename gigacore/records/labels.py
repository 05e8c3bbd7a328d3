"""Labels of the records that others refer to; a record out of the actor's sight has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.entity import SYSTEM_TARGETS
from gigacore.records.kept import Criteria, Statement, run
from gigacore.records.limits import known_names, reader_of, visible

if TYPE_CHECKING:
    from gigacore.data import ActorSession

Labels = Mapping[int, str]


def labels_of(session: ActorSession, target: str, ids: Iterable[int]) -> Labels:
    """The titles of the records of `target` among `ids` that the actor may see. One statement, none for no ids."""
    return all_labels(session, {target: ids})[target]


def all_labels(session: ActorSession, wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Labels]:
    """The titles of records of several targets, in one statement at most; those of the core are kept once read."""
    labels = {t: known_names(session, t) if t in SYSTEM_TARGETS else dict[int, str]() for t in wanted}
    asked = (_part(session, target, sorted(set(ids).difference(labels[target]))) for target, ids in wanted.items())
    parts = [part for part in asked if part is not None]
    if not parts:
        return labels
    limits = [part.limit for part in parts if part.limit is not None]
    key = ("labels", *((part.target, part.title, part.limit is None) for part in parts))
    values = {f"ids_{place}": part.ids for place, part in enumerate(parts)}
    for place, record_id, title in run(session, key, limits, lambda criteria: _statement(parts, criteria), values):
        labels[parts[place].target][record_id] = title or f"#{record_id}"
    return labels


@dataclass(frozen=True, slots=True)
class _Part:
    """The labels of one target: where they stand, which are wanted, and which the actor may see (None = all)."""

    target: str
    table: sa.FromClause
    title: str
    ids: list[int]
    limit: sa.ColumnElement[bool] | None = None

    def select(self, place: int, where: Criteria) -> sa.Select[Any]:
        """Place, number and title of the records."""
        wanted = self.table.c.id.in_(sa.bindparam(f"ids_{place}", expanding=True))
        title = self.table.c[self.title] if self.title else sa.cast(sa.null(), sa.String)
        return sa.select(_number(place), self.table.c.id, title).where(wanted, *where)


def _part(session: ActorSession, target: str, ids: list[int]) -> _Part | None:
    if not ids:
        return None
    if target in SYSTEM_TARGETS:
        return _Part(target, system_table(target), SYSTEM_TARGETS[target].title, ids)
    spec = session.registry.entities.get(target)
    if spec is None:
        return None
    # Whoever may not read the title sees that there is a record, by its number.
    readable = reader_of(session)(spec, spec.title_field)
    return _Part(target, spec.table, spec.title_field.column if readable else "", ids, visible(session, spec))


@cache
def system_table(target: str) -> sa.TableClause:
    """The bare table of a record of the core that entities refer to."""
    known = SYSTEM_TARGETS[target]
    return sa.table(known.table, sa.column("id", sa.BigInteger), sa.column(known.title, sa.String))


def _statement(parts: Sequence[_Part], where: Criteria) -> Statement:
    limits = iter(where)
    selects = [part.select(place, () if part.limit is None else (next(limits),)) for place, part in enumerate(parts)]
    return selects[0] if len(selects) == 1 else sa.union_all(*selects)


def _number(place: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(place), sa.Integer)
