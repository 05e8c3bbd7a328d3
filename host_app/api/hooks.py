"""Web hooks over the API: subscriptions as Zapier, Make and n8n need them, their log, and inbound messages."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, g, request

from gigacore.context import Context
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.webhooks import BadSignature, Hook, NoSecret
from gigacore.webhooks.tables import INBOX_STATES
from host_app.api.answers import answer, nothing, shown
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.policies import on_tool
from host_app.api.query import number, only, text, word
from host_app.context import current_crm
from host_app.problems import Problem
from host_app.routing import public_route, route

BASE: Final = "/api/v1/hooks"
TOOL: Final = "core.hook"
SOURCE: Final = frozenset({"key", "name", "scheme", "header", "secret"})


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, made = on_tool(TOOL, "view"), on_tool(TOOL, "create")
    route(app, BASE, policy=seen)(listing)
    route(app, BASE, policy=made, methods=["POST"])(subscribe)
    route(app, f"{BASE}/events", policy=seen)(events)
    route(app, f"{BASE}/sample", policy=seen)(sample)
    route(app, f"{BASE}/<int:id>", policy=seen)(show)
    route(app, f"{BASE}/<int:id>", policy=made, methods=["DELETE"])(unsubscribe)
    route(app, f"{BASE}/<int:id>/actions/<name>", policy=made, methods=["POST"])(act)
    route(app, f"{BASE}/<int:id>/deliveries", policy=seen)(deliveries)
    route(app, f"{BASE}/deliveries/<int:id>/actions/resend", policy=made, methods=["POST"])(resend)
    edit = on_tool(TOOL, "edit")
    route(app, f"{BASE}/sources", policy=edit)(sources)
    route(app, f"{BASE}/sources", policy=edit, methods=["POST"])(add_source)
    route(app, f"{BASE}/sources/<int:id>", policy=edit, methods=["DELETE"])(remove_source)
    route(app, f"{BASE}/inbox", policy=edit)(inbox)
    route(app, f"{BASE}/inbox/<int:id>/actions/again", policy=edit, methods=["POST"])(work_again)
    public_route(
        app, "/hooks/<source>/<key>", reason="the signature is the proof", methods=["POST"], csrf=False
    )(receive)  # fmt: skip


def listing() -> Response:
    """The caller's subscriptions; `?target_url=` finds one that is there already."""
    only("target_url")
    found = current_crm().webhooks.hooks(g.ctx, text("target_url"))
    return answer({"items": [_hook(hook) for hook in found]})


def show(id: int) -> Response:
    """One subscription."""
    only()
    return answer(_hook(current_crm().webhooks.hook(g.ctx, id)))


def subscribe() -> Response:
    """Subscribe: `{"event": "crm.lead.created", "target_url": "https://..."}`; the secret is shown only here."""
    only()
    data = read_object()
    if not isinstance(data.get("event"), str) or not isinstance(data.get("target_url"), str):
        raise Invalid.of("event", msg("Name an event and a target_url."))

    def work(ctx: Context) -> Response:
        hook, secret = current_crm().webhooks.subscribe(ctx, data["event"], data["target_url"])
        return answer(_hook(hook) | {"secret": secret}, 201)

    return write(work)


def unsubscribe(id: int) -> Response:
    """End a subscription."""
    only()

    def work(ctx: Context) -> Response:
        current_crm().webhooks.unsubscribe(ctx, id)
        return nothing()

    return write(work)


def act(id: int, name: str) -> Response:
    """`rotate` (gives a new secret), `switch_on` or `switch_off`."""
    only()

    def work(ctx: Context) -> Response:
        service = current_crm().webhooks
        if name == "rotate":
            return answer({"secret": service.rotate(ctx, id)})
        if name in ("switch_on", "switch_off"):
            return answer(_hook(service.switch(ctx, id, active=name == "switch_on")))
        raise Invalid.of("name", msg("There is no action {name}.", name=name))

    return write(work)


def events() -> Response:
    """The events that the caller may subscribe to."""
    only()
    return answer({"items": current_crm().webhooks.events(g.ctx)})


def sample() -> Response:
    """The newest records of an event as its payload holds them: a plain array, as Zapier's performList needs it."""
    only("event")
    return answer(current_crm().webhooks.sample(g.ctx, text("event")))


def deliveries(id: int) -> Response:
    """The log of a subscription, newest first."""
    only("before", "limit")
    found = current_crm().webhooks.deliveries(
        g.ctx,
        id,
        before=number("before", default=0, most=2**63 - 1) or None,
        limit=number("limit", default=50, most=200) or 50,
    )
    return answer({"items": [shown(one) for one in found]})


def resend(id: int) -> Response:
    """Try a delivery anew, with its id and body."""
    only()

    def work(ctx: Context) -> Response:
        current_crm().webhooks.resend(ctx, id)
        return nothing()

    return write(work)


def sources() -> Response:
    """The inbound sources that are set up."""
    only()
    return answer({"items": [shown(one) for one in current_crm().webhooks.sources(g.ctx)]})


def add_source() -> Response:
    """Set a source up: `{"key", "name", "mapping", "scheme"?, "header"?, "secret"?}`; the secret is shown only here."""
    only()
    data = {"mapping": {}} | read_object()
    texts = {name: value for name, value in data.items() if name in SOURCE and isinstance(value, str)}
    if data.keys() - texts.keys() != {"mapping"} or not {"key", "name"} <= texts.keys():
        raise Invalid(msg("Give key, name and mapping; perhaps scheme, header and secret."))
    if not isinstance(data["mapping"], dict):
        raise Invalid.of("mapping", msg("This must be an object."))

    def work(ctx: Context) -> Response:
        source, secret = current_crm().webhooks.add_source(ctx, mapping=data["mapping"], **texts)
        return answer(shown(source) | {"secret": secret, "path": f"/hooks/in/{source.key}"}, 201)

    return write(work)


def remove_source(id: int) -> Response:
    """Remove a source; what arrived stays."""
    only()

    def work(ctx: Context) -> Response:
        current_crm().webhooks.remove_source(ctx, id)
        return nothing()

    return write(work)


def inbox() -> Response:
    """What arrived, newest first; `?state=` narrows it."""
    only("state", "before", "limit")
    before, limit = number("before", default=0, most=2**63 - 1), number("limit", default=50, most=200)
    state = word("state", INBOX_STATES)
    found = current_crm().webhooks.inbox(g.ctx, state=state, before=before or None, limit=limit or 50)
    return answer({"items": [shown(one) for one in found]})


def work_again(id: int) -> Response:
    """Work on a message that failed once more."""
    only()

    def work(ctx: Context) -> Response:
        current_crm().webhooks.try_again(ctx, id)
        return nothing()

    return write(work)


def receive(source: str, key: str) -> Response:
    """A message from another system: verified on its raw body, kept once, answered at once."""
    crm = current_crm()
    body = request.get_data(cache=False)
    try:
        with crm.system(f"web hook of {source}"[:200]) as ctx:
            new = crm.webhooks.receive(ctx, source, key, dict(request.headers.items()), body)
    except BadSignature:
        raise Problem(401, msg("The signature is not valid."), code="bad_signature") from None
    except NoSecret:
        raise Problem(503, msg("This source has no secret yet."), code="no_secret") from None
    return answer({"accepted": True, "new": new}, 202)


def _hook(hook: Hook) -> dict[str, Any]:
    return shown(hook)
