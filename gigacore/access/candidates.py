"""The records that a policy may allow, found by the indexes of what makes them visible: a set that holds them all.

It narrows a statement, it never decides: the policy's own criterion stands beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.access.reach import Reach, Shared, Visible, Within, is_open, one_of, parties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigacore.access.policy import Policy
    from gigacore.context import Actor

Ids = sa.Select[tuple[int]]


def candidates(policy: Policy, actor: Actor) -> list[Ids] | None:
    """Selects of ids, each served by an index, that together hold every record that the policy allows this actor.

    None where no index tells: the policy reaches everything, or follows another record.
    """
    table, found = policy.entity.table, list[Ids]()
    for arm in policy.allow:
        ids = _ids(arm.reach, table, actor)
        if ids is None:
            return None
        found += ids
    return found or None


def _ids(reach: Reach, table: sa.Table, actor: Actor) -> Sequence[Ids] | None:
    match reach:
        case Within(level):
            owners, teams = parties(actor, level)
            pairs = (("owner_id", owners), ("team_id", teams))
            return [_where(table, one_of(table.c[name], ids)) for name, ids in pairs if ids]
        case Visible():
            return [_where(table, is_open(table.c.visibility))]
        case Shared():
            return reach.ids(actor)
    return None


def _where(table: sa.Table, condition: sa.ColumnElement[bool]) -> Any:
    return sa.select(table.c.id).where(condition)
