"""Modules (plugins) that only chosen roles and people may use; whoever else sees and does nothing of them.

A Super Admin is never shut out. Kept as one setting, read with the grants and dropped with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import orjson
import sqlalchemy as sa

from gigacore.access.tables import core_role, core_user
from gigacore.data.tables import core_setting
from gigacore.errors import Conflict, Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor

SETTING: Final = "core.module_access"
CORE: Final = "crm"


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may use a module: the holders of these roles, and these people."""

    role_ids: tuple[int, ...] = ()
    user_ids: tuple[int, ...] = ()


def read(connection: sa.Connection) -> Mapping[str, Admitted]:
    """The limited modules; a module that is not named is open to everybody."""
    s = core_setting.c
    stored = connection.scalar(sa.select(s.value).where(s.key == SETTING, s.scope == "installation"))
    entries = orjson.loads(stored) if stored else {}
    return {name: Admitted(tuple(one["roles"]), tuple(one["users"])) for name, one in entries.items()}


def closed_to(limited: Mapping[str, Admitted], actor: Actor) -> frozenset[str]:
    """The modules that the actor may not use."""
    if actor.is_system or actor.super_admin:
        return frozenset()
    return frozenset(name for name, admitted in limited.items() if not _is_in(admitted, actor))


def _is_in(admitted: Admitted, actor: Actor) -> bool:
    return actor.user_id in admitted.user_ids or not set(admitted.role_ids).isdisjoint(actor.role_ids)


def check(connection: sa.Connection, module: str, admitted: Admitted) -> None:
    """Raise Invalid for an unknown role or person, Conflict for a module that everybody needs."""
    if module == CORE:
        raise Conflict(msg("The CRM itself is for everybody; limit it by roles."))
    for table, ids in ((core_role, admitted.role_ids), (core_user, admitted.user_ids)):
        known = set(connection.scalars(sa.select(table.c.id).where(table.c.id.in_(ids))))
        if missing := set(ids) - known:
            raise Invalid.of("admitted", msg("There is no role or user {id}.", id=min(missing)))


def as_setting(limited: Mapping[str, Admitted]) -> dict[str, dict[str, Iterable[int]]]:
    """The value to store."""
    return {name: {"roles": list(one.role_ids), "users": list(one.user_ids)} for name, one in limited.items()}
