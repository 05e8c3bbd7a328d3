"""Deleted records: listed and brought back for thirty days."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, g

from gigacore import records
from gigacore.context import Context
from gigacore.data import trash
from gigacore.data.trash import Trashed
from host_app.api.answers import answer
from host_app.api.body import read_optional_object
from host_app.api.once import write
from host_app.api.query import entity_name, number, only
from host_app.api.versions import etag
from host_app.routing import route, signed_in

TRASH: Final = "/api/v1/core/trash"


def register(app: Flask) -> None:
    """Declare the routes. What a caller finds here is what was the caller's own; the service decides."""
    route(app, TRASH, policy=signed_in)(list_trash)
    route(app, f"{TRASH}/<int:id>/actions/restore", policy=signed_in, methods=["POST"])(restore)


def list_trash() -> Response:
    """Deleted records, newest first; `?before=` goes on from the last one."""
    only("entity", "before", "limit")
    limit = number("limit", default=50, most=200) or 50
    before = number("before", default=None, most=2**31)
    found = trash.listing(g.ctx, entity=entity_name() or None, limit=limit, before=before)
    return answer({"items": [_shown(one) for one in found], "next": found[-1].id if len(found) == limit else None})


def restore(id: int) -> Response:
    """Put a record back where it was, with the same number."""
    only()
    read_optional_object()

    def work(ctx: Context) -> Response:
        record = trash.restore(ctx, id)
        name = ctx.session.registry.of(record).name
        shown = records.get(ctx, name, record.id)
        return answer(shown, ETag=etag(shown["version"]))

    return write(work)


def _shown(one: Trashed) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Trashed.__slots__}
