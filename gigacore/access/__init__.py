"""Users, teams, roles, grants and shares; what follows from them for each record, field and verb."""

from gigacore.access import builtin, invitations, limits, links, modules, roles, sessions, shares, teams, tokens, users
from gigacore.access.builtin import seed
from gigacore.access.decide import (
    acting,
    allowed,
    may,
    may_read,
    may_write,
    permits,
    require,
    require_super_admin,
    why_not,
)
from gigacore.access.explain import Explanation, Reason, explain
from gigacore.access.guard import AccessGuard, Narrowing
from gigacore.access.profiles import AccessCache, load_actor
from gigacore.access.sign_in import Caller, sign_in
from gigacore.access.verbs import TOOLS, VERBS, Level, Permission, Tool, catalogue

__all__ = [
    "TOOLS",
    "VERBS",
    "AccessCache",
    "AccessGuard",
    "Caller",
    "Explanation",
    "Level",
    "Narrowing",
    "Permission",
    "Reason",
    "Tool",
    "acting",
    "allowed",
    "builtin",
    "catalogue",
    "explain",
    "invitations",
    "limits",
    "links",
    "load_actor",
    "may",
    "may_read",
    "may_write",
    "modules",
    "permits",
    "require",
    "require_super_admin",
    "roles",
    "seed",
    "sessions",
    "shares",
    "sign_in",
    "teams",
    "tokens",
    "users",
    "why_not",
]
