"""Labels of the records that others refer to; a record out of the actor's sight has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.entity import SYSTEM_TARGETS
from gigacore.entity.columns import JsonB
from gigacore.records.kept import Criteria, Statement, run
from gigacore.records.limits import known_names, reader_of, visible
from gigacore.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from gigacore.data import ActorSession

Labels = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Names:
    """The titles of records by target, in the reader's language, and the colours of those that have one."""

    labels: dict[str, dict[int, str]]
    colours: dict[str, dict[int, str]]


def in_language(title: str | None, labels: object, locale: str) -> str | None:
    """A title in a language: its translation, if there is one, else the title itself."""
    return (labels.get(locale) if isinstance(labels, dict) else None) or title


def labels_of(session: ActorSession, target: str, ids: Iterable[int]) -> Labels:
    """The titles of the records of `target` among `ids` that the actor may see. One statement, none for no ids."""
    return all_names(session, {target: ids}).labels[target]


def all_labels(session: ActorSession, wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Labels]:
    """The same for records of several targets, in one statement at most."""
    return all_names(session, wanted).labels


def all_names(session: ActorSession, wanted: Mapping[str, Iterable[int]]) -> Names:
    """The names of records of several targets, in one statement at most; those of the core are kept once read."""
    names = Names({t: known_names(session, t) if t in SYSTEM_TARGETS else {} for t in wanted}, {})
    unknown = {target: sorted(set(ids).difference(names.labels[target])) for target, ids in wanted.items()}
    asked = (_part(session, target, ids) for target, ids in unknown.items())
    parts = [part for part in asked if part is not None]
    if not parts:
        return names
    limits = [part.limit for part in parts if part.limit is not None]
    key = ("labels", *((part.target, part.title, part.limit is None) for part in parts))
    values = {f"ids_{place}": part.ids for place, part in enumerate(parts)}
    rows = run(session, key, limits, lambda criteria: _statement(parts, criteria), values)
    for place, record_id, title, *marks in rows:
        label, colour = _marked(title, marks, session)
        names.labels[parts[place].target][record_id] = label or f"#{record_id}"
        if colour:
            names.colours.setdefault(parts[place].target, {})[record_id] = colour
    return names


def _marked(title: str | None, marks: Sequence[Any], session: ActorSession) -> tuple[str | None, str | None]:
    if not marks:
        return title, None
    labels, colour = marks
    return in_language(title, labels, session.actor.locale), colour


@dataclass(frozen=True, slots=True)
class _Part:
    """The labels of one target: where they stand, which are wanted, and which the actor may see (None = all).

    `labels` and `colour` name the columns of translations and colours, empty where there are none.
    """

    target: str
    table: sa.FromClause
    title: str
    ids: list[int]
    limit: sa.ColumnElement[bool] | None = None
    labels: str = ""
    colour: str = ""

    def select(self, place: int, where: Criteria, *, marked: bool) -> sa.Select[Any]:
        """Place, number and title of the records, and, where any of the targets has them, translations and colour."""
        wanted = self.table.c.id.in_(sa.bindparam(f"ids_{place}", expanding=True))
        marks = (self._column(self.labels, JsonB()), self._column(self.colour, sa.String())) if marked else ()
        title = self._column(self.title, sa.String())
        return sa.select(_number(place), self.table.c.id, title, *marks).where(wanted, *where)

    def _column(self, name: str, kind: TypeEngine[Any]) -> sa.ColumnElement[Any]:
        return self.table.c[name] if name else sa.cast(sa.null(), kind)


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
    names = (spec.title, spec.labels, spec.colour) if readable else (None, None, spec.colour)
    title, labels, colour = (spec.fields[name].column if name else "" for name in names)
    return _Part(target, spec.table, title, ids, visible(session, spec), labels, colour)


@cache
def system_table(target: str) -> sa.TableClause:
    """The bare table of a record of the core that entities refer to."""
    known = SYSTEM_TARGETS[target]
    return sa.table(known.table, sa.column("id", sa.BigInteger), sa.column(known.title, sa.String))


def _statement(parts: Sequence[_Part], where: Criteria) -> Statement:
    limits = iter(where)
    marked = any(part.labels or part.colour for part in parts)
    selects = [
        part.select(place, () if part.limit is None else (next(limits),), marked=marked)
        for place, part in enumerate(parts)
    ]
    return selects[0] if len(selects) == 1 else sa.union_all(*selects)


def _number(place: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(place), sa.Integer)
