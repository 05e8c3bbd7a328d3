"""The frame of the settings area: its menu, and the way to the first page that the reader may see."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.messages import msg
from host_app.pages.addresses import list_url
from host_app.pages.frame import SETTINGS
from host_app.pages.frame import page as answer
from host_app.pages.parts import may_see
from host_app.pages.reader import Reader, reader
from host_app.routing import route, signed_in


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/settings", policy=signed_in)(area)


def area() -> ResponseReturnValue:
    """The first page that the reader may see."""
    return redirect(menu(reader())[0][1], 303)


def menu(who: Reader) -> list[tuple[str, str]]:
    """Labels and addresses of the settings that the reader may see."""
    entries = [
        (who.t(label), url)
        for label, url, tool in (
            (msg("General"), "/settings/general", "core.setting"),
            (msg("Custom fields"), "/settings/fields", "core.custom_field"),
            (msg("Choice lists"), "/settings/lists", "core.choice"),
            (msg("Users"), "/settings/users", "core.user"),
            (msg("Roles"), "/settings/roles", "core.role"),
            (msg("Plugins"), "/settings/plugins", "core.plugin"),
        )
        if access.may(who.ctx, "view", tool)
    ]
    lists = [spec for spec in who.entities("view") if spec.group == SETTINGS]
    entries[3:3] = [(who.t(spec.label_plural), list_url(spec)) for spec in lists]
    entries += [
        (who.t(page.label), page.url or f"/settings/plugin/{page.name}")
        for plugin in who.crm.plugins.enabled
        for page in plugin.settings_pages
        if may_see(page.policy, who)
    ]
    return [*entries, (who.t(msg("Trash")), "/trash")]


def settings_page(template: str, who: Reader, status: int = 200, **values: Any) -> Response:
    """A page of the area."""
    path = request.path
    entries = [(label, url, path == url or path.startswith(f"{url}/")) for label, url in menu(who)]
    return answer(f"settings/{template}", status, menu=entries, **values)
