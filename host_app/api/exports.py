"""Exports over the API: a list as a CSV file or an Excel workbook; a long one is written by a job."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, g

from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.records import ListRequest
from host_app.api.answers import answer
from host_app.api.body import read_optional_object
from host_app.api.policies import entity_at, on_entity
from host_app.api.query import only
from host_app.api.records import COLLECTION
from host_app.exports import CSV, FORMATS, Wanted, download, job_for
from host_app.routing import route

EXPORTS: Final = f"{COLLECTION}/exports"
MOST_SEARCH: Final = 200
KNOWN: Final = frozenset({"format", "filter", "sort", "fields", "search"})


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, EXPORTS, policy=on_entity("export"), methods=["POST"])(export)


def export(plugin: str, plural: str) -> Response:
    """The file, or 202 with the number of the job whose result names it."""
    entity, body = entity_at(plugin, plural), read_optional_object()
    only()
    if unknown := sorted(set(body) - KNOWN):
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    kind = body.get("format", CSV)
    if not isinstance(kind, str) or kind not in FORMATS:
        raise Invalid.of("format", msg("The format must be csv or xlsx."))
    search = body.get("search", "")
    if not isinstance(search, str) or len(search) > MOST_SEARCH:
        raise Invalid.of("search", msg("This must be text of at most 200 characters."))
    listed = ListRequest(body.get("filter"), _names(body, "sort"), _names(body, "fields") or None, search=search)
    wanted = Wanted(entity, listed, kind, g.locale)
    job = job_for(wanted)
    return download(wanted) if job is None else answer({"job": job}, 202, Location=f"/api/v1/core/jobs/{job}")


def _names(body: dict[str, Any], name: str) -> tuple[str, ...]:
    given = body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Invalid.of(name, msg("This must be a list of field names."))
    return tuple(given)
