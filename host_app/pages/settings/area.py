"""The frame of the settings area: what there is to set, by right, with search; its menu on every page of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.entity import fold
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from host_app.pages.addresses import list_url
from host_app.pages.frame import SETTINGS
from host_app.pages.frame import page as answer
from host_app.pages.parts import may_see
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.words import WORDS
from host_app.routing import route, signed_in

COMPANY: Final = msg("Company")
DATA: Final = msg("Data")
PEOPLE: Final = msg("People and rights")
MODULES: Final = msg("Modules")
CONNECTIONS: Final = msg("Mail and other systems")
UPKEEP: Final = msg("Upkeep")


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the area: what it is called, where it lies, what one finds there. Texts are in the reader's words."""

    group: str
    label: str
    url: str
    icon: str
    help: str = ""
    current: bool = False

    @property
    def words(self) -> str:
        """Other names for it, which also find it."""
        return WORDS.get(self.url, "")

    def is_meant_by(self, text: str) -> bool:
        """Whether each word of a search stands in what it is called."""
        called = fold(f"{self.label} {self.help} {self.group} {self.words}")
        return all(word in called for word in fold(text).split())


@dataclass(frozen=True, slots=True)
class Known:
    """A page of the host's own, and the tool and verb that it takes."""

    group: Msg
    label: Msg
    url: str
    icon: str
    tool: str
    help: Msg
    verb: str = "view"


PAGES: Final = (
    Known(COMPANY, msg("Company profile"), "/settings/company", "building", "core.setting",
          msg("Name, address, SIREN and VAT numbers, phone, e-mail, website")),
    Known(COMPANY, msg("Branding"), "/settings/general", "brush", "core.setting",
          msg("Name of this CRM, logo, accent colour")),
    Known(COMPANY, msg("Currencies and rates"), "/settings/currencies", "coins", "core.setting",
          msg("Base currency, currencies on offer, exchange rates by date")),
    Known(DATA, msg("Custom fields"), "/settings/fields", "adjustments", "core.custom_field",
          msg("Fields of your own on every kind of record")),
    Known(DATA, msg("Choice lists"), "/settings/lists", "list-details", "core.choice",
          msg("Statuses, sources, priorities, categories: names, colours, order")),
    Known(DATA, msg("Tags"), "/settings/lists/crm.tag", "tags", "core.choice",
          msg("Rename, recolour, merge, remove")),
    Known(PEOPLE, msg("Users"), "/settings/users", "users", "core.user",
          msg("Invite, roles and teams, passwords, sessions")),
    Known(PEOPLE, msg("Teams"), "/settings/teams", "hierarchy-2", "core.team",
          msg("Hierarchy, leaders, members")),
    Known(PEOPLE, msg("Roles"), "/settings/roles", "shield-check", "core.role",
          msg("Who may do what with which records and fields")),
    Known(MODULES, msg("Plugins"), "/settings/plugins", "puzzle", "core.plugin",
          msg("Switch modules on and off, limit who may use them")),
    Known(CONNECTIONS, msg("Templates"), "/settings/templates", "file-text", "core.template",
          msg("Texts of mails in each language, with a preview"), "edit"),
    Known(CONNECTIONS, msg("Mails sent"), "/settings/mails", "mail", "core.mail",
          msg("What became of each mail, and once more what failed")),
    Known(CONNECTIONS, msg("Web hooks"), "/settings/webhooks", "webhook", "core.hook",
          msg("Other systems are told when something happens: log, secret, send again")),
    Known(CONNECTIONS, msg("Incoming web hooks"), "/settings/incoming", "download", "core.hook",
          msg("Messages of other systems become records or events: sources, inbox"), "edit"),
    Known(UPKEEP, msg("Jobs"), "/settings/jobs", "list-check", "core.job",
          msg("What runs and waits, events given up, schedules")),
    Known(UPKEEP, msg("Backups"), "/settings/backups", "lifebuoy", "core.backup",
          msg("Database and files together: made, downloaded, kept how long, encrypted")),
)  # fmt: skip


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/settings", policy=signed_in)(area)


def area() -> ResponseReturnValue:
    """Everything that the reader may set, found by `?q=` or at a glance."""
    who, text = reader(), request.args.get("q", "").strip()[:100]
    found = [one for one in entries(who) if one.is_meant_by(text)]
    return settings_page("index.html", who, title=who.t(msg("Settings")), groups=_grouped(found), q=text, index=True)


def entries(who: Reader) -> list[Entry]:
    """The pages that the reader may see, in their groups."""
    found = [*_own(who), *_lists(who), *_of_plugins(who)]
    trash = who.t(msg("Records that were deleted, kept for a month"))
    found.append(Entry(who.t(UPKEEP), who.t(msg("Trash")), "/trash", "trash", trash))
    return [one for _label, group in _grouped(found) for one in group]


def _own(who: Reader) -> Iterator[Entry]:
    for page in PAGES:
        if access.may(who.ctx, page.verb, page.tool):
            yield Entry(who.t(page.group), who.t(page.label), page.url, page.icon, who.t(page.help))


def _lists(who: Reader) -> Iterator[Entry]:
    """Entities that are settings themselves; pipelines have a page of their own, which shows their stages, too."""
    specs = {spec.name: spec for spec in who.entities("view") if spec.group == SETTINGS}
    if "crm.pipeline" in specs:
        help = who.t(msg("Stages with their order, probability, colour and meaning"))
        label = who.t(specs.pop("crm.pipeline").label_plural)
        yield Entry(who.t(DATA), label, "/settings/pipelines", "layout-kanban", help)
        specs.pop("crm.stage", None)
    for spec in specs.values():
        yield Entry(who.t(DATA), who.t(spec.label_plural), list_url(spec), spec.icon)


def _of_plugins(who: Reader) -> Iterator[Entry]:
    for plugin in who.crm.plugins.enabled:
        for page in sorted(plugin.settings_pages, key=lambda one: one.order):
            if may_see(page.policy, who, page.name):
                group = who.t(page.group) if page.group else who.t(MODULES)
                url = page.url or f"/settings/plugin/{page.name}"
                help = who.t(page.help) if page.help else who.t(plugin.description or plugin.label)
                yield Entry(group, who.t(page.label), url, page.icon or plugin.icon or "adjustments", help)


def _grouped(found: list[Entry]) -> list[tuple[str, list[Entry]]]:
    groups: dict[str, list[Entry]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    return list(groups.items())


def menu(who: Reader) -> list[tuple[str, list[Entry]]]:
    """The menu of the area, with the page that the reader stands on marked: the closest one only."""
    path, found = request.path, entries(who)
    under = [one.url for one in found if path == one.url or path.startswith(f"{one.url}/")]
    here = max(under, key=len, default="")
    return _grouped([replace(one, current=one.url == here) for one in found])


def settings_page(template: str, who: Reader, status: int = 200, **values: Any) -> Response:
    """A page of the area."""
    return answer(f"settings/{template}", status, menu=menu(who), **values)
