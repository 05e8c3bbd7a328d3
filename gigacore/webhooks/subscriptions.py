"""Subscriptions to events: whom a web hook tells, with which secret, and whether it is on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from gigacore import access, outbound, records
from gigacore.data import audit
from gigacore.data.generation import bump_generation
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from gigacore.webhooks import signing
from gigacore.webhooks.tables import core_hook

if TYPE_CHECKING:
    from gigacore.access.vault import Vault
    from gigacore.context import Context
    from gigacore.outbound import OutboundRule

TOOL: Final = "core.hook"
ROTATION: Final = timedelta(days=1)
MOST: Final = 200
PURPOSE: Final = "web hook"
CALLED: Final = "core.rule.called"
VERBS: Final = ("created", "updated", "deleted", "restored")
H: Final = core_hook.c


@dataclass(frozen=True, slots=True)
class Hook:
    """A subscription; its secret is shown only when it is made."""

    id: int
    user_id: int
    event: str
    target_url: str
    active: bool
    why_off: Msg | None
    succeeded_at: datetime | None
    created_at: datetime


HOOK: Final = tuple(H[name] for name in Hook.__slots__)


def events(ctx: Context) -> list[str]:
    """The events that the actor may subscribe to: of every entity that the actor may view."""
    found = []
    for name in sorted(ctx.session.registry.entities):
        if access.may(ctx, "view", name):
            actions = sorted(ctx.session.registry.actions.get(name, {}))
            found += [f"{name}.{verb}" for verb in (*VERBS, *actions)]
    return found


def subscribe(ctx: Context, event: str, target_url: str, rule: OutboundRule, vault: Vault) -> tuple[Hook, str]:
    """A new subscription and its secret, which is not shown again. Raises Invalid, Forbidden, Conflict."""
    access.require(ctx, "create", TOOL)
    if ctx.actor.user_id is None:
        raise Forbidden(msg("A web hook belongs to a person, with whose eyes it sees."))
    if event not in events(ctx):
        raise Invalid.of("event", msg("There is no event {name}, or you may not see its records.", name=event[:120]))
    check_url(target_url, rule)
    return new(ctx, event, target_url, vault)


def new(ctx: Context, event: str, target_url: str, vault: Vault) -> tuple[Hook, str]:
    """A subscription whose event and address were checked. Raises Conflict where a person has too many."""
    count = ctx.session.connection().scalar(sa.select(sa.func.count()).where(H.user_id == ctx.actor.user_id)) or 0
    if count >= MOST:
        raise Conflict(msg("At most {limit} web hooks per person.", limit=MOST))
    secret = signing.new_secret()
    values = {
        "uid": uuid7(), "org_id": ctx.actor.org_id, "user_id": ctx.actor.user_id, "event": event,
        "target_url": target_url, "secret": vault.seal(secret, PURPOSE), "active": True, "created_at": ctx.now,
    }  # fmt: skip
    number = ctx.session.connection().execute(sa.insert(core_hook).values(**values).returning(H.id)).scalar_one()
    record(ctx, number, "subscribed", {"event": event, "host": urlsplit(target_url).hostname})
    return load(ctx, number), secret


def check_url(url: str, rule: OutboundRule, *, names: bool = True, at: str = "target_url") -> None:
    """Refuse an address that could not be told anything: no https, or not public. Raises Invalid.

    Without `names` only addresses written in numbers are judged, and no name server is asked.
    """
    parts = urlsplit(url) if len(url) <= 2000 and url.isprintable() else urlsplit("")
    try:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = "", 0
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise Invalid.of(at, msg("This must be a web address such as https://example.com/hook."))
    if parts.scheme == "http" and not rule.allows(host, port):
        raise Invalid.of(at, msg("The address must begin with https://."))
    try:
        rule.resolve(host, port) if names else rule.judge_literal(host, port)
    except outbound.Refused as refused:
        raise Invalid.of(at, refused.message) from None


def listing(ctx: Context, target_url: str = "") -> list[Hook]:
    """One's own subscriptions, or everybody's with the right to edit them; newest first."""
    access.require(ctx, "view", TOOL)
    statement = _mine(ctx, sa.select(*HOOK)).order_by(H.id.desc())
    if target_url:
        statement = statement.where(H.target_url == target_url)
    return [Hook(*row) for row in ctx.session.connection().execute(statement)]


def load(ctx: Context, hook_id: int) -> Hook:
    """One subscription. Raises NotFound."""
    access.require(ctx, "view", TOOL)
    row = ctx.session.connection().execute(_mine(ctx, sa.select(*HOOK)).where(H.id == hook_id)).first()
    if row is None:
        raise NotFound
    return Hook(*row)


def unsubscribe(ctx: Context, hook_id: int) -> None:
    """End a subscription; what waits for it is dropped. Raises NotFound."""
    hook = load(ctx, hook_id)
    access.require(ctx, "create", TOOL)
    ctx.session.connection().execute(sa.delete(core_hook).where(H.id == hook_id))
    record(ctx, hook_id, "unsubscribed", {"event": hook.event})


def rotate(ctx: Context, hook_id: int, vault: Vault) -> str:
    """A new secret; for a day messages are signed with both. Raises NotFound."""
    load(ctx, hook_id)
    access.require(ctx, "create", TOOL)
    secret = signing.new_secret()
    values = {"secret": vault.seal(secret, PURPOSE), "old_secret": H.secret, "old_until": ctx.now + ROTATION}
    ctx.session.connection().execute(sa.update(core_hook).where(H.id == hook_id).values(**values))
    record(ctx, hook_id, "rotated", {})
    return secret


def switch(ctx: Context, hook_id: int, *, active: bool) -> Hook:
    """Switch a subscription on or off. Raises NotFound."""
    load(ctx, hook_id)
    access.require(ctx, "create", TOOL)
    put(ctx, hook_id, active=active, why_off=None)
    record(ctx, hook_id, "switched_on" if active else "switched_off", {})
    return load(ctx, hook_id)


def _mine(ctx: Context, statement: sa.Select[Any]) -> sa.Select[Any]:
    statement = statement.where(H.org_id == ctx.actor.org_id)
    everything = access.permits(ctx, f"{TOOL}.edit")
    return statement if everything else statement.where(H.user_id == ctx.actor.user_id)


def record(ctx: Context, hook_id: int, verb: str, values: Mapping[str, Any]) -> None:
    """Write into the audit what became of a subscription; running processes learn of it."""
    audit.record(ctx, TOOL, verb, record_id=hook_id, values=dict(values))
    bump_generation(ctx.session.connection())


def put(ctx: Context, hook_id: int, **values: Any) -> None:
    """Set columns of a subscription."""
    ctx.session.connection().execute(sa.update(core_hook).where(H.id == hook_id).values(**values))


def heard(connection: sa.Connection) -> frozenset[str]:
    """The events that somebody subscribed to."""
    return frozenset(connection.scalars(sa.select(H.event).where(H.active).distinct()))


def sample(ctx: Context, event: str) -> list[dict[str, Any]]:
    """Payload records for setting a receiver up: the three newest of the event's entity, newest first."""
    if event not in events(ctx):
        raise Invalid.of("event", msg("There is no event {name}, or you may not see its records.", name=event[:120]))
    entity = event.rpartition(".")[0]
    found = records.page(ctx, entity, records.ListRequest(sort=("-id",), fields=("id",), limit=3, count=False))
    return [records.get(ctx, entity, item["id"]) for item in found.items]
