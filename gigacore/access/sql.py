"""Policies as SQL on the rows of an entity: the same expression for lists and for the check of one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause

from gigacore.context import Actor
from gigacore.filter import Condition, SqlEnv, to_sql

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession
    from gigacore.entity import EntitySpec


def _unlimited(entity: EntitySpec) -> ColumnElement[bool] | None:
    """A policy looks at every record: a forbid must not end where sight ends."""
    return None


class EntityRows:
    """Rows of one entity in a table or alias, as an actor (the session's, unless another is given) asks for them."""

    def __init__(self, session: ActorSession, table: FromClause, actor: Actor | None = None) -> None:
        self.session = session
        self.table = table
        self.actor = actor or session.actor

    def column(self, name: str) -> ColumnElement[Any]:
        """A column of the rows."""
        return self.table.c[name]

    def condition(self, condition: Condition) -> ColumnElement[bool]:
        """A filter as SQL. A policy's own filter looks through references at records that the actor may not see."""
        env = SqlEnv(self.table, self.session.registry, self.actor, self.session.context.now, _unlimited)
        return to_sql(condition, env)

    def other(self, entity: EntitySpec) -> EntityRows:
        """Rows of another entity, under a fresh alias."""
        return EntityRows(self.session, entity.table.alias(), self.actor)
