"""What surrounds a record: its timeline and changes, with whom it is shared, its links, and why one may see it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from flask import Flask, Response, g, request

from gigacore import access, mail, records
from gigacore.access import VERBS
from gigacore.context import Context
from gigacore.data import activities, audit, links
from gigacore.entity import Entity, EntitySpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.api.answers import answer, nothing, shown
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.policies import entity_at, on_entity
from host_app.api.query import MAX_LIMIT, names, number, only
from host_app.api.records import RECORD
from host_app.auth import current
from host_app.context import current_crm, say
from host_app.routing import route

DEFAULT: Final = 50


def register(app: Flask) -> None:
    """Declare the routes."""
    view, edit, share = on_entity("view"), on_entity("edit"), on_entity("share")
    route(app, f"{RECORD}/timeline", policy=view)(timeline)
    route(app, f"{RECORD}/changes", policy=view)(changes)
    route(app, f"{RECORD}/changes/<uuid:change>/undo", policy=edit, methods=["POST"])(undo_change)
    route(app, f"{RECORD}/access", policy=view)(explain)
    route(app, f"{RECORD}/shares", policy=view)(shares)
    route(app, f"{RECORD}/shares", policy=share, methods=["POST"])(add_share)
    route(app, f"{RECORD}/shares", policy=share, methods=["DELETE"], endpoint="remove_share")(remove_share)
    route(app, f"{RECORD}/consents", policy=view)(consents)
    route(app, f"{RECORD}/consents", policy=edit, methods=["POST"])(add_consent)
    route(app, f"{RECORD}/links", policy=view)(list_links)
    route(app, f"{RECORD}/links", policy=edit, methods=["POST"])(add_link)
    route(app, f"{RECORD}/links/<int:link>", policy=edit, methods=["DELETE"])(remove_link)


def timeline(plugin: str, plural: str, id: int) -> Response:
    """The newest activities of a record."""
    only("limit")
    found = activities.timeline(g.ctx, entity_at(plugin, plural).name, id, limit=_limit())
    return answer({"items": [_activity(one) for one in found]})


def _activity(one: activities.Activity) -> dict[str, Any]:
    shown = asdict(one)
    source = shown.pop("source_entity"), shown.pop("source_id")
    return {**shown, "source": {"entity": source[0], "id": source[1]} if source[0] else None}


def changes(plugin: str, plural: str, id: int) -> Response:
    """Who changed what, newest first; fields that the caller may not read are left out."""
    only("limit")
    entity = entity_at(plugin, plural)
    records.load(g.ctx, entity.name, id)
    readable = records.readable_fields(g.ctx.session, entity)
    rows = audit.history(g.ctx.session.connection(), entity.name, id, limit=_limit())
    return answer({"items": [_change(row, readable) for row in rows]})


def _change(row: audit.AuditRow, readable: frozenset[str]) -> dict[str, Any]:
    values = row.values if isinstance(row.values, dict) else {}
    return {
        "id": row.id,
        "at": row.at,
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "name": row.actor_name},
        "verb": row.verb,
        "fields": [name for name in row.fields if name in readable],
        "values": {name: pair for name, pair in values.items() if name in readable},
    }


def undo_change(plugin: str, plural: str, id: int, change: UUID) -> Response:
    """Take one change back; `left` names what was changed again since and stays as it is."""
    only()
    entity = entity_at(plugin, plural)

    def work(ctx: Context) -> Response:
        return answer({"left": [say(label) for label in records.undo(ctx, entity.name, id, change)]})

    return write(work)


def explain(plugin: str, plural: str, id: int) -> Response:
    """Whether the caller may do each verb with the record, and which grant, share or rule decides."""
    only("verbs")
    entity = entity_at(plugin, plural)
    record = records.load(g.ctx, entity.name, id)
    verdicts = (access.explain(g.ctx, current(), verb, record) for verb in _verbs(entity))
    return answer({one.verb: {"allowed": one.allowed, "because": say(one.decided_by.text)} for one in verdicts})


def _verbs(entity: EntitySpec) -> tuple[str, ...]:
    """The verbs asked about. Raises Invalid for one that the entity does not have."""
    wanted = names(request.args, "verbs")
    known = {*VERBS, *map(records.verb_of, current_crm().registry.actions.get(entity.name, {}).values())}
    for verb in wanted:
        if verb not in known:
            raise Invalid.of("verbs", msg("There is no verb {name}.", name=verb[:80]))
    return wanted or ("view", "edit", "delete", "assign", "share")


def consents(plugin: str, plural: str, id: int) -> Response:
    """What the person of a record said about being written to, newest first."""
    only()
    return answer({"items": [shown(one) for one in mail.words(g.ctx, entity_at(plugin, plural).name, id)]})


def add_consent(plugin: str, plural: str, id: int) -> Response:
    """Note consent, or that it was withdrawn: `{"address", "purpose", "allowed", "source"}`."""
    only()
    entity, data = entity_at(plugin, plural), read_object()
    texts = {name: str(data[name]) for name in ("address", "purpose", "source") if isinstance(data.get(name), str)}
    if len(texts) < 3 or not isinstance(data.get("allowed"), bool) or len(data) > 4:
        raise Invalid(msg("Give address, purpose, allowed and source."))

    def work(ctx: Context) -> Response:
        mail.note(ctx, entity.name, id, **texts, allowed=data["allowed"])
        return answer({"items": [shown(one) for one in mail.words(ctx, entity.name, id)]}, 201)

    return write(work)


def shares(plugin: str, plural: str, id: int) -> Response:
    """With whom the record is shared."""
    only()
    return answer({"items": _shares(g.ctx, entity_at(plugin, plural), id)})


def add_share(plugin: str, plural: str, id: int) -> Response:
    """Share the record with a person or a team: `{"user_id" | "team_id", "verb"}`."""
    only()
    entity, wanted = entity_at(plugin, plural), _party(read_object())

    def work(ctx: Context) -> Response:
        access.shares.add(ctx, records.load(ctx, entity.name, id), **{"verb": "view", **wanted})
        return answer({"items": _shares(ctx, entity, id)}, 201)

    return write(work)


def remove_share(plugin: str, plural: str, id: int) -> Response:
    """Take the shares of a person or a team back: `{"user_id" | "team_id", "verb"?}`."""
    only()
    entity, wanted = entity_at(plugin, plural), _party(read_object())

    def work(ctx: Context) -> Response:
        access.shares.remove(ctx, records.load(ctx, entity.name, id), **wanted)
        return nothing()

    return write(work)


def _shares(ctx: Context, entity: EntitySpec, id: int) -> list[dict[str, Any]]:
    found = access.shares.of(ctx, records.load(ctx, entity.name, id))
    users = records.labels_of(ctx.session, "core.user", (one.user_id for one in found if one.user_id))
    teams = records.labels_of(ctx.session, "core.team", (one.team_id for one in found if one.team_id))
    return [
        {
            "user": records.reference(one.user_id, users.get(one.user_id or 0)),
            "team": records.reference(one.team_id, teams.get(one.team_id or 0)),
            "verb": one.verb,
        }
        for one in found
    ]


def list_links(plugin: str, plural: str, id: int) -> Response:
    """The records that this one is linked to, as far as the caller sees them."""
    only()
    return answer({"items": _links(g.ctx, records.load(g.ctx, entity_at(plugin, plural).name, id))})


def add_link(plugin: str, plural: str, id: int) -> Response:
    """Link the record to another one: `{"entity", "id", "kind"?}`."""
    only()
    entity, body = entity_at(plugin, plural), read_object()
    _refuse_unknown(body, {"entity", "id", "kind"})
    kind = links.kinds_of(g.ctx.session.registry).get(str(body.get("kind", "related")))
    if kind is None:
        raise Invalid.of("kind", msg("There is no such kind of link."))

    def work(ctx: Context) -> Response:
        record = records.load(ctx, entity.name, id)
        links.link(ctx, record, _other(ctx, body), kind)
        return answer({"items": _links(ctx, record)}, 201)

    return write(work)


def remove_link(plugin: str, plural: str, id: int, link: int) -> Response:
    """Take a link away."""
    only()
    entity = entity_at(plugin, plural)

    def work(ctx: Context) -> Response:
        links.unlink(ctx, records.load(ctx, entity.name, id), link)
        return nothing()

    return write(work)


def _links(ctx: Context, record: Entity) -> list[dict[str, Any]]:
    return [
        {
            "id": one.link_id,
            "kind": one.kind,
            "label": say(one.label),
            "entity": one.entity,
            "record": records.reference(
                one.record_id, records.labels_of(ctx.session, one.entity, [one.record_id]).get(one.record_id)
            ),
        }
        for one in links.links_of(ctx, record)
    ]


def _other(ctx: Context, body: dict[str, Any]) -> Entity:
    entity, number_ = body.get("entity"), body.get("id")
    if not isinstance(entity, str) or entity not in ctx.session.registry.entities:
        raise Invalid.of("entity", msg("There is no entity {name}.", name=str(entity)[:80]))
    if isinstance(number_, bool) or not isinstance(number_, int):
        raise Invalid.of("id", msg("This must be the number of a record."))
    return records.load(ctx, entity, number_)


def _party(body: dict[str, Any]) -> dict[str, Any]:
    _refuse_unknown(body, {"user_id", "team_id", "verb"})
    for name in ("user_id", "team_id"):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise Invalid.of(name, msg("This must be the number of a record."))
    if not isinstance(body.get("verb", ""), str):
        raise Invalid.of("verb", msg("This must be a text."))
    return body


def _refuse_unknown(body: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")


def _limit() -> int:
    return number("limit", default=DEFAULT, most=MAX_LIMIT) or DEFAULT
