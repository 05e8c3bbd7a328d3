"""The built-in roles and what they may do, told by patterns so that plugins' entities are covered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from gigacore.access.profiles import SUPER_ADMIN, bump
from gigacore.access.tables import core_access, core_grant, core_role
from gigacore.access.verbs import Level
from gigacore.ids import uuid7
from gigacore.values import dataclass

ADMIN: Final = "admin"
MANAGER: Final = "manager"
USER: Final = "user"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a built-in role."""

    entity: str
    verbs: str
    level: Level = "all"
    forbid: bool = False


@dataclass(frozen=True, slots=True)
class BuiltinRole:
    """A role that every installation has."""

    key: str
    label: str
    label_fr: str
    rules: tuple[Rule, ...]


BUILTIN: Final = (
    BuiltinRole(SUPER_ADMIN, "Super Admin", "Super administrateur", (Rule("*", "*"),)),
    # Everything, private records included; plugins and the modules' access stay with the Super Admin.
    BuiltinRole(ADMIN, "Admin", "Administrateur", (Rule("*", "*"),)),
    BuiltinRole(
        MANAGER,
        "Manager",
        "Responsable",
        (
            Rule("@owned", "create"),
            Rule("@owned", "view edit delete assign share bulk @action", "tree"),
            Rule("@reference", "view"),
            Rule("core.view", "share"),
            Rule("core.rule", "view create"),
        ),
    ),
    # What is not private is seen through its visibility; creating for somebody else is handing over work.
    # One's own rules act with one's own rights, so everybody may have some.
    BuiltinRole(
        USER,
        "User",
        "Utilisateur",
        (
            Rule("@owned", "create"),
            Rule("@owned", "view edit delete assign share bulk @action", "own"),
            Rule("@reference", "view"),
            Rule("core.rule", "view create"),
        ),
    ),
)


def seed(connection: sa.Connection) -> None:
    """Insert the built-in roles that are missing; what an administrator changed in those that are there stays."""
    have = set(connection.scalars(sa.select(core_role.c.key)))
    for role in BUILTIN:
        if role.key not in have:
            _insert(connection, role)
    if connection.scalar(sa.select(core_access.c.generation)) is None:
        bump(connection)


def _insert(connection: sa.Connection, role: BuiltinRole) -> None:
    row: dict[str, Any] = {"uid": uuid7(), "key": role.key, "labels": {"en": role.label, "fr": role.label_fr}}
    row |= {"builtin": True, "created_at": datetime.now(UTC)}
    role_id = connection.execute(sa.insert(core_role).values(row).returning(core_role.c.id)).scalar_one()
    rows = [
        {
            "uid": uuid7(),
            "role_id": role_id,
            "entity": rule.entity,
            "verb": verb,
            "level": rule.level,
            "forbid": rule.forbid,
        }
        for rule in role.rules
        for verb in rule.verbs.split()
    ]
    connection.execute(sa.insert(core_grant), rows)


def add_plugin_grants(
    connection: sa.Connection, plugin: str, grants: Iterable[tuple[str, str, Iterable[str], Level]]
) -> None:
    """Give roles the grants (role, entity, verbs, level) that a plugin brings at its installation; repeatable."""
    roles = {row.key: row.id for row in connection.execute(sa.select(core_role.c.key, core_role.c.id))}
    g = core_grant.c
    for role, entity, verbs, level in grants:
        for verb in verbs:
            if role not in roles:
                continue
            same = (g.role_id == roles[role], g.entity == entity, g.verb == verb, g.plugin == plugin)
            if connection.scalar(sa.select(g.id).where(*same)) is None:
                row = {"uid": uuid7(), "role_id": roles[role], "entity": entity, "verb": verb, "level": level}
                connection.execute(sa.insert(core_grant).values(row | {"forbid": False, "plugin": plugin}))
    bump(connection)
