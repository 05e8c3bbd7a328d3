"""Statements that are kept: built once per form, run with the values of the moment.

Building a select and finding it in SQLAlchemy's cache costs more than running it. What a criterion *is* apart from
its values comes from SQLAlchemy's own cache key, so that nothing that changes the SQL can be mistaken for a value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore.data import mark_scoped
from gigacore.entity.spec import EMPTY
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data import ActorSession

Criteria = Sequence[ColumnElement[bool]]
Statement = sa.Select[Any] | sa.CompoundSelect[Any]
MOST: Final = 500
_MEMO: Final = "kept_statements"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A statement and the names of the values in its criteria, in the order in which the criteria hold them."""

    statement: Statement
    names: tuple[str, ...]


def run(
    session: ActorSession,
    key: Hashable,
    where: Criteria,
    build: Callable[[Criteria], Statement],
    values: Mapping[str, Any] = EMPTY,
) -> sa.CursorResult[*tuple[Any, ...]]:
    """Execute what `build` makes of the criteria, which hold those of the actor.

    `key` names everything else that the statement depends on; `values` are those of the parameters that `build` adds.
    """
    connection = session.connection()
    forms = [one._generate_cache_key() for one in where]
    if any(form is None for form in forms):
        return connection.execute(mark_scoped(build(where)), values)
    binds = [bind for form in forms if form is not None for bind in form.bindparams]
    memo = _memo(session)
    at = (key, *(form.key for form in forms if form is not None))
    kept = memo.get(at)
    if kept is None:
        if len(memo) >= MOST:
            memo.clear()
        kept = memo[at] = _Kept(mark_scoped(build(where)), tuple(bind.key for bind in binds))
    bound = {name: bind.effective_value for name, bind in zip(kept.names, binds, strict=True)}
    return connection.execute(kept.statement, {**bound, **values})


def _memo(session: ActorSession) -> dict[Hashable, _Kept]:
    memo: dict[Hashable, _Kept] = session.registry.memo.setdefault(_MEMO, {})
    return memo
