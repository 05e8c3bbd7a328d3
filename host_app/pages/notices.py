"""The bell: what its reader was told, and how each kind of thing is to be told."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import notices
from gigacore.messages import Msg, msg
from gigacore.notices import Choice, Notice
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import record_url
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.routing import route, signed_in

PATH: Final = "/notifications"
MOST: Final = 30
WAYS: Final = (("never", msg("Never")), ("now", msg("At once")), ("digest", msg("Once a day")))


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, PATH, policy=signed_in)(show)
    route(app, f"{PATH}/count", policy=signed_in)(count)
    route(app, f"{PATH}/read", policy=signed_in, methods=["POST"])(read)
    route(app, f"{PATH}/choices", policy=signed_in)(choices)
    route(app, f"{PATH}/choices", policy=signed_in, methods=["POST"])(choose)


def show() -> ResponseReturnValue:
    """The notifications, newest first; `?before=` shows older ones."""
    who = reader()
    text = request.args.get("before", "")
    found = notices.listing(who.ctx, before=int(text) if text.isdecimal() else None, limit=MOST)
    icons = {kind.name: kind.icon for kind in who.crm.notification_kinds}
    return answer(
        "notifications.html",
        title=who.t(msg("Notifications")),
        items=[_item(one, icons, who) for one in found],
        unread=any(one.read_at is None for one in found),
        older=f"{PATH}?before={found[-1].id}" if len(found) == MOST else "",
    )


def _item(one: Notice, icons: dict[str, str], who: Reader) -> dict[str, Any]:
    spec = who.registry.entities.get(one.entity)
    url = record_url(spec, one.record_id) if spec is not None and one.record_id else one.url
    return {
        "text": who.t(one.message), "icon": icons.get(one.kind, "bell"), "url": url, "unread": one.read_at is None,
        "at": who.formats.relative(one.at, who.now), "exact": who.formats.datetime(one.at),
    }  # fmt: skip


def count() -> ResponseReturnValue:
    """How many are unread, as the bell shows it."""
    number = notices.unread(reader().ctx)
    return answer("parts/bell_count.html", number=number)


def read() -> ResponseReturnValue:
    """Mark all as read."""
    with current_crm().unit_of_work(current()) as ctx:
        notices.mark_read(ctx)
    return redirect(PATH, 303)


def choices() -> ResponseReturnValue:
    """How each kind is to be told."""
    who = reader()
    found = notices.choices(who.ctx, who.crm.notification_kinds)
    rows = [_row(one, who) for one in found]
    ways = [(key, who.t(label)) for key, label in WAYS]
    return answer("notification_choices.html", title=who.t(msg("What I am told")), rows=rows, ways=ways)


def _row(one: Choice, who: Reader) -> dict[str, Any]:
    return {"name": one.kind.name, "label": who.t(Msg(one.kind.label)), "bell": one.bell, "mail": one.mail}


def choose() -> ResponseReturnValue:
    """Keep the choices of the form."""
    who, kinds = reader(), current_crm().notification_kinds
    with current_crm().unit_of_work(current()) as ctx:
        for kind in kinds:
            way: Any = request.form.get(f"mail.{kind.name}", "never")
            notices.choose(ctx, kind.name, bell=f"bell.{kind.name}" in request.form, mail=way, kinds=kinds)
    note(who.t(msg("Saved.")))
    return redirect(f"{PATH}/choices", 303)
