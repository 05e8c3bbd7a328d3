"""The start page: what waits for the reader, and the way into each list."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

from gigacore import records
from gigacore.entity import EntitySpec
from gigacore.messages import msg
from gigacore.records import ListRequest
from gigacore.ui import Slot
from host_app.pages.addresses import list_url, new_url
from host_app.pages.columns import new_label
from host_app.pages.frame import SETTINGS
from host_app.pages.frame import page as answer
from host_app.pages.list_frame import counted
from host_app.pages.parts import draw_part, fill, may_see, widgets_of
from host_app.pages.reader import Reader, reader
from host_app.routing import route, signed_in


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/", policy=signed_in, endpoint="home")(home)


def home() -> ResponseReturnValue:
    """A tile per entity with its count and the newest records."""
    who = reader()
    tiles = [_tile(spec, who) for spec in who.entities("view") if spec.group != SETTINGS]
    first = who.actor.name.split()[0] if who.actor.name else ""
    widgets = [draw_part(widget, who) for widget in widgets_of(who.crm) if may_see(widget.policy, who)]
    return answer(
        "home.html", title=who.t(msg("Home")), greeting=who.t(msg("Hello {name}", name=first)), tiles=tiles,
        widgets=widgets, filled=fill(Slot.HOME, who),
    )  # fmt: skip


def _tile(spec: EntitySpec, who: Reader) -> dict[str, object]:
    found = records.page(who.ctx, spec.name, ListRequest(fields=("id", spec.title), sort=("-id",), limit=3))
    return {
        "label": who.t(spec.label_plural),
        "icon": spec.icon,
        "url": list_url(spec),
        "count": counted(found.count, who) if found.count else "",
        "newest": [
            (f"{list_url(spec)}/{item['id']}", item.get(spec.title) or f"#{item['id']}") for item in found.items
        ],
        "create": new_url(spec) if who.may("create", spec.name) else "",
        "create_label": new_label(spec, who),
    }
