"""Mails sent: what became of each, the records that it concerns, and a second try of what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.mail import oversight
from gigacore.mail.oversight import MailState
from gigacore.mail.tables import FAILED, QUEUED, SENDING, SENT, UNKNOWN
from gigacore.messages import msg
from gigacore.records import labels_of
from host_app.api.policies import on_tool
from host_app.pages.addresses import record_url, with_query
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import do
from host_app.routing import route

LIST: Final = "/settings/mails"
TOOL: Final = oversight.TOOL
PAGE: Final = 50
STATES: Final = {
    QUEUED: (msg("waiting"), "blue"),
    SENDING: (msg("being sent"), "indigo"),
    SENT: (msg("sent"), "green"),
    FAILED: (msg("failed"), "red"),
    UNKNOWN: (msg("unknown"), "orange"),
}
Titles = Mapping[str, Mapping[int, str]]


def register(app: Flask) -> None:
    """Declare the routes."""
    number = "<int:number>"
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{LIST}/{number}/again", policy=on_tool(TOOL, "edit"), methods=["POST"])(again)


def show() -> ResponseReturnValue:
    """The mails, newest first, of one state or to one address where that is asked for."""
    who, args = reader(), request.args
    state = args.get("state", "") if args.get("state") in STATES else ""
    recipient = args.get("to", "").strip()[:320]
    before = args.get("before", type=int)
    found = oversight.listing(who.ctx, state=state, recipient=recipient, before=before, limit=PAGE)
    titles = _titles(found, who)
    chosen: list[tuple[str, object]] = [(key, value) for key, value in (("state", state), ("to", recipient)) if value]
    return settings_page(
        "mails.html", who, title=who.t(msg("Mails sent")), rows=[_row(one, titles, who) for one in found],
        chips=_chips(who, state, recipient), state=state, recipient=recipient,
        may_act=access.may(who.ctx, "edit", TOOL),
        older=with_query(LIST, [*chosen, ("before", found[-1].id)]) if len(found) == PAGE else "",
    )  # fmt: skip


def _chips(who: Reader, chosen: str, recipient: str) -> list[dict[str, Any]]:
    counts, to = oversight.counts(who.ctx), [("to", recipient)] if recipient else []
    every = [("", msg("All"), "", sum(counts.values()))]
    every += [(state, label, colour, counts.get(state, 0)) for state, (label, colour) in STATES.items()]
    return [
        {
            "label": who.t(label), "colour": colour, "count": who.formats.number(count, 0), "current": state == chosen,
            "url": with_query(LIST, [*([("state", state)] if state else []), *to]),
        }
        for state, label, colour, count in every
    ]  # fmt: skip


def _titles(found: Iterable[MailState], who: Reader) -> Titles:
    """The titles of the records that the reader may see."""
    wanted: dict[str, set[int]] = {}
    for one in found:
        for entity, number in one.ends:
            if entity in who.registry.entities and who.may("view", entity):
                wanted.setdefault(entity, set()).add(number)
    return {entity: labels_of(who.ctx.session, entity, numbers) for entity, numbers in wanted.items()}


def _row(one: MailState, titles: Titles, who: Reader) -> dict[str, Any]:
    label, colour = STATES[one.state]
    links = [
        (titles[entity][number], record_url(who.registry.entity(entity), number))
        for entity, number in one.ends
        if number in titles.get(entity, {})
    ]
    return {
        "id": one.id, "to": one.recipient, "name": one.recipient_name, "subject": one.subject, "state": who.t(label),
        "colour": colour, "error": who.t(one.error) if one.error else "",
        "links": links, "hidden": len(one.ends) - len(links),
        "at": who.formats.datetime(one.sent_at or one.created_at), "may_send": one.state in (FAILED, UNKNOWN),
        "unknown": one.state == UNKNOWN,
    }  # fmt: skip


def again(number: int) -> ResponseReturnValue:
    """Send a mail once more that failed, or of which nobody knows."""
    return do(lambda ctx: oversight.send_again(ctx, number), LIST, msg("The mail is sent again."))
