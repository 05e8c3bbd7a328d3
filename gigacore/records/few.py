"""Lists of people who see few records: read from what they see, not from all records in the order of the list.

SQLite plans without knowing whose list it is, and PostgreSQL expects one person's records at every turn: both would
walk through many thousands of others' records to find a page of somebody's hundred.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.access.candidates import Ids, candidates
from gigacore.access.decide import guard_of
from gigacore.entity.spec import TEXT_KINDS
from gigacore.filter.ast import All, Compare, Condition
from gigacore.filter.elements import Among
from gigacore.records.kept import run

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec, FieldSpec

FEW: Final = 5000
"""So many records cost as much to sort as it costs a million to yield a page to somebody who sees that many of them."""
RECHECKED: Final = timedelta(minutes=1)
_MOST_KEPT: Final = 1000
_MANY_VALUES: Final = frozenset({*TEXT_KINDS, "integer", "decimal", "money", "date", "datetime"})


def among_few(ctx: Context, spec: EntitySpec, condition: Condition | None) -> sa.ColumnElement[bool] | None:
    """The criterion that a list is among the few records that its reader can see; None where it would not help.

    That few are seen is counted once a minute and reader; meanwhile more of them only cost time.
    """
    session = ctx.session
    if ctx.actor.is_system or (condition is not None and _selective(condition)):
        return None
    ids = candidates(guard_of(ctx).policy(session, spec, "view"), ctx.actor)
    if ids is None or not _are_few(ctx, spec, ids):
        return None
    return Among(spec.table.c.id, sa.union_all(*ids))


def _are_few(ctx: Context, spec: EntitySpec, ids: list[Ids]) -> bool:
    memo: dict[object, tuple[Any, bool]] = ctx.session.registry.memo.setdefault("few", {})
    actor = ctx.actor
    key = (spec.name, actor.user_id, actor.team_ids, actor.tree_ids, actor.subordinate_ids, len(ids))
    at, few = memo.get(key, (None, False))
    if at is None or not at <= ctx.now < at + RECHECKED:
        if len(memo) >= _MOST_KEPT:
            memo.clear()
        found = sa.union_all(*ids).limit(FEW + 1).subquery()
        counted = run(ctx.session, (*key, "few"), (), lambda _: sa.select(sa.func.count()).select_from(found))
        few = counted.scalar_one() <= FEW
        memo[key] = (ctx.now, few)
    return few


def _selective(condition: Condition) -> bool:
    """Whether an index finds the records of a filter: it names a value of a field that has many of them."""
    match condition:
        case All(items):
            return any(map(_selective, items))
        case Compare(path, op):
            return op in ("eq", "in") and not path.hops and not path.part and _indexed(path.field)
    return False


def _indexed(field: FieldSpec) -> bool:
    indexed = field.indexed or field.sort or field.unique or field.kind in ("email", "phone")
    return indexed and field.kind in _MANY_VALUES
