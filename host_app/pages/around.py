"""What hangs on a record besides its fields: links, files and who has access, drawn once the page stands."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

from gigacore.messages import msg
from host_app.api.policies import on_entity
from host_app.pages.addresses import list_url
from host_app.pages.answers import parts
from host_app.pages.attachments import files_card
from host_app.pages.columns import title_of
from host_app.pages.consents import consent_card
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.linking import links_card
from host_app.pages.record_view import RULE, view_of
from host_app.pages.sharing import access_card
from host_app.routing import route


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, f"{RULE}/around", policy=on_entity("view"))(show)


def show(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """The cards of links, files and access; a page of their own without scripts."""
    view = view_of(plugin, plural, record_id)
    cards = [files_card(view), links_card(view), consent_card(view)]
    cards += [access_card(view)] if view.spec.owned else []
    if is_partial():
        return parts(cards)
    return answer(
        "around.html",
        title=view.who.t(msg("Files, links and access")),
        about=title_of(view.spec, view.item),
        path=view.path,
        list_path=list_url(view.spec),
        list_label=view.who.t(view.spec.label_plural),
        cards=cards,
    )
