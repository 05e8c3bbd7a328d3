"""One's own notifications over the API, and how one wants to be told."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, g

from gigacore import notices
from gigacore.context import Context
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object, read_optional_object
from host_app.api.once import write
from host_app.api.query import number, only
from host_app.context import current_crm
from host_app.routing import route, signed_in

BASE: Final = "/api/v1/me/notifications"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, BASE, policy=signed_in)(listing)
    route(app, f"{BASE}/actions/read", policy=signed_in, methods=["POST"])(read)
    route(app, f"{BASE}/choices", policy=signed_in)(choices)
    route(app, f"{BASE}/choices/<kind>", policy=signed_in, methods=["PUT"])(choose)


def listing() -> Response:
    """The caller's notifications, newest first, and how many were not read."""
    only("before", "limit")
    found = notices.listing(
        g.ctx,
        before=number("before", default=0, most=2**63 - 1) or None,
        limit=number("limit", default=30, most=100) or 30,
    )
    translate = current_crm().catalogue.translator(g.ctx.actor.locale)
    items = [_notice(one, translate(one.message)) for one in found]
    return answer({"unread": notices.unread(g.ctx), "items": items})


def _notice(notice: notices.Notice, text: str) -> dict[str, Any]:
    names = ("id", "kind", "entity", "record_id", "url", "at", "read_at")
    return {name: getattr(notice, name) for name in names} | {"text": text}


def read() -> Response:
    """Mark `{"ids": [...]}`, or all, as read."""
    only()
    ids = read_optional_object().get("ids")
    if ids is not None and not (isinstance(ids, list) and all(isinstance(one, int) for one in ids)):
        raise Invalid.of("ids", msg("This must be a list of numbers."))

    def work(ctx: Context) -> Response:
        return answer({"read": notices.mark_read(ctx, ids)})

    return write(work)


def choices() -> Response:
    """How the caller wants to be told of each kind."""
    only()
    found = notices.choices(g.ctx, current_crm().notification_kinds)
    return answer(
        {
            "items": [
                {"kind": one.kind.name, "label": one.kind.label, "bell": one.bell, "mail": one.mail} for one in found
            ]
        }
    )


def choose(kind: str) -> Response:
    """Set how the caller wants to be told of a kind: `{"bell": true, "mail": "never" | "now" | "digest"}`."""
    only()
    data = read_object()
    if not isinstance(data.get("bell"), bool):
        raise Invalid.of("bell", msg("This must be yes or no."))

    def work(ctx: Context) -> Response:
        notices.choose(
            ctx, kind, bell=data["bell"], mail=data.get("mail", "never"), kinds=current_crm().notification_kinds
        )
        return nothing()

    return write(work)
