"""Who acts, on which session, since when: passed explicitly, never kept in a global."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession

ActorKind = Literal["user", "token", "automation", "link", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. Its rights follow from `role_ids`; a token's are narrowed further by `scopes` (None = no narrowing).

    `team_ids` are the teams one is a member of, `tree_ids` those and every team below one that the person manages,
    `subordinate_ids` the members of teams the person manages. `reason` says why the system acts.
    `access_generation` tells at which state of users, teams, roles and grants the actor was read (0 = not known).
    """

    kind: ActorKind
    user_id: int | None
    name: str
    org_id: int = 1
    role_ids: tuple[int, ...] = ()
    team_id: int | None = None
    team_ids: tuple[int, ...] = ()
    tree_ids: tuple[int, ...] = ()
    subordinate_ids: tuple[int, ...] = ()
    super_admin: bool = False
    locale: str = "en"
    timezone: str = "UTC"
    token_id: int | None = None
    scopes: tuple[str, ...] | None = None
    reason: str = ""
    access_generation: int = 0

    @property
    def is_system(self) -> bool:
        """Whether no policy applies."""
        return self.kind == "system"

    @property
    def zone(self) -> ZoneInfo:
        """The actor's time zone; relative dates in filters are reckoned in it."""
        return ZoneInfo(self.timezone)

    def automation(self, name: str) -> Actor:
        """The same rights, acting through the rule called `name`."""
        return replace(self, kind="automation", name=name)


def system_actor(reason: str) -> Actor:
    """The actor without limits; `reason` stands in the audit."""
    return Actor(kind="system", user_id=None, name="system", reason=reason)


@dataclass(slots=True)
class Context:
    """One unit of work or one reading: what services need to know about the call.

    `now` is fixed for its whole length. `depth` counts how many automations led here. `unlocking` lets a declared
    action change a record that its entity's rules lock; `rules_enabled` is off during an import unless asked for.
    """

    actor: Actor
    session: ActorSession
    correlation_id: str
    now: datetime
    depth: int = 0
    source: str = "lib"
    rules_enabled: bool = True
    unlocking: bool = False
    notes: dict[str, object] = field(default_factory=dict)
