"""The frame of every page: menus from the registry, looks that the reader chose, and the rendering of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode
from weakref import WeakKeyDictionary

from flask import Flask, Response, g, render_template, request, stream_template
from markupsafe import Markup, escape

from gigacore import access
from gigacore.data import settings
from gigacore.entity import EntitySpec
from gigacore.errors import PluginError
from gigacore.messages import Msg, Translate, msg
from gigacore.values import dataclass
from host_app import reporting
from host_app.context import current_crm, host, say
from host_app.csrf import csrf_token
from host_app.pages.addresses import list_url, new_url
from host_app.pages.cells import initials
from host_app.pages.colours import pill_class
from host_app.pages.parts import may_see, nav_items
from host_app.pages.reader import Reader, reader

LOOK_COOKIE: Final = "giga_look"
LOOKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"theme": ("auto", "light", "dark"), "side": ("", "small"), "density": ("", "compact")}
)
QUICK: Final = 4
GROUPS: Final = ("", "Sales", "Work", "Communication", "Finance", "Projects")
MOST_KEPT: Final = 400
MOST_OF_A_PAGE: Final = 5_000_000
FORM_MARK: Final = "\x00form\x00"
NAME_MARK: Final = "\x00name\x00"
INITIALS_MARK: Final = "\x00initials\x00"
PRODUCT: Final = "Giga CRM"
SETTINGS: Final = "Settings"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a menu."""

    label: str
    url: str
    icon: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading."""

    label: str
    items: tuple[Item, ...]


class Frame:
    """What base templates draw around a page; menus are drawn only where a page has them."""

    @cached_property
    def look(self) -> Mapping[str, str]:
        """Theme, width of the menu and density, as the reader's browser keeps them."""
        kept = dict(parse_qsl(request.cookies.get(LOOK_COOKIE, "")[:200]))
        return {name: kept[name] if kept.get(name) in values else values[0] for name, values in LOOKS.items()}

    @property
    def locale(self) -> str:
        """The page's language."""
        found: str = g.locale
        return found

    @property
    def theme(self) -> str:
        """`auto`, `light` or `dark`."""
        return self.look["theme"]

    @property
    def side(self) -> str:
        """`small` when the menu shows icons only."""
        return self.look["side"]

    @property
    def density(self) -> str:
        """`compact` for lower rows."""
        return self.look["density"]

    @cached_property
    def brand(self) -> str:
        """What the installation calls itself."""
        return branding().get("name") or PRODUCT

    @cached_property
    def logo(self) -> str:
        """The address of the installation's logo, if it has one."""
        return branding().get("logo", "")

    @property
    def paint(self) -> str:
        """The version of `/theme.css`."""
        return f"{current_crm().registry.generation}-{branding().get('accent', '').lstrip('#')}"

    @property
    def words(self) -> Markup:
        """What scripts say, drawn once for each language."""
        drawn: dict[str, Markup] = host().cache.setdefault("words", {})
        if self.locale not in drawn:
            drawn[self.locale] = part("words")
        return drawn[self.locale]

    @cached_property
    def menus(self) -> Menus:
        """Everything around the content, drawn; only the token and the name differ from reader to reader."""
        who = reader()
        drawn = _kept_menus(self, who)
        marks = {
            FORM_MARK: csrf_token(),
            NAME_MARK: str(escape(who.actor.name)),
            INITIALS_MARK: initials(who.actor.name),
        }
        return Menus(*(_filled(part, marks) for part in drawn))

    @property
    def key(self) -> tuple[object, ...]:
        """What the menus depend on besides the reader's rights."""
        return self.locale, self.theme, self.side, self.density, self.brand, self.logo, current_url()


class Menus(NamedTuple):
    """What stands before and after the content, drawn."""

    before: Markup
    after: Markup


def _filled(part: Markup, marks: Mapping[str, str]) -> Markup:
    text = str(part)
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return Markup(text)  # noqa: S704 - the marks stand where texts and attribute values stand


def _kept_menus(frame: Frame, who: Reader) -> Menus:
    """The menus for these rights, drawn once for each page, language and look."""
    rights = who.crm.guard.rights(who.ctx.session)
    by_rights: WeakKeyDictionary[Any, dict[Any, Menus]] = host().cache.setdefault("menus", WeakKeyDictionary())
    kept = by_rights.setdefault(rights, {})
    if len(kept) > MOST_KEPT:
        kept.clear()
    key = (*frame.key, who.actor.scopes)
    found = kept.get(key)
    if found is None:
        found = kept[key] = _draw_menus(frame, who)
    return found


def _draw_menus(frame: Frame, who: Reader) -> Menus:
    groups = menu(who)
    items = [item for group in groups for item in group.items if item.url != "/settings"]
    themes = [("auto", who.t(msg("Auto"))), ("light", who.t(msg("Light"))), ("dark", who.t(msg("Dark")))]
    densities = [("", who.t(msg("Roomy"))), ("compact", who.t(msg("Compact")))]
    return Menus(
        before=_draw("before", groups=groups, creatable=creatable(who), themes=themes, densities=densities),
        after=_draw("after", quick=items[:QUICK], shortcuts=[(keys, who.t(text)) for keys, text in SHORTCUTS]),
    )


def current_url() -> str:
    """The start of the request's path that decides which menu entry is marked."""
    return "/".join(request.path.split("/", 3)[:3])


SHORTCUTS: Final = (
    (("Ctrl", "K"), msg("Commands and search")),
    (("/",), msg("Search everything")),
    (("n",), msg("Create a record")),
    (("↑", "↓"), msg("Walk through the list")),
    (("Enter",), msg("Open the record")),
    (("x",), msg("Select the record")),
    (("e",), msg("Edit the record")),
    (("F2",), msg("Edit the cell")),
    (("m",), msg("Menu of the record")),
    (("Ctrl", "Enter"), msg("Save the form")),
    (("Alt", "←", "→"), msg("Move the card on the board")),
    (("r",), msg("Refresh the page")),
    (("Esc",), msg("Close the sheet; what was typed is kept")),
    (("?",), msg("This help")),
)


def _draw(name: str, **values: Any) -> Markup:
    marks = {"csrf_token": lambda: FORM_MARK, "person": NAME_MARK, "initials": INITIALS_MARK}
    return Markup(render_template(f"parts/{name}.html", **marks, **values))  # noqa: S704 - the template escapes


def branding() -> Mapping[str, str]:
    """Name, logo and accent colour of the installation."""
    kept = host().cache
    if kept.get("branding") is None:
        with current_crm().database.engine.connect() as connection:
            stored = settings.read(connection)
        logo = stored.get("core.brand_logo_file")
        kept["branding"] = {name: str(stored.get(f"core.brand_{name}") or "") for name in ("name", "accent")}
        kept["branding"]["logo"] = f"/brand/logo?{logo}" if logo else ""
    found: Mapping[str, str] = kept["branding"]
    return found


def menu(who: Reader) -> list[Group]:
    """The main menu: entities in their groups, entries of plugins, reports where there are any, settings."""
    groups: dict[str, list[tuple[int, Item]]] = {name: [] for name in GROUPS}
    groups[""].append((0, Item(who.t(msg("Home")), "/", "home")))
    entries = [entry for entry in nav_items(who.crm) if entry.group != SETTINGS]
    named = {entry.entity for entry in nav_items(who.crm)}
    for spec in who.entities("view"):
        if spec.name not in named and spec.group != SETTINGS:
            groups.setdefault(spec.group, []).append((50, entity_item(spec, who)))
    for entry in entries:
        if may_see(entry.policy, who, entry.name):
            url = list_url(who.registry.entity(entry.entity)) if entry.entity else entry.url or "/"
            item = Item(who.t(entry.label), url, entry.icon or "puzzle")
            groups.setdefault(entry.group, []).append((entry.order, item))
    made = [Group(who.t(name) if name else "", _in_order(items)) for name, items in groups.items() if items]
    return [*made, Group("", tuple(_tools(who)))]


def _tools(who: Reader) -> Iterator[Item]:
    """What goes over all records: reports that the reader may see, automations, settings."""
    if reporting.offered():
        yield Item(who.t(msg("Reports")), "/core/reports", "report-analytics", is_current("/core/reports"))
    if access.may(who.ctx, "view", "core.rule"):
        yield Item(who.t(msg("Automations")), "/automations", "robot", is_current("/automations"))
    yield Item(who.t(msg("Settings")), "/settings", "settings", request.path.startswith("/settings"))


def _in_order(items: Iterable[tuple[int, Item]]) -> tuple[Item, ...]:
    unique = {item.url: item for _order, item in sorted(items, key=lambda pair: pair[0])}
    return tuple(replace(item, current=is_current(item.url)) for item in unique.values())


def is_current(url: str) -> bool:
    """Whether the request's page lies at or below `url`."""
    path = request.path
    return path == url or (url != "/" and path.startswith(f"{url}/"))


def entity_item(spec: EntitySpec, who: Reader) -> Item:
    """The entry of an entity's list."""
    return Item(who.t(spec.label_plural), list_url(spec), spec.icon)


def creatable(who: Reader) -> list[Item]:
    """What the reader may create, what fits this page first."""
    wanted = [spec for spec in who.entities("create") if spec.group != SETTINGS]
    found = [Item(who.t(spec.label), new_url(spec), spec.icon, is_current(list_url(spec))) for spec in wanted]
    return sorted(found, key=lambda item: not item.current)


def part(name: str, **values: Any) -> Markup:
    """A part of a page, drawn on its own: cheaper than an included template, whose pieces pass through every frame."""
    return Markup(render_template(f"parts/{name}.html", **values))  # noqa: S704 - the template escapes


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page as an answer; a request by htmx that names a target gets the part only, if there is one."""
    return Response(render_template(template, **values), status, content_type="text/html; charset=utf-8")


def bounded_page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of a plugin as an answer. Raises PluginError for one of more than five million characters."""
    text, size = [], 0
    for piece in stream_template(template, **values):
        text.append(piece)
        size += len(piece)
        if size > MOST_OF_A_PAGE:
            raise PluginError(request.endpoint or template, msg("The page {name} is too large.", name=template))
    return Response("".join(text), status, content_type="text/html; charset=utf-8")


def is_partial() -> bool:
    """Whether a script asks for a part of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def keep_look(response: Response, chosen: Mapping[str, str]) -> None:
    """Store the looks that `chosen` names."""
    look = dict(Frame().look)
    look.update({name: value for name, value in chosen.items() if name in LOOKS and value in LOOKS[name]})
    text = urlencode({name: value for name, value in look.items() if value})
    response.set_cookie(LOOK_COOKIE, text, max_age=31_536_000, httponly=True, samesite="Lax", secure=host().secure)


def register(app: Flask) -> None:
    """Give every template its frame and its voice."""
    app.jinja_env.globals.update(t=tell, pill_class=pill_class)

    @app.context_processor
    def _frame() -> dict[str, object]:
        if "frame" not in g:
            g.frame, g.voice = Frame(), voice(g.translate)
        return {"frame": g.frame, "t": g.voice}


def voice(translate: Translate) -> Callable[..., str]:
    """`tell` for one request, with its language looked up once."""

    def speak(text: Msg | str, /, **params: object) -> str:
        if params and isinstance(text, str):
            return msg(text, **params).render(translate)
        return translate(text) if isinstance(text, str) else text.render(translate)

    return speak


def tell(text: Msg | str, /, **params: object) -> str:
    """`text` in the reader's language, with its placeholders filled in; templates call it `t`."""
    return say(msg(text, **params)) if params and isinstance(text, str) else say(text)
