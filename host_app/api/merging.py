"""Two records made one over the API, that taken back, and records erased for good."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Flask, Response, g

from gigacore import records
from gigacore.context import Context
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.policies import entity_at, on_entity
from host_app.api.query import only
from host_app.api.records import RECORD
from host_app.api.versions import required_version
from host_app.context import say
from host_app.routing import route

KNOWN: Final = frozenset({"other", "take"})


def register(app: Flask) -> None:
    """Declare the routes."""
    edit, gone = on_entity("edit"), on_entity("delete")
    route(app, f"{RECORD}/merge/<int:other>", policy=on_entity("view"))(show_merge)
    route(app, f"{RECORD}/actions/merge", policy=edit, methods=["POST"], endpoint="api_merge")(merge)
    route(app, f"{RECORD}/actions/unmerge", policy=edit, methods=["POST"], endpoint="api_unmerge")(unmerge)
    route(app, f"{RECORD}/actions/erase", policy=gone, methods=["POST"], endpoint="api_erase")(erase)


def show_merge(plugin: str, plural: str, id: int, other: int) -> Response:
    """What merging `other` into the record would do, and why it would be refused."""
    only()
    found = records.merge_plan(g.ctx, entity_at(plugin, plural).name, id, other)
    refusal = found.refusal
    return answer(
        {
            "fields": [one.field.name for one in found.fields],
            "moves": [{"what": say(what), "count": count} for what, count in found.moves],
            "refused": None if refusal is None else {"code": refusal.code, "detail": say(refusal.message)},
        }
    )


def merge(plugin: str, plural: str, id: int) -> Response:
    """Merge the record `other` into this one: `{"other", "take"?: [fields whose values the other one gives]}`."""
    only()
    entity, body = entity_at(plugin, plural), read_object()
    other, take = _other(body), _take(body)

    def work(ctx: Context) -> Response:
        records.merge(ctx, entity.name, id, other, take=take)
        return answer({"record": records.get(ctx, entity.name, id)})

    return write(work)


def _other(body: dict[str, Any]) -> int:
    if unknown := sorted(set(body) - KNOWN):
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    number = body.get("other")
    if type(number) is not int or not 0 < number < 2**31:
        raise Invalid.of("other", msg("This must be the number of a record."))
    return number


def _take(body: dict[str, Any]) -> list[str]:
    names = body.get("take", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid.of("take", msg("This must be a list of names of fields."))
    return names


def unmerge(plugin: str, plural: str, id: int) -> Response:
    """Take a merge back: `{"change": id of the change}`; `left` says what stays because it was changed since."""
    only()
    entity, body = entity_at(plugin, plural), read_object()
    try:
        change = UUID(str(body.get("change")))
    except ValueError:
        raise Invalid.of("change", msg("This must be the id of a change.")) from None

    def work(ctx: Context) -> Response:
        done = records.unmerge(ctx, entity.name, id, change)
        return answer({"id": done.record.id, "left": [say(text) for text in done.left]})

    return write(work)


def erase(plugin: str, plural: str, id: int) -> Response:
    """Delete the record for good, past the trash."""
    only()
    entity, version = entity_at(plugin, plural), required_version()

    def work(ctx: Context) -> Response:
        records.erase(ctx, entity.name, id, version=version)
        return nothing()

    return write(work)
