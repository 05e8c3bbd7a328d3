"""What may be done to what: verbs, patterns of entity names, tools, and the catalogue derived from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, Registry

Level = Literal["none", "own", "team", "tree", "all"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

LEVEL_WORDS: Final = MappingProxyType(
    {
        "none": msg("none"), "own": msg("own"), "team": msg("team’s"), "tree": msg("subteams’"), "all": msg("all"),
        "forbidden": msg("forbidden"),
    }
)  # fmt: skip

ANY: Final = "*"
ACTIONS: Final = "@action"
RESPONSIBLE: Final = "responsible"

VERBS: Final = MappingProxyType(
    {
        "view": msg("View"),
        "create": msg("Create"),
        "edit": msg("Edit"),
        "delete": msg("Delete"),
        "assign": msg("Assign"),
        "share": msg("Share"),
        "export": msg("Export"),
        "import": msg("Import"),
        "bulk": msg("Change in bulk"),
    }
)
"""Verbs that every entity has; an entity's own actions come on top (pattern `@action`)."""

_NOT_OWNED: Final = frozenset({"assign", "share"})


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that is not a record but is permitted all the same: a page, a setting, a report, a tool."""

    name: str
    label: Msg
    verbs: tuple[str, ...] = ("view", "edit")


TOOLS: Final = (
    Tool("core.user", msg("Users"), ("view", "create", "edit")),
    Tool("core.team", msg("Teams"), ("view", "edit")),
    Tool("core.role", msg("Roles and rights"), ("view", "edit", "assign")),
    Tool("core.token", msg("API tokens of other people"), ("view", "edit")),
    Tool("core.session", msg("Sessions and sign-in history of other people"), ("view", "edit")),
    Tool("core.setting", msg("Settings"), ("view", "edit")),
    Tool("core.custom_field", msg("Custom fields"), ("view", "edit")),
    Tool("core.choice", msg("Choice lists"), ("view", "edit")),
    Tool("core.view", msg("Saved views"), ("share", "edit")),
    Tool("core.audit", msg("Audit"), ("view",)),
    Tool("core.trash", msg("Trash"), ("view", "edit")),
    Tool("core.job", msg("Jobs"), ("view", "edit")),
    Tool("core.hook", msg("Web hooks"), ("view", "create", "edit")),
    Tool("core.template", msg("Templates"), ("edit",)),
    Tool("core.mail", msg("Mails sent"), ("view", "edit")),
    Tool("core.rule", msg("Automations"), ("view", "create", "edit")),
    Tool("core.plugin", msg("Plugins"), ("view", "edit")),
    Tool("core.backup", msg("Backups"), ("view", "edit")),
)


SUPER_ADMIN_ONLY: Final = frozenset({("core.plugin", "edit"), ("core.backup", "edit")})
"""Tools that no grant reaches: who could grant them to a role could give themselves everything."""


def verb_label(verb: str) -> Msg:
    """What people read for a verb; an action without a label of its own reads as its name."""
    if verb == ANY:
        return msg("everything")
    if verb == ACTIONS:
        return msg("every action")
    if verb == RESPONSIBLE:
        return msg("be responsible")
    return VERBS.get(verb) or Msg(verb.replace("_", " "))


def tool_label(name: str) -> Msg:
    """What people read for a tool of the core."""
    return next((tool.label for tool in TOOLS if tool.name == name), Msg(name))


def class_pattern(entity: EntitySpec) -> str:
    """`@owned`, `@parent` or `@reference`: the pattern that covers all entities of one kind of access."""
    return f"@{entity.access}"


def entity_rank(pattern: str, name: str, class_: str) -> int:
    """How closely a pattern names an entity: 4 = exactly, 3 = its plugin, 2 = its class, 1 = everything, 0 = not."""
    if pattern == name:
        return 4
    if pattern.endswith(".*") and name.startswith(pattern[:-1]):
        return 3
    if pattern == class_:
        return 2
    return 1 if pattern == ANY else 0


def verb_rank(pattern: str, verb: str) -> int:
    """How closely a pattern names a verb: 3 = exactly, 2 = any action, 1 = everything, 0 = not."""
    if pattern == verb:
        return 3
    if pattern == ACTIONS and verb not in VERBS:
        return 2
    return 1 if pattern == ANY else 0


def giving_shares(verb: str) -> tuple[str, ...] | None:
    """The verbs of shares that permit `verb`; None = a share of any verb does (each one lets its holder look)."""
    if verb == "view":
        return None
    if verb in VERBS:
        return (verb, RESPONSIBLE)
    return (verb, "edit", RESPONSIBLE)


def giving_visibility(verb: str) -> tuple[str, ...]:
    """The values of a record's visibility that permit `verb` to everybody whose role knows it."""
    if verb == "view":
        return ("read", "write")
    return ("write",) if verb == "edit" or verb not in VERBS else ()


def followed_verb(verb: str) -> str:
    """The verb on the parent that decides about `verb` on a record that follows it."""
    return verb if verb in ("view", "export") else "edit"


def level_word(level: str) -> Msg:
    """What people call a level; none for an empty text, and what depends on a condition as it is written."""
    return LEVEL_WORDS.get(level or "none") or Msg(level)


@dataclass(frozen=True, slots=True)
class Permission:
    """One line of the catalogue: a verb on an entity or tool. `levels` is empty where only yes or no makes sense."""

    subject: str
    verb: str
    label: Msg
    verb_label: Msg
    group: str
    levels: tuple[Level, ...]

    @property
    def key(self) -> str:
        """`crm.lead.view`: the form of policies of pages and routes, and of a token's scope."""
        return f"{self.subject}.{self.verb}"


def _of_entity(entity: EntitySpec, actions: Iterable[tuple[str, Msg]]) -> Iterator[Permission]:
    verbs = {name: label for name, label in VERBS.items() if entity.owned or name not in _NOT_OWNED}
    for verb, label in {**verbs, **dict(actions)}.items():
        levels = LEVELS if entity.owned else ("none", "all")
        yield Permission(entity.name, verb, Msg(entity.label_plural), label, entity.plugin, levels)


def _of_tool(tool: Tool) -> Iterator[Permission]:
    for verb in tool.verbs:
        yield Permission(tool.name, verb, tool.label, verb_label(verb), tool.name.partition(".")[0], ())


class Action(Protocol):
    """An entity's own action, wherever it is declared."""

    @property
    def entity(self) -> str:
        """The entity it belongs to."""

    @property
    def name(self) -> str:
        """Its verb."""

    @property
    def label(self) -> str:
        """What people read (English message id)."""


def catalogue(registry: Registry, actions: Iterable[Action] = (), tools: Iterable[Tool] = ()) -> tuple[Permission, ...]:
    """Everything that can be permitted here: each entity with each verb and action, then the tools.

    Entities whose rights follow their parent's are left out: nothing about them is granted on its own.
    """
    own: dict[str, list[tuple[str, Msg]]] = {}
    for action in actions:
        own.setdefault(action.entity, []).append((action.name, Msg(action.label)))
    lines: list[Permission] = []
    for name in sorted(registry.entities):
        if registry.entities[name].access != "parent":
            lines += _of_entity(registry.entities[name], own.get(name, ()))
    for tool in (*TOOLS, *tools):
        lines += _of_tool(tool)
    return tuple(lines)
