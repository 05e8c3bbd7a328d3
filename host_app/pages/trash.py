"""What was deleted within thirty days, and the way back."""

from __future__ import annotations

from flask import Flask, redirect
from flask.typing import ResponseReturnValue

from gigacore.data import trash
from gigacore.errors import GigaError, NotFound
from gigacore.messages import msg
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import list_url, record_url
from host_app.pages.answers import refused
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.reader import reader
from host_app.routing import route, signed_in


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, "/trash", policy=signed_in)(show)
    route(app, "/<plugin>/<plural>/<int:record_id>/restore", policy=on_entity("delete"), methods=["POST"])(restore)


def show() -> ResponseReturnValue:
    """What the reader can take back."""
    who = reader()
    rows = []
    for found in trash.listing(who.ctx, limit=100):
        spec = who.registry.entities.get(found.entity)
        if spec is not None:
            url = f"{record_url(spec, found.record_id)}/restore"
            rows.append((found.label, who.t(spec.label), who.formats.datetime(found.deleted_at), url))
    return answer("trash.html", title=who.t(msg("Trash")), rows=rows)


def restore(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """Take a record back."""
    spec, who = entity_at(plugin, plural), reader()
    rows = trash.listing(who.ctx, entity=spec.name, limit=500)
    found = next((row for row in rows if row.record_id == record_id), None)
    if found is None:
        raise NotFound
    try:
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            trash.restore(ctx, found.id)
    except GigaError as error:
        return refused(error, list_url(spec), who)
    note(who.t(msg("“{title}” is back.", title=found.label)))
    return redirect(record_url(spec, record_id), 303)
