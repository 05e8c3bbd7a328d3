"""Who a user is to the rest of the system: roles, teams, people below. Cached by the access generation."""

from __future__ import annotations

import secrets
from dataclasses import field
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.access import modules
from gigacore.access.grants import FieldRule, Grant, GrantSet
from gigacore.access.rights import Rights
from gigacore.access.tables import (
    core_access,
    core_field_rule,
    core_grant,
    core_role,
    core_team,
    core_team_member,
    core_user,
    core_user_role,
)
from gigacore.context import Actor, ActorKind
from gigacore.errors import NotFound
from gigacore.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gigacore.access.modules import Admitted
    from gigacore.entity import Registry

SUPER_ADMIN: Final = "super_admin"


@dataclass(frozen=True, slots=True)
class Profile:
    """A user with everything that policies ask about, at one access generation."""

    user_id: int
    uid: str
    email: str
    name: str
    org_id: int
    active: bool
    locale: str
    timezone: str
    theme: str
    roles: tuple[tuple[int, str], ...]
    team_id: int | None
    team_ids: tuple[int, ...]
    tree_ids: tuple[int, ...]
    subordinate_ids: tuple[int, ...]
    generation: int

    def actor(
        self,
        kind: ActorKind = "user",
        *,
        token_id: int | None = None,
        scopes: tuple[str, ...] | None = None,
        reason: str = "",
    ) -> Actor:
        """The user as an actor, directly, through a token or through an automation."""
        return Actor(
            kind=kind,
            user_id=self.user_id,
            name=self.name,
            org_id=self.org_id,
            role_ids=tuple(role for role, _ in self.roles),
            team_id=self.team_id,
            team_ids=self.team_ids,
            tree_ids=self.tree_ids,
            subordinate_ids=self.subordinate_ids,
            super_admin=any(key == SUPER_ADMIN for _, key in self.roles),
            locale=self.locale,
            timezone=self.timezone,
            token_id=token_id,
            scopes=scopes,
            reason=reason,
            access_generation=self.generation,
        )


@dataclass(slots=True)
class _Cached:
    """What was read at one generation."""

    generation: int
    profiles: dict[int, Profile] = field(default_factory=dict)
    grants: dict[tuple[int, ...], GrantSet] = field(default_factory=dict)
    rights: dict[tuple[tuple[int, ...], bool, frozenset[str]], Rights] = field(default_factory=dict)
    modules: Mapping[str, Admitted] | None = None
    names: dict[str, dict[int, str]] = field(default_factory=dict)


class AccessCache:
    """Profiles and grants of one installation, dropped as a whole when the generation changes.

    Safe between threads: each generation has its own dictionaries, and a generation's value is never used twice, so
    what was read in a transaction that rolled back is never met again.
    """

    def __init__(self) -> None:
        self._current = _Cached(0)

    def _at(self, generation: int) -> _Cached:
        current = self._current
        if current.generation != generation:
            current = self._current = _Cached(generation)
        return current

    def profile(self, connection: sa.Connection, user_id: int, generation: int) -> Profile:
        """The user's profile. Raises NotFound for an unknown user."""
        cached = self._at(generation)
        if user_id not in cached.profiles:
            cached.profiles[user_id] = read_profile(connection, user_id, generation)
        return cached.profiles[user_id]

    def grants(self, connection: sa.Connection, role_ids: tuple[int, ...], generation: int) -> GrantSet:
        """All grants and field rules of a set of roles."""
        cached = self._at(generation)
        key = tuple(sorted(role_ids))
        if key not in cached.grants:
            cached.grants[key] = read_grants(connection, key)
        return cached.grants[key]

    def rights(self, connect: Callable[[], sa.Connection], actor: Actor, registry: Registry, generation: int) -> Rights:
        """What the actor's roles add up to under this registry; only what is not known yet takes a connection."""
        cached = self._at(generation)
        if cached.modules is None:
            cached.modules = modules.read(connect())
        closed = modules.closed_to(cached.modules, actor)
        key = tuple(sorted(actor.role_ids)), actor.super_admin, closed
        known = cached.rights.get(key)
        if known is None or known.registry is not registry:
            grants = self.grants(connect(), actor.role_ids, generation)
            known = Rights(grants, registry, super_admin=actor.super_admin, closed_modules=closed)
            cached.rights[key] = known
        return known

    def names(self, target: str, generation: int) -> dict[int, str]:
        """What records of the core (`core.user`, `core.team`) are called, as far as it was read; the caller adds more.

        Every change of a name is a new generation, see `changes.note`.
        """
        return self._at(generation).names.setdefault(target, {})

    def known_rights(self, actor: Actor, registry: Registry) -> Rights | None:
        """The same as far as it was asked for before, without a database; None = ask `rights`."""
        current = self._current
        if current.generation != actor.access_generation or current.modules is None:
            return None
        closed = modules.closed_to(current.modules, actor)
        known = current.rights.get((tuple(sorted(actor.role_ids)), actor.super_admin, closed))
        return known if known is not None and known.registry is registry else None


def generation(connection: sa.Connection) -> int:
    """The value that stands for the present users, teams, roles and grants; 0 before the database is seeded."""
    return int(connection.scalar(sa.select(core_access.c.generation)) or 0)


def bump(connection: sa.Connection) -> int:
    """Make every cache read anew once this transaction commits. Returns the new generation."""
    # Random, not counted: a counter would give the same value to a rolled back change and to the next one.
    value = secrets.randbelow(2**31 - 1) + 1
    changed = connection.execute(sa.update(core_access).values(generation=value))
    if not changed.rowcount:
        connection.execute(sa.insert(core_access).values(id=1, generation=value))
    return value


def read_profile(connection: sa.Connection, user_id: int, at: int) -> Profile:
    """Read a user's profile from the database. Raises NotFound for an unknown user."""
    user = connection.execute(sa.select(core_user).where(core_user.c.id == user_id)).mappings().first()
    if user is None:
        raise NotFound
    own, main, tree, below = _teams(connection, user_id)
    return Profile(
        user_id=user_id,
        uid=str(user["uid"]),
        **{name: user[name] for name in ("email", "name", "org_id", "active", "locale", "timezone", "theme")},
        roles=_roles(connection, user_id),
        team_id=main,
        team_ids=own,
        tree_ids=tree,
        subordinate_ids=below,
        generation=at,
    )


def _roles(connection: sa.Connection, user_id: int) -> tuple[tuple[int, str], ...]:
    joined = core_user_role.join(core_role, core_role.c.id == core_user_role.c.role_id)
    query = sa.select(core_role.c.id, core_role.c.key).select_from(joined).where(core_user_role.c.user_id == user_id)
    return tuple((row.id, row.key) for row in connection.execute(query.order_by(core_role.c.id)))


_Ids = tuple[int, ...]


def _teams(connection: sa.Connection, user_id: int) -> tuple[_Ids, int | None, _Ids, _Ids]:
    member = core_team_member
    rows = connection.execute(
        sa.select(member.c.team_id).where(member.c.user_id == user_id).order_by(member.c.main.desc(), member.c.team_id)
    )
    own = tuple(row.team_id for row in rows)
    managed = _managed(connection, user_id)
    below: set[int] = set()
    if managed:
        below.update(connection.scalars(sa.select(member.c.user_id).where(member.c.team_id.in_(managed))))
    tree = tuple(sorted({*own, *managed}))
    return tuple(sorted(own)), (own[0] if own else None), tree, tuple(sorted(below - {user_id}))


def _managed(connection: sa.Connection, user_id: int) -> set[int]:
    """The teams that a user manages, and every team below them."""
    teams = connection.execute(sa.select(core_team.c.id, core_team.c.parent_id, core_team.c.manager_id)).all()
    children: dict[int, list[int]] = {}
    for team in teams:
        if team.parent_id is not None:
            children.setdefault(team.parent_id, []).append(team.id)
    found: set[int] = set()
    open_ = [team.id for team in teams if team.manager_id == user_id]
    while open_:
        team_id = open_.pop()
        if team_id not in found:
            found.add(team_id)
            open_ += children.get(team_id, [])
    return found


def read_grants(connection: sa.Connection, role_ids: tuple[int, ...]) -> GrantSet:
    """Read all grants and field rules of some roles."""
    grant, rule = core_grant.c, core_field_rule.c
    grants = connection.execute(
        sa.select(grant.id, grant.role_id, grant.entity, grant.verb, grant.level, grant.filter, grant.forbid)
        .where(grant.role_id.in_(role_ids))
        .order_by(grant.id)
    )
    rules = connection.execute(
        sa.select(rule.role_id, rule.entity, rule.field, rule.can_read, rule.can_write)
        .where(rule.role_id.in_(role_ids))
        .order_by(rule.id)
    )
    return GrantSet(role_ids, tuple(Grant(*row) for row in grants), tuple(FieldRule(*row) for row in rules))


def load_actor(
    connection: sa.Connection,
    user_id: int,
    *,
    cache: AccessCache | None = None,
    kind: ActorKind = "user",
    reason: str = "",
) -> Actor:
    """The actor for a user: roles, teams, people below. Raises NotFound if unknown or deactivated."""
    at = generation(connection)
    profile = (cache or AccessCache()).profile(connection, user_id, at)
    if not profile.active:
        raise NotFound
    return profile.actor(kind, reason=reason)
