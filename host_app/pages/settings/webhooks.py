"""Web hooks out: subscriptions, each with its log, a sample of what it sends, and its secret shown once."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.entity import FieldSpec
from gigacore.entity.kinds import iso
from gigacore.errors import Conflict, Forbidden, GigaError, Invalid
from gigacore.messages import Msg, msg
from gigacore.records import dumps
from gigacore.webhooks import CALLED, Delivery, Hook
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.frame import page as answer
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.routing import route

LIST: Final = "/settings/webhooks"
ONE: Final = f"{LIST}/<int:hook_id>"
TOOL: Final = "core.hook"
PAGE: Final = 50
STATES: Final = {
    "waiting": (msg("waiting"), "blue"),
    "done": (msg("delivered"), "green"),
    "dead": (msg("given up"), "red"),
    "skipped": (msg("left out"), "grey"),
}
HAPPENED: Final = {
    "created": msg("created"),
    "updated": msg("changed"),
    "deleted": msg("deleted"),
    "restored": msg("brought back"),
}


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, made = on_tool(TOOL, "view"), on_tool(TOOL, "create")
    route(app, LIST, policy=seen)(show)
    route(app, f"{LIST}/new", policy=made)(new)
    route(app, f"{LIST}/new", policy=made, methods=["POST"])(create)
    route(app, f"{LIST}/sample", policy=seen)(sample)
    route(app, ONE, policy=seen)(one)
    for name, view in (("rotate", rotate), ("switch", switch), ("remove", remove), ("resend", resend)):
        route(app, f"{ONE}/{name}", policy=made, methods=["POST"])(view)


def show() -> ResponseReturnValue:
    """The subscriptions that the reader may see."""
    who = reader()
    rows = [_row(hook, who) for hook in who.crm.webhooks.hooks(who.ctx)]
    may_add = access.may(who.ctx, "create", TOOL)
    return settings_page("webhooks.html", who, title=who.t(msg("Web hooks")), rows=rows, may_add=may_add)


def _row(hook: Hook, who: Reader) -> dict[str, Any]:
    return {
        "id": hook.id, "event": event_label(hook.event, who), "name": hook.event, "url": hook.target_url,
        "active": hook.active, "why": who.t(hook.why_off) if hook.why_off else "",
        "succeeded": who.formats.relative(hook.succeeded_at, who.now),
        "exact": who.formats.datetime(hook.succeeded_at),
    }  # fmt: skip


def event_label(event: str, who: Reader) -> str:
    """`Lead: created` for `crm.lead.created`; the name itself where the entity is gone."""
    entity, _, verb = event.rpartition(".")
    spec = who.registry.entities.get(entity)
    if spec is None:
        return who.t(msg("An automation calls it")) if event == CALLED else event
    action = who.registry.actions.get(entity, {}).get(verb)
    happened = HAPPENED.get(verb) or (action.label if action and action.label else Msg(verb))
    return f"{who.t(spec.label)}{who.t(':')} {who.t(happened)}"


def _fields(who: Reader) -> list[FieldSpec]:
    events = sorted((event_label(name, who), name) for name in who.crm.webhooks.events(who.ctx))
    choices = tuple((name, label) for label, name in events)
    address = msg("Begins with https:// and answers within 20 seconds.")
    return [
        FieldSpec("event", "enum", label="Event", required=True, choices=choices),
        FieldSpec("target_url", "url", label="Address", required=True, max_length=2000, help=address.text),
    ]


def new() -> ResponseReturnValue:
    """The form of a new subscription."""
    return _form(reader(), Raw({"event": [request.args.get("event", "")]}))


def create() -> ResponseReturnValue:
    """Subscribe; the secret is shown on the page that answers, and nowhere else."""
    who, raw = reader(), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _form(who, raw)
    try:
        data = plain_form.typed(_fields(who), raw, who)
        with current_crm().unit_of_work(current(), source="page") as ctx:
            hook, secret = who.crm.webhooks.subscribe(ctx, data["event"], data["target_url"])
    except (Invalid, Conflict, Forbidden) as error:
        return _form(who, raw, error)
    return _page(who, hook, secret)


def _form(who: Reader, raw: Raw, error: GigaError | None = None) -> ResponseReturnValue:
    wrong = problems(error, who)
    told = msg("Another system is told as soon as something happens here, with your eyes: it gets what you see.")
    return settings_page(
        "webhook_new.html", who, error.status if error else 200, title=who.t(msg("New web hook")), home=LIST,
        inputs=plain_form.inputs(_fields(who), raw, who, wrong), crumb=who.t(msg("Web hooks")),
        trouble=[wrong[""]] if "" in wrong else [], button=who.t(msg("Create web hook")),
        payload=_payload(who, raw.text("event")), event=raw.text("event"),
        help=who.t(told),
    )  # fmt: skip


def sample() -> ResponseReturnValue:
    """A sample of what an event sends, for the form."""
    who, event = reader(), request.args.get("event", "")
    return answer("settings/webhook_sample.html", payload=_payload(who, event), event=event)


def _payload(who: Reader, event: str) -> str:
    """What an event would send for the newest record, as indented JSON; empty where there is none to show."""
    try:
        found = who.crm.webhooks.sample(who.ctx, event)
    except (Invalid, Forbidden):
        return ""
    if not found:
        return ""
    body = dumps({"type": event, "timestamp": iso(who.now), "data": found[0]})
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()


def one(hook_id: int) -> ResponseReturnValue:
    """One subscription and its log."""
    who = reader()
    return _page(who, who.crm.webhooks.hook(who.ctx, hook_id))


def _page(who: Reader, hook: Hook, secret: str = "") -> Response:
    before = request.args.get("before", type=int)
    with current_crm().read(current()) as ctx:
        found = who.crm.webhooks.deliveries(ctx, hook.id, before=before, limit=PAGE)
    return settings_page(
        "webhook.html", who, title=event_label(hook.event, who), hook=_row(hook, who), secret=secret,
        rows=[_delivery(each, who) for each in found], may_act=access.may(who.ctx, "create", TOOL),
        older=f"{LIST}/{hook.id}?before={found[-1].id}" if len(found) == PAGE else "",
        payload=_payload(who, hook.event),
    )  # fmt: skip


def _delivery(each: Delivery, who: Reader) -> dict[str, Any]:
    label, colour = STATES[each.state]
    formats = who.formats
    took = who.t(msg("{count} s", count=formats.number(each.seconds, 2))) if each.seconds is not None else ""
    return {
        "id": each.id, "state": who.t(label), "colour": colour, "status": each.status or "",
        "error": who.t(each.error) if each.error else "",
        "attempts": each.attempts, "at": formats.datetime(each.created_at), "took": took, "message": each.message_id,
        "next": formats.relative(each.next_at, who.now) if each.next_at else "", "may_resend": each.state != "waiting",
    }  # fmt: skip


def rotate(hook_id: int) -> ResponseReturnValue:
    """A new secret, shown this once; for a day messages are signed with both."""
    who = reader()
    with current_crm().unit_of_work(current(), source="page") as ctx:
        secret = who.crm.webhooks.rotate(ctx, hook_id)
    return _page(who, who.crm.webhooks.hook(who.ctx, hook_id), secret)


def switch(hook_id: int) -> ResponseReturnValue:
    """Switch a subscription on or off."""
    wish = request.form.get("active") == "1"
    return do(lambda ctx: current_crm().webhooks.switch(ctx, hook_id, active=wish), f"{LIST}/{hook_id}")


def remove(hook_id: int) -> ResponseReturnValue:
    """End a subscription with its log."""
    return do(lambda ctx: current_crm().webhooks.unsubscribe(ctx, hook_id), LIST, msg("The web hook is gone."))


def resend(hook_id: int) -> ResponseReturnValue:
    """Try a delivery anew, with its id and body."""
    number = request.form.get("delivery", default=0, type=int)
    done = msg("It is sent again, with the same id.")
    return do(lambda ctx: current_crm().webhooks.resend(ctx, number), f"{LIST}/{hook_id}", done)
