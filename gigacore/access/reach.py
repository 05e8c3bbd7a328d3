"""How far a right goes over records, each kind once as SQL and once in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from gigacore.access.tables import core_share
from gigacore.access.verbs import Level
from gigacore.context import Actor
from gigacore.filter.elements import Among
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.access.policy import Policy
    from gigacore.entity import EntitySpec
    from gigacore.filter import Condition


_FEW: Final = 8


def one_of(column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """Whether a column holds one of the values; a few are compared one by one, which costs less to execute than IN."""
    return sa.or_(*(column == value for value in values)) if 0 < len(values) <= _FEW else column.in_(values)


def is_open(visibility: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a record is not private, in the words of the index of such records."""
    return visibility != sa.literal_column("'private'")


class Rows(Protocol):
    """The rows that a condition is about, and who asks."""

    @property
    def actor(self) -> Actor:
        """Who asks."""

    @property
    def table(self) -> FromClause:
        """The table or alias."""

    def column(self, name: str) -> ColumnElement[Any]:
        """A column of the rows."""

    def condition(self, condition: Condition) -> ColumnElement[bool]:
        """A filter as SQL on the rows."""

    def other(self, entity: EntitySpec) -> Rows:
        """Rows of another entity, under a fresh alias."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What deciding in Python needs to know about one record: its ownership and the verbs it is shared with.

    `parent_allowed` is the verdict on the record that its `parent_id` names, where that one decides.
    """

    id: int | None
    owner_id: int | None = None
    team_id: int | None = None
    visibility: str | None = None
    created_by: int | None = None
    parent_id: int | None = None
    parent_allowed: bool = False
    shared: frozenset[str] = frozenset()


class Reach(Protocol):
    """A set of records, as seen by one actor."""

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """The condition on rows."""

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """Whether one record belongs to the set."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record."""

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """Always true."""
        return sa.true()

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """Always true."""
        return True


@dataclass(frozen=True, slots=True)
class Within:
    """Records of the actor, of the actor's teams, or of the teams below that the actor manages."""

    level: Level

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """Owner or team is among those that the level names."""
        owners, teams = parties(rows.actor, self.level)
        terms = [one_of(rows.column(name), ids) for name, ids in (("owner_id", owners), ("team_id", teams)) if ids]
        return sa.or_(sa.false(), *terms)

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """Owner or team is among those that the level names."""
        owners, teams = parties(actor, self.level)
        return facts.owner_id in owners or facts.team_id in teams


def parties(actor: Actor, level: Level) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Owners and teams whose records are within `level` for this actor."""
    own = () if actor.user_id is None else (actor.user_id,)
    if level == "own":
        return own, ()
    if level == "team":
        return own, actor.team_ids
    if level == "tree":
        return tuple(sorted({*own, *actor.subordinate_ids})), tuple(sorted({*actor.team_ids, *actor.tree_ids}))
    return (), ()


@dataclass(frozen=True, slots=True)
class Visible:
    """Records that their owner opened to everybody."""

    values: tuple[str, ...]

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """Visibility is one of the values, of the few records that are not private: they have an index of their own."""
        visibility = rows.column("visibility")
        return sa.and_(is_open(visibility), one_of(visibility, self.values))

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """Visibility is one of the values."""
        return facts.visibility in self.values


@dataclass(frozen=True, slots=True)
class Shared:
    """Records shared with the actor or one of the actor's teams, for one of `verbs` (None = whatever for)."""

    entity: str
    verbs: tuple[str, ...] | None

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """The record's id is among the shares with the person or, by its own index, with the teams."""
        return sa.or_(*(Among(rows.column("id"), shares) for shares in self.ids(rows.actor)))

    def ids(self, actor: Actor) -> list[sa.Select[tuple[int]]]:
        """The selects of the records' ids, each by an index of its own."""
        terms = [core_share.c.user_id == actor.user_id]
        if actor.team_ids:
            terms.append(one_of(core_share.c.team_id, actor.team_ids))
        return [self._shares(party) for party in terms]

    def _shares(self, party: ColumnElement[bool]) -> sa.Select[tuple[int]]:
        shares = sa.select(core_share.c.record_id).where(party, core_share.c.entity == self.entity)
        return shares if self.verbs is None else shares.where(one_of(core_share.c.verb, self.verbs))

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """The record is shared for one of the verbs."""
        return bool(facts.shared) if self.verbs is None else not facts.shared.isdisjoint(self.verbs)


def share_party(actor: Actor) -> ColumnElement[bool]:
    """The condition on `core_share` that picks what is shared with this actor."""
    mine = core_share.c.user_id == actor.user_id
    return sa.or_(mine, one_of(core_share.c.team_id, actor.team_ids)) if actor.team_ids else mine


@dataclass(frozen=True, slots=True)
class Listed:
    """Records named one by one; what the holder of a link may reach."""

    ids: tuple[int, ...]

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """The record's id is in the list."""
        return rows.column("id").in_(self.ids)

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """The record's id is in the list."""
        return facts.id in self.ids


@dataclass(frozen=True, slots=True)
class Through:
    """Records whose parent, named by `column`, the policy allows."""

    column: str
    policy: Policy

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """There is such a parent."""
        parent = rows.other(self.policy.entity)
        found = sa.select(sa.literal(1)).select_from(parent.table).correlate_except(parent.table)
        return found.where(parent.column("id") == rows.column(self.column), self.policy.sql(parent)).exists()

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """The caller asked about the parent."""
        return facts.parent_id is not None and facts.parent_allowed


@dataclass(frozen=True, slots=True)
class Created:
    """Records without a parent that the actor made."""

    column: str

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """No parent, and made by the actor."""
        return sa.and_(rows.column(self.column).is_(None), rows.column("created_by") == rows.actor.user_id)

    def holds(self, facts: Facts, actor: Actor) -> bool:
        """No parent, and made by the actor."""
        return facts.parent_id is None and actor.user_id is not None and facts.created_by == actor.user_id
