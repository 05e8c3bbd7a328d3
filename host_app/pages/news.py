"""Whether somebody else changed a record since a page of it was drawn.

The page asks every now and then; whoever pushes news instead calls `news_of` and sends what it gives.
"""

from __future__ import annotations

import uuid

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from gigacore.context import Context
from gigacore.data import activities, audit
from gigacore.entity import EntitySpec
from gigacore.errors import NotFound
from gigacore.ids import uuid7
from gigacore.messages import Msg, msg
from host_app.api.policies import entity_at, on_entity
from host_app.pages.addresses import record_url, with_query
from host_app.pages.answers import parts
from host_app.pages.frame import part
from host_app.pages.reader import reader
from host_app.pages.record_view import RULE, RecordView
from host_app.routing import route


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, f"{RULE}/news", policy=on_entity("view"))(news)


def news_url(view: RecordView) -> str:
    """Where the page asks for what happened since it was drawn."""
    return with_query(f"{view.path}/news", [("since", uuid7().hex)])


def news_of(ctx: Context, spec: EntitySpec, record_id: int, since: uuid.UUID) -> Msg | None:
    """What somebody other than the reader did with a record after `since` (a UUIDv7 of that moment), if anything.

    Two statements while nothing happened; what is out of the reader's sight is no news.
    """
    me, connection = ctx.actor.user_id, ctx.session.connection()
    name = audit.newest_by_others(connection, spec.name, record_id, since=since, user_id=me)
    if name is not None:
        if ctx.session.get(spec.cls, record_id) is None:
            return msg("This record was deleted, or you may not see it any more.")
        return msg("{name} changed this record.", name=name)
    added = activities.newest_by_others(ctx, spec.name, record_id, since=since)
    return None if added is None else msg("{name} added to the timeline.", name=added)


def news(plugin: str, plural: str, record_id: int) -> ResponseReturnValue:
    """A quiet notice when somebody else changed the record after `since`, else nothing (204)."""
    spec, who = entity_at(plugin, plural), reader()
    told = news_of(who.ctx, spec, record_id, _since())
    if told is None:
        return Response(status=204)
    return parts([part("news", text=who.t(told), url=record_url(spec, record_id))])


def _since() -> uuid.UUID:
    try:
        return uuid.UUID(request.args.get("since", ""))
    except ValueError:
        raise NotFound from None
