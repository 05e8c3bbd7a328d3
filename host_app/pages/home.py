"""The start page: what waits for the reader, as tiles that plugins declare."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

from gigacore.messages import msg
from gigacore.ui import Slot
from host_app.pages.frame import page as answer
from host_app.pages.parts import draw_part, fill, may_see, widgets_of
from host_app.pages.reader import reader
from host_app.routing import route, signed_in


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/", policy=signed_in, endpoint="home")(home)


def home() -> ResponseReturnValue:
    """The tiles that the reader may see, one or two columns wide."""
    who = reader()
    first = who.actor.name.split()[0] if who.actor.name else ""
    shown = [widget for widget in widgets_of(who.crm) if may_see(widget.policy, who, widget.name)]
    return answer(
        "home.html", title=who.t(msg("Home")), greeting=who.t(msg("Hello {name}", name=first)),
        today=who.formats.date(who.now, "full"),
        widgets=[(draw_part(widget, who), widget.width) for widget in shown], filled=fill(Slot.HOME, who),
    )  # fmt: skip
