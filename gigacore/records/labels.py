"""Labels of the records that others refer to; a record out of the actor's sight has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.data import mark_scoped
from gigacore.entity import SYSTEM_TARGETS
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
    places = list(wanted)
    if places and all(target in SYSTEM_TARGETS for target in places):
        return _system_labels(session, labels, places, wanted)
    parts = [_part(session, place, target, sorted(set(wanted[target]))) for place, target in enumerate(places)]
    statements = [part for part in parts if part is not None]
    if not statements:
        return labels
    whole = statements[0] if len(statements) == 1 else sa.union_all(*statements)
    for place, record_id, title in session.connection().execute(mark_scoped(whole)):
        labels[places[place]][record_id] = title or f"#{record_id}"
    return labels


def _system_labels(
    session: ActorSession, labels: dict[str, dict[int, str]], places: list[str], wanted: Mapping[str, Iterable[int]]
) -> Mapping[str, Labels]:
    """The names of users, teams and organisations, to which no policy applies, by a statement that is kept."""
    values = {f"ids_{place}": sorted(set(wanted[target])) for place, target in enumerate(places)}
    if not any(values.values()):
        return labels
    for place, record_id, title in session.connection().execute(_system_statement(tuple(places)), values):
        labels[places[place]][record_id] = title or f"#{record_id}"
    return labels


@lru_cache(maxsize=32)
def _system_statement(targets: tuple[str, ...]) -> sa.Executable:
    parts = []
    for place, target in enumerate(targets):
        known = SYSTEM_TARGETS[target]
        table = sa.table(known.table, sa.column("id", sa.BigInteger), sa.column(known.title, sa.String))
        ids: sa.BindParameter[Any] = sa.bindparam(f"ids_{place}", expanding=True)
        parts.append(sa.select(_number(place), table.c.id, table.c[known.title]).where(table.c.id.in_(ids)))
    return mark_scoped(parts[0] if len(parts) == 1 else sa.union_all(*parts))


def _part(session: ActorSession, place: int, target: str, ids: list[int]) -> sa.Select[Any] | None:
    if not ids:
        return None
    if target in SYSTEM_TARGETS:
        known = SYSTEM_TARGETS[target]
        table = sa.table(known.table, sa.column("id", sa.BigInteger), sa.column(known.title, sa.String))
        return sa.select(_number(place), table.c.id, table.c[known.title]).where(table.c.id.in_(ids))
    spec = session.registry.entities.get(target)
    if spec is None:
        return None
    title = spec.table.c[spec.title_field.column]
    statement = sa.select(_number(place), spec.table.c.id, title).where(spec.table.c.id.in_(ids))
    limit = visible(session, spec)
    return statement if limit is None else statement.where(limit)


def _number(place: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(place), sa.Integer)
