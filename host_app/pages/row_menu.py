"""The menu of one record in a list or on a board: what its reader may do with it, with the reason where he may not."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

from gigacore import access, records
from gigacore.messages import msg
from host_app.api.policies import entity_at, on_entity
from host_app.pages.addresses import record_url
from host_app.pages.frame import page as answer
from host_app.pages.reader import reader
from host_app.pages.record_head import acts
from host_app.routing import route


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, "/<plugin>/<plural>/<int:record_id>/menu", policy=on_entity("view"))(show)


def show(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """The entries, for the menu that opens beside a row."""
    spec, who = entity_at(plugin, plural), reader()
    record = records.load(who.ctx, spec.name, record_id)
    return answer(
        "parts/row_menu.html",
        title=who.t(msg("Actions")),
        path=record_url(spec, record_id),
        acts=acts(spec, record, who),
        may_edit=access.may(who.ctx, "edit", spec.name, record),
        may_delete=access.may(who.ctx, "delete", spec.name, record),
    )
