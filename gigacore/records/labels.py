"""Labels of the records that others refer to; a record out of the actor's sight has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gigacore.data import mark_scoped
from gigacore.entity import SYSTEM_TARGETS
from gigacore.records.limits import visible

if TYPE_CHECKING:
    from gigacore.data import ActorSession

Labels = Mapping[int, str]


def labels_of(session: ActorSession, target: str, ids: Iterable[int]) -> Labels:
    """The titles of the records of `target` among `ids` that the actor may see. One statement, none for no ids."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    statement = _system_labels(target, wanted) if target in SYSTEM_TARGETS else _labels(session, target, wanted)
    if statement is None:
        return {}
    return {row[0]: row[1] or f"#{row[0]}" for row in session.connection().execute(statement)}


def _system_labels(target: str, ids: list[int]) -> sa.Select[tuple[int, str]]:
    place = SYSTEM_TARGETS[target]
    table = sa.table(place.table, sa.column("id", sa.BigInteger), sa.column(place.title, sa.String))
    return sa.select(table.c.id, table.c[place.title]).where(table.c.id.in_(ids))


def _labels(session: ActorSession, target: str, ids: list[int]) -> sa.Select[tuple[int, str]] | None:
    spec = session.registry.entities.get(target)
    if spec is None:
        return None
    title = spec.table.c[spec.title_field.column]
    statement = sa.select(spec.table.c.id, title).where(spec.table.c.id.in_(ids))
    limit = visible(session, spec)
    return mark_scoped(statement if limit is None else statement.where(limit))
