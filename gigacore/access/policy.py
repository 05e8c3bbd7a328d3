"""What a set of roles may do with the records of one entity: arms that allow, arms that forbid, conditions that narrow.

The same value is used for lists (SQL), for a record not yet stored (Python) and for the explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from gigacore.access.grants import Grant
from gigacore.access.reach import Created, Everything, Facts, Reach, Rows, Shared, Visible, Within
from gigacore.context import Actor
from gigacore.filter import Condition
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec

_BY_OWNERSHIP: Final = (Created, Everything, Shared, Visible, Within)
SourceKind = Literal["grant", "forbid", "visibility", "share", "link", "parent", "creator", "super_admin", "narrowing"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where an arm of a policy comes from: what `explain` names."""

    kind: SourceKind
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """The records of `reach` that also fulfil `where`."""

    source: Source
    reach: Reach
    where: Condition | None = None

    @property
    def unlimited(self) -> bool:
        """Whether it holds for every record."""
        return self.where is None and isinstance(self.reach, Everything)


def arm_sql(arm: Arm, rows: Rows) -> ColumnElement[bool]:
    """One arm as a condition on rows."""
    reach = arm.reach.sql(rows)
    return reach if arm.where is None else sa.and_(reach, rows.condition(arm.where))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record as Python sees it: its facts, and how a filter is judged on it."""

    facts: Facts
    fulfils: Callable[[Condition], bool]
    actor: Actor

    def arm(self, arm: Arm) -> bool:
        """Whether one arm holds."""
        return arm.reach.holds(self.facts, self.actor) and (arm.where is None or self.fulfils(arm.where))


@dataclass(frozen=True, slots=True)
class Policy:
    """allowed = any of `allow`, none of `forbid`, and all of `narrow`."""

    entity: EntitySpec
    verb: str
    allow: tuple[Arm, ...] = ()
    forbid: tuple[Arm, ...] = ()
    narrow: tuple[Condition, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether it can never hold: no role knows the verb, or all of it is forbidden."""
        return not self.allow or any(arm.unlimited for arm in self.forbid)

    @property
    def unlimited(self) -> bool:
        """Whether it holds for every record."""
        return any(arm.unlimited for arm in self.allow) and not self.forbid and not self.narrow

    @property
    def conditional(self) -> bool:
        """Whether it looks at more of a record than ownership, visibility and shares."""
        return bool(self.narrow) or any(arm.where is not None for arm in self.arms())

    @property
    def lasting(self) -> bool:
        """Whether its criterion depends on the actor only, not on the moment or on another entity's policy."""
        return not self.conditional and all(isinstance(arm.reach, _BY_OWNERSHIP) for arm in self.arms())

    def narrowed(self, conditions: tuple[Condition, ...]) -> Policy:
        """The same, for records that also fulfil all these conditions."""
        return replace(self, narrow=(*self.narrow, *conditions)) if conditions else self

    def sql(self, rows: Rows) -> ColumnElement[bool]:
        """The policy as a condition on rows."""
        if self.nothing:
            return sa.false()
        terms: list[ColumnElement[bool]] = []
        if not any(arm.unlimited for arm in self.allow):
            terms.append(sa.or_(*(arm_sql(arm, rows) for arm in self.allow)))
        terms += [_not(arm_sql(arm, rows)) for arm in self.forbid]
        terms += [rows.condition(condition) for condition in self.narrow]
        return sa.and_(sa.true(), *terms)

    def allows(self, record: Candidate) -> bool:
        """The policy's verdict on one record."""
        if self.nothing or not any(record.arm(arm) for arm in self.allow):
            return False
        return not any(record.arm(arm) for arm in self.forbid) and all(map(record.fulfils, self.narrow))

    def arms(self) -> Iterator[Arm]:
        """All arms, those that forbid first."""
        yield from self.forbid
        yield from self.allow


def _not(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    # A comparison with a NULL owner or team is NULL in SQL, and NOT NULL is not true: two-valued logic needs the false.
    return sa.not_(sa.func.coalesce(condition, sa.false()))
