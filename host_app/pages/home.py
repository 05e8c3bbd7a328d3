"""The start page: what waits for the reader, as tiles that plugins declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from flask.typing import ResponseReturnValue

from gigacore.errors import NotFound
from gigacore.messages import msg
from gigacore.ui import Slot
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.parts import Drawn, draw_part, fill, may_see, widgets_of
from host_app.pages.reader import reader
from host_app.routing import route, signed_in

if TYPE_CHECKING:
    from gigacore.ui import Widget
    from host_app.pages.reader import Reader


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/", policy=signed_in, endpoint="home")(home)
    route(app, "/home/<name>", policy=signed_in, endpoint="home_tile")(tile)


def home() -> ResponseReturnValue:
    """The tiles that the reader may see, one to three columns wide; late ones are asked for by the page."""
    who = reader()
    first = who.actor.name.split()[0] if who.actor.name else ""
    return answer(
        "home.html", title=who.t(msg("Home")), greeting=who.t(msg("Hello {name}", name=first)),
        today=who.formats.date(who.now, "full"),
        widgets=[_tile(widget, who) for widget in _shown(who)], filled=fill(Slot.HOME, who),
    )  # fmt: skip


def tile(name: str) -> ResponseReturnValue:
    """One tile with its content. Raises NotFound for one that the reader may not see or that no plugin declares."""
    who = reader()
    widget = next((one for one in _shown(who) if one.name == name), None)
    if widget is None:
        raise NotFound(msg("There is no such part of the start page."))
    template = "parts/tile.html" if is_partial() else "tile_page.html"
    return answer(template, title=who.t(widget.label), tile=draw_part(widget, who), width=widget.width)


def _shown(who: Reader) -> list[Widget]:
    return [widget for widget in widgets_of(who.crm) if may_see(widget.policy, who, widget.name)]


def _tile(widget: Widget, who: Reader) -> tuple[Drawn, int, bool]:
    """What stands on the page at once: everything of a tile, or the name of a late one."""
    if widget.late:
        return Drawn(widget.name, who.t(widget.label), widget.icon, ()), widget.width, True
    return draw_part(widget, who), widget.width, False
