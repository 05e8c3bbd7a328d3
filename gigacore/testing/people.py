"""People to act as in tests."""

from __future__ import annotations

from dataclasses import field

from gigacore import Actor, Crm
from gigacore.access import teams, users
from gigacore.values import dataclass


@dataclass(slots=True)
class People:
    """Adds users to an installation; teams are made when they are first named."""

    crm: Crm
    _made: int = 0
    _teams: dict[str, int] = field(default_factory=dict)

    def make(
        self,
        role: str | tuple[str, ...] = "user",
        team: str | None = None,
        *,
        name: str | None = None,
        email: str | None = None,
        password: str | None = None,
        locale: str = "en",
    ) -> Actor:
        """A person with these roles, in a team if one is named; returns the actor."""
        self._made += 1
        kind = role if isinstance(role, str) else "nobody"
        address = email or f"{kind.replace('_', '-')}{self._made}@example.test"
        with self.crm.system("people for a test") as ctx:
            user_id = users.create(ctx, address, name or f"{kind} {self._made}", password, role, locale=locale)
        if team is not None:
            self._join(team, user_id)
        return self.crm.actor(user_id)

    def _join(self, team: str, user_id: int) -> None:
        with self.crm.system("a team for a test") as ctx:
            if team not in self._teams:
                self._teams[team] = teams.create(ctx, team)
            members = {*teams.get(ctx, self._teams[team]).member_ids, user_id}
            teams.set_members(ctx, self._teams[team], members, main=[user_id])
