"""The export of a list from its menu: with its columns or with every field, as CSV or as an Excel workbook."""

from __future__ import annotations

from typing import Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.records import ListRequest
from host_app.api.policies import entity_at, on_entity
from host_app.exports import CSV, FORMATS, Wanted, download, job_for
from host_app.pages import bulk_job, views
from host_app.pages.lists import shown_columns
from host_app.pages.reader import reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/export"


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, RULE, policy=on_entity("export"))(export)


def export(plugin: str, plural: str) -> ResponseReturnValue:
    """The list of the address, as far as the reader may see it; a long one is written by a job, which it then shows."""
    spec, who = entity_at(plugin, plural), reader()
    state = views.state_of(spec, request.args, who)
    readable = {field.name: field for field in who.readable(spec)}
    shown = [column.name for column in shown_columns(state, spec, who, readable)] if request.args.get("columns") else ()
    sort = (state.sort,) if state.sort else ()
    listed = ListRequest(filter=state.filter.tree(), sort=sort, search=state.q, fields=tuple(shown) or None)
    kind = request.args.get("format", CSV)
    wanted = Wanted(spec, listed, kind if kind in FORMATS else CSV, who.locale)
    job = job_for(wanted)
    return download(wanted) if job is None else redirect(bulk_job.with_job(state.url, job), 303)
