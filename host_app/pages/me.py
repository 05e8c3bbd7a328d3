"""What readers choose for themselves: language, theme, density, width of the menu; and the colours of it all."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import escape

from gigacore import access
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import colours
from host_app.pages.addresses import is_local
from host_app.pages.frame import PRODUCT, branding, is_partial, keep_look
from host_app.routing import public_route, route, signed_in

ACCENT: Final = "#4c5fd7"
FAVICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{colour}"/>'
    '<text x="16" y="22.5" font-family="system-ui,sans-serif" font-size="19" font-weight="700" text-anchor="middle" '
    'fill="#fff">{letter}</text></svg>'
)


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/me/appearance", policy=signed_in, methods=["POST"])(appearance)
    route(app, "/me/language", policy=signed_in, methods=["POST"])(language)
    public_route(app, "/theme.css", reason="colours hold no data")(theme)
    public_route(app, "/favicon.svg", reason="the sign-in page shows it")(favicon)


def appearance() -> ResponseReturnValue:
    """Keep theme, density or width of the menu in the reader's browser."""
    response: Response = Response(status=204) if is_partial() else _back()
    keep_look(response, request.form)
    return response


def language() -> ResponseReturnValue:
    """Change the reader's language."""
    locale = request.form.get("locale", "")
    if locale not in ("en", "fr"):
        raise Invalid.of("locale", msg("This language is not available."))
    actor = current()
    if actor.user_id is not None:
        with current_crm().unit_of_work(actor) as ctx:
            access.users.change(ctx, actor.user_id, {"locale": locale})
    return _back()


def _back() -> Response:
    page = request.referrer or ""
    path = page[len(request.host_url) - 1 :] if page.startswith(request.host_url) else "/"
    return redirect(path if is_local(path) else "/", 303)  # type: ignore[return-value]


def favicon() -> ResponseReturnValue:
    """The first letter of the installation's name on its accent colour."""
    brand = branding()
    letter = escape((brand.get("name") or PRODUCT)[0].upper())
    drawing = FAVICON.format(colour=brand.get("accent") or ACCENT, letter=letter)
    response = Response(drawing, content_type="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400" if request.query_string else "no-cache"
    return response


def theme() -> ResponseReturnValue:
    """The colours of pills and of the brand as CSS; its address changes whenever they do."""
    text = colours.stylesheet(current_crm().registry, branding().get("accent", ""))
    response = Response(text, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=86400" if request.query_string else "no-cache"
    return response
