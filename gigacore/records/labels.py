"""Labels of the records that others refer to; a record out of the actor's sight has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.entity import SYSTEM_TARGETS
from gigacore.records.kept import Criteria, Statement, run
from gigacore.records.limits import visible

if TYPE_CHECKING:
    from gigacore.data import ActorSession

Labels = Mapping[int, str]


def labels_of(session: ActorSession, target: str, ids: Iterable[int]) -> Labels:
    """The titles of the records of `target` among `ids` that the actor may see. One statement, none for no ids."""
    return all_labels(session, {target: ids})[target]


def all_labels(session: ActorSession, wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Labels]:
    """The titles of records of several targets, in one statement; none for no ids."""
    labels: dict[str, dict[int, str]] = {target: {} for target in wanted}
    asked = (_part(session, target, sorted(set(ids))) for target, ids in wanted.items())
    parts = [part for part in asked if part is not None]
    if not parts:
        return labels
    where = [criterion for part in parts for criterion in part.where]
    key = ("labels", *((part.target, len(part.where)) for part in parts))
    for place, record_id, title in run(session, key, where, lambda criteria: _statement(parts, criteria)):
        labels[parts[place].target][record_id] = title or f"#{record_id}"
    return labels


@dataclass(frozen=True, slots=True)
class _Part:
    """The labels of one target: where they stand, and which are wanted."""

    target: str
    table: sa.FromClause
    title: str
    where: tuple[sa.ColumnElement[bool], ...]

    def select(self, place: int, where: Criteria) -> sa.Select[Any]:
        """Place, number and title of the records."""
        return sa.select(_number(place), self.table.c.id, self.table.c[self.title]).where(*where)


def _part(session: ActorSession, target: str, ids: list[int]) -> _Part | None:
    if not ids:
        return None
    if target in SYSTEM_TARGETS:
        table = system_table(target)
        return _Part(target, table, SYSTEM_TARGETS[target].title, (table.c.id.in_(ids),))
    spec = session.registry.entities.get(target)
    if spec is None:
        return None
    limit, wanted = visible(session, spec), spec.table.c.id.in_(ids)
    return _Part(target, spec.table, spec.title_field.column, (wanted,) if limit is None else (wanted, limit))


@cache
def system_table(target: str) -> sa.TableClause:
    """The bare table of a record of the core that entities refer to."""
    known = SYSTEM_TARGETS[target]
    return sa.table(known.table, sa.column("id", sa.BigInteger), sa.column(known.title, sa.String))


def _statement(parts: Sequence[_Part], where: Criteria) -> Statement:
    rest = iter(where)
    selects = [part.select(place, tuple(islice(rest, len(part.where)))) for place, part in enumerate(parts)]
    return selects[0] if len(selects) == 1 else sa.union_all(*selects)


def _number(place: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(place), sa.Integer)
