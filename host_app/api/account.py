"""The caller: who one is, what one may do, and one's own API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Flask, Response, g

from gigacore import access
from gigacore.access import tokens, users
from gigacore.context import Actor, Context
from gigacore.entity.kinds import iso
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.query import only
from host_app.auth import current
from host_app.context import current_crm
from host_app.routing import route, signed_in

ME: Final = "/api/v1/me"
PREFERENCES: Final = ("name", "locale", "timezone", "theme")


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, ME, policy=signed_in)(me)
    route(app, ME, policy=signed_in, methods=["PATCH"])(change_me)
    route(app, f"{ME}/tokens", policy=signed_in)(list_tokens)
    route(app, f"{ME}/tokens", policy=signed_in, methods=["POST"])(create_token)
    route(app, f"{ME}/tokens/<int:id>", policy=signed_in, methods=["DELETE"])(revoke_token)


def me() -> Response:
    """Who calls, and the verbs that the caller's roles give on each entity."""
    only()
    actor = current()
    return answer(
        {
            "id": actor.user_id,
            "name": actor.name,
            "kind": actor.kind,
            "locale": actor.locale,
            "timezone": actor.timezone,
            "super_admin": actor.super_admin,
            "scopes": actor.scopes,
            "permissions": {name: _verbs(name) for name in current_crm().registry.entities},
        }
    )


def change_me() -> Response:
    """The caller's own name, language, time zone and theme; nothing else about the caller can be set here."""
    only()
    values = read_object()
    for name, value in values.items():
        if name not in PREFERENCES:
            raise Invalid.of(name, msg("There is no field {name}.", name=name), "unknown_field")
        if not isinstance(value, str):
            raise Invalid.of(name, msg("This must be a text."))

    def work(ctx: Context) -> Response:
        users.change(ctx, _user_id(ctx.actor), values)
        changed = users.get(ctx, _user_id(ctx.actor))
        return answer({name: getattr(changed, name) for name in ("id", "name", "email", "locale", "timezone", "theme")})

    return write(work)


def _verbs(entity: str) -> list[str]:
    return [verb for verb in access.VERBS if access.may(g.ctx, verb, entity)]


def list_tokens() -> Response:
    """The caller's tokens, without their values."""
    only()
    return answer({"items": [_shown(token) for token in tokens.tokens_of(g.ctx, _user_id(current()))]})


def create_token() -> Response:
    """A token for the caller; its value is answered this once."""
    only()
    name, scopes, expires_at = _wanted(read_object())

    def work(ctx: Context) -> Response:
        raw = tokens.create(ctx, _user_id(ctx.actor), name, scopes=scopes, expires_at=expires_at)
        return answer({"token": raw, "name": name}, 201)

    return write(work)


def revoke_token(id: int) -> Response:
    """End one of the caller's tokens."""
    only()

    def work(ctx: Context) -> Response:
        tokens.revoke(ctx, id)
        return nothing()

    return write(work)


def _user_id(actor: Actor) -> int:
    if actor.user_id is None:
        raise Invalid(msg("Only a person has tokens."))
    return actor.user_id


def _wanted(data: dict[str, Any]) -> tuple[str, list[str] | None, datetime | None]:
    for key in data:
        if key not in ("name", "scopes", "expires_at"):
            raise Invalid.of(key, msg("There is no field {name}.", name=key), "unknown_field")
    name, scopes = data.get("name"), data.get("scopes")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 200:
        raise Invalid.of("name", msg("Give the token a name of at most 200 characters."), "required")
    if scopes is not None and not (isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes)):
        raise Invalid.of("scopes", msg("This must be a list of texts."))
    return name.strip(), scopes, _moment(data.get("expires_at"))


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid.of("expires_at", msg("This must be a date and time with its zone, such as 2026-01-31T09:00:00Z."))
    return moment


def _shown(token: tokens.Token) -> dict[str, Any]:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    shown: dict[str, Any] = {name: getattr(token, name) for name in ("id", "name", "prefix", "scopes")}
    return shown | {name: iso(value) if (value := getattr(token, name)) else None for name in moments}
