"""The manifest: one frozen value that says everything a plugin brings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.access.verbs import Level, Tool
    from gigacore.application import Crm
    from gigacore.automation import Action, Trigger
    from gigacore.context import Context
    from gigacore.data.links import LinkKind
    from gigacore.entity import ChoiceList, Entity, Extension, FieldSpec
    from gigacore.jobs import Consumer, Job, Schedule
    from gigacore.notices import NotificationKind
    from gigacore.ui import BulkAction, Column, NavItem, Panel, RecordAction, SettingsPage, Tab, Widget
    from gigacore.webhooks import InboundSource

API_LEVEL: Final = (1, 0)
ENTRY_POINT_GROUP: Final = "gigacore.plugins.v1"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
CSP_DIRECTIVES: Final = ("connect-src", "font-src", "frame-src", "img-src", "media-src", "worker-src")
_SOURCE: Final = re.compile(
    r"(?:https|wss)://(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?(?:/[\w./-]*)?|blob:|data:"
)
_API: Final = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A grant that a built-in role receives when the plugin is installed, unless an administrator changed it since."""

    role: str
    entity: str
    verbs: tuple[str, ...]
    level: Level = "all"


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a distribution adds to the CRM. Lists are taken as they come and kept as tuples.

    `requires` are plugins without which this one cannot run, `after` those whose hooks run before its own when they
    are there. `tables` names tables that belong to the plugin besides those of its entities and extensions.
    `narrows` names the entities whose visibility `narrow_policy` of this plugin reduces: while it is quarantined they
    answer 503. `declares` holds values of kinds that other plugins define: `crm.plugins.declared(Kind)` gives those of
    every plugin that runs. `tools` are things besides records that roles may be allowed, a report for instance.
    `provides` gives what implements a port (`gigacore.ports`), or several by name: `{Port: {"name": it}}`. A class or
    function is called with the `Crm` when the port is first asked for, and gives it, or None while it is not set up. A
    function in `inbound` is called with the `Crm` at the start and gives the source.
    `install(ctx)` runs as the system when the plugin is installed or upgraded, and must be repeatable. `migrations` is
    the folder with its `versions`, by default `migrations` in its package. `assets` are files for pages by their public
    name, `csp` the other hosts that these talk to (`{"connect-src": ["https://tiles.example.com"]}`); scripts come from
    here alone.

    Raises `PluginError` for a malformed name, API level or source.
    """

    name: str
    api: str = "1.0"
    label: str = ""
    version: str = ""
    description: str = ""
    icon: str = "puzzle"
    requires: Sequence[str] = ()
    after: Sequence[str] = ()
    entities: Sequence[type[Entity]] = ()
    extensions: Sequence[type[Extension]] = ()
    tables: Sequence[str] = ()
    choice_lists: Sequence[ChoiceList] = ()
    settings: Sequence[FieldSpec] = ()
    tools: Sequence[Tool] = ()
    grants: Sequence[RoleGrant] = ()
    narrows: Sequence[str] = ()
    actions: Sequence[RecordAction] = ()
    bulk_actions: Sequence[BulkAction] = ()
    jobs: Sequence[Job] = ()
    schedules: Sequence[Schedule] = ()
    consumers: Sequence[Consumer] = ()
    inbound: Sequence[InboundSource | Callable[[Crm], InboundSource]] = ()
    notification_kinds: Sequence[NotificationKind] = ()
    rule_triggers: Sequence[Trigger] = ()
    rule_actions: Sequence[Action] = ()
    nav: Sequence[NavItem] = ()
    tabs: Sequence[Tab] = ()
    panels: Sequence[Panel] = ()
    columns: Sequence[Column] = ()
    widgets: Sequence[Widget] = ()
    settings_pages: Sequence[SettingsPage] = ()
    link_kinds: Sequence[LinkKind] = ()
    declares: Sequence[object] = ()
    hooks: Sequence[object] = ()
    provides: Mapping[type, object] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    csp: Mapping[str, Sequence[str]] = field(default_factory=dict)
    install: Callable[[Context], None] | None = None
    package: str = ""
    migrations: Path | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
                object.__setattr__(self, item.name, tuple(value))
        object.__setattr__(self, "label", self.label or self.name.replace("_", " ").capitalize())
        check_name(self.name)
        check_api(self)
        check_csp(self)
        check_provides(self)
        object.__setattr__(self, "package", self.package or _conventional_package(self.name))


def _conventional_package(name: str) -> str:
    package = f"gigacore_{name}"
    return package if find_spec(package) is not None else ""


def check_name(name: str) -> None:
    """Refuses a name that cannot prefix tables, URLs and settings."""
    if not _NAME.fullmatch(name) or len(name) > 30 or name == "core":
        raise PluginError(
            name,
            msg("“{name}” cannot be a plugin's name.", name=name),
            fix=msg("Use up to 30 lower-case letters, digits and single underscores; “core” is taken."),
        )


def check_api(plugin: Plugin) -> None:
    """Refuses an API level that this version of gigacore does not offer."""
    found = _API.fullmatch(plugin.api)
    if found is None or (int(found[1]), int(found[2])) > API_LEVEL or int(found[1]) != API_LEVEL[0]:
        raise PluginError(
            plugin.name,
            msg(
                "Plugin {name} asks for plugin API {asked}; this gigacore offers {offered}.",
                name=plugin.name,
                asked=plugin.api,
                offered="{}.{}".format(*API_LEVEL),
            ),
            fix=msg("Install a version of gigacore or of the plugin so that the two match."),
        )


def check_provides(plugin: Plugin) -> None:
    """Refuses names of implementations that could not be kept in settings and rows."""
    several = (given for given in plugin.provides.values() if isinstance(given, Mapping))
    wrong = next((str(name) for named in several for name in named if not _NAME.fullmatch(str(name))), None)
    if wrong is not None:
        raise PluginError(
            plugin.name,
            msg("“{name}” cannot be the name of an implementation.", name=wrong),
            fix=msg("Use lower-case letters, digits and single underscores."),
        )


def check_csp(plugin: Plugin) -> None:
    """Refuses what would weaken the pages of everybody: other people's scripts, whole schemes, wild hosts."""
    for directive, sources in plugin.csp.items():
        wrong = next((source for source in sources if not _SOURCE.fullmatch(source)), None)
        if directive in CSP_DIRECTIVES and wrong is None and not isinstance(sources, str):
            continue
        raise PluginError(
            plugin.name,
            msg("The page policy “{directive} {source}” is not allowed.", directive=directive, source=wrong or ""),
            fix=msg(
                "Name hosts with their scheme under one of these: {directives}.",
                directives=", ".join(CSP_DIRECTIVES),
            ),
        )
