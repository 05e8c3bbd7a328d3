"""Grants and field rules as values, and what they add up to for a set of roles. No database here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gigacore.access.verbs import (
    ACTIONS,
    ANY,
    LEVELS,
    SUPER_ADMIN_ONLY,
    VERBS,
    Level,
    class_pattern,
    entity_rank,
    verb_rank,
)
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec


@dataclass(frozen=True, slots=True)
class Grant:
    """A role's right to do `verb` with records of `entity` at `level` that also pass `filter` (a filter tree).

    With `forbid` it takes away instead: the records it reaches are closed to that verb, whatever else is granted.
    """

    id: int
    role_id: int
    entity: str
    verb: str
    level: Level
    filter: Mapping[str, Any] | None = None
    forbid: bool = False

    def rank(self, name: str, class_: str, verb: str) -> tuple[int, int]:
        """How closely it names entity and verb; (0, 0) when it does not concern them."""
        ranks = entity_rank(self.entity, name, class_), verb_rank(self.verb, verb)
        return ranks if all(ranks) else (0, 0)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Whether a role may read and write one field (`*` = each field) of an entity."""

    role_id: int
    entity: str
    field: str
    read: bool
    write: bool


@dataclass(frozen=True, slots=True)
class GrantSet:
    """All grants and field rules of a set of roles."""

    role_ids: tuple[int, ...]
    grants: tuple[Grant, ...] = ()
    field_rules: tuple[FieldRule, ...] = ()

    def allowing(self, name: str, class_: str, verb: str) -> tuple[Grant, ...]:
        """The grants that decide: within one role the closest ones only, over all roles their union."""
        found: list[Grant] = []
        for role in self.role_ids:
            ranked = [(g.rank(name, class_, verb), g) for g in self.grants if g.role_id == role and not g.forbid]
            best = max((rank for rank, _ in ranked), default=(0, 0))
            found += [grant for rank, grant in ranked if rank == best and best != (0, 0) and grant.level != "none"]
        return tuple(found)

    def forbidding(self, name: str, class_: str, verb: str) -> tuple[Grant, ...]:
        """Every forbid rule that concerns entity and verb, of any role."""
        concerned = (g for g in self.grants if g.forbid and g.level != "none")
        return tuple(grant for grant in concerned if grant.rank(name, class_, verb) != (0, 0))

    def covers(self, given: Grant) -> bool:
        """Whether whoever has these grants has at least what `given` gives; a forbid or `none` gives nothing."""
        return given.forbid or given.level == "none" or any(_contains(own, given) for own in self.grants)

    def permits_tool(self, name: str, verb: str) -> bool:
        """Whether a page, setting or tool is permitted. What only a Super Admin may do no grant gives."""
        if (name, verb) in SUPER_ADMIN_ONLY:
            return False
        allowed = any(grant.level == "all" for grant in self.allowing(name, "@tool", verb))
        return allowed and not self.forbidding(name, "@tool", verb)

    def field_allows(self, entity: EntitySpec, field: str, *, write: bool) -> bool:
        """Whether field rules leave a field open.

        One role that opens it suffices, but only roles that grant anything on the entity count; if none does (access
        comes from elsewhere), each role must leave it open.
        """
        verb = "edit" if write else "view"
        granting = {grant.role_id for grant in self.allowing(entity.name, class_pattern(entity), verb)}
        judged = [self._rule_allows(role, entity, field, write=write) for role in self.role_ids if role in granting]
        if judged:
            return any(judged)
        return all(self._rule_allows(role, entity, field, write=write) for role in self.role_ids)

    def _rule_allows(self, role: int, entity: EntitySpec, field: str, *, write: bool) -> bool:
        rules = [
            ((entity_rank(rule.entity, entity.name, class_pattern(entity)), rule.field == field), rule)
            for rule in self.field_rules
            if rule.role_id == role and rule.field in (field, "*")
        ]
        ranked = [(rank, rule) for rank, rule in rules if rank[0]]
        if not ranked:
            return True
        closest = max(ranked, key=lambda pair: pair[0])[1]
        return closest.write if write else closest.read


def _contains(own: Grant, given: Grant) -> bool:
    if own.forbid or own.filter is not None or LEVELS.index(own.level) < LEVELS.index(given.level):
        return False
    inside = own.entity in (ANY, given.entity) or (
        own.entity.endswith(".*") and given.entity.startswith(own.entity[:-1])
    )
    action = own.verb == ACTIONS and given.verb not in VERBS and given.verb != ANY
    return inside and (own.verb in (ANY, given.verb) or action)


def scope_allows(scopes: Iterable[str] | None, name: str, verb: str, class_: str) -> bool:
    """Whether a token's scopes (`crm.lead.view`, `crm.*.*`, `*.view`) reach a verb on an entity; None = no limit."""
    if scopes is None:
        return True
    pairs = (scope.rpartition(".") for scope in scopes)
    return any(entity_rank(entity, name, class_) and verb_rank(wanted, verb) for entity, _, wanted in pairs)
