"""The generic routes of every entity: list, read, create, change, delete, actions, bulk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Response, g, request

from gigacore import jobs, records
from gigacore.context import Context
from gigacore.entity import Entity
from gigacore.errors import Invalid, NotFound, TooLarge
from gigacore.messages import msg
from gigacore.records.actions import DIRECT_BULK
from gigacore.upkeep import BULK
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object, read_optional_object
from host_app.api.once import write
from host_app.api.policies import entity_at, on_action, on_entity
from host_app.api.query import list_request, names, only
from host_app.api.versions import etag, required_version
from host_app.context import say
from host_app.routing import route

COLLECTION: Final = "/api/v1/<plugin>/<plural>"
MOST: Final = 10_000
RECORD: Final = f"{COLLECTION}/<int:id>"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, COLLECTION, policy=on_entity("view"))(list_records)
    route(app, COLLECTION, policy=on_entity("create"), methods=["POST"])(create_record)
    route(app, RECORD, policy=on_entity("view"))(get_record)
    route(app, RECORD, policy=on_entity("edit"), methods=["PATCH"])(change_record)
    route(app, RECORD, policy=on_entity("delete"), methods=["DELETE"])(delete_record)
    route(app, f"{RECORD}/actions/<action>", policy=on_action(), methods=["POST"])(run_action)
    route(app, f"{COLLECTION}/actions/<action>", policy=on_entity("bulk"), methods=["POST"])(run_bulk)


def list_records(plugin: str, plural: str) -> Response:
    """A page of records."""
    entity = entity_at(plugin, plural)
    page = records.page(g.ctx, entity.name, list_request(entity))
    count = page.count and {"value": page.count.value, "exact": page.count.exact}
    return answer({"items": page.items, "next": page.next, "count": count})


def get_record(plugin: str, plural: str, id: int) -> Response:
    """One record with its child rows."""
    only("expand")
    return _shown(g.ctx, entity_at(plugin, plural).name, id, names(request.args, "expand"))


def create_record(plugin: str, plural: str) -> Response:
    """A new record."""
    entity, data = entity_at(plugin, plural), read_object()
    only()

    def work(ctx: Context) -> Response:
        record = records.create(ctx, entity.name, data)
        response = _written(ctx, entity.name, record, status=201)
        response.headers["Location"] = f"/api/v1/{entity.api_path}/{record.id}"
        return response

    return write(work)


def change_record(plugin: str, plural: str, id: int) -> Response:
    """Some fields of one record, at the version that the caller has seen."""
    entity, version = entity_at(plugin, plural), required_version()
    data = read_object()
    only()

    def work(ctx: Context) -> Response:
        return _written(ctx, entity.name, records.update(ctx, entity.name, id, data, version=version))

    return write(work)


def delete_record(plugin: str, plural: str, id: int) -> Response:
    """One record into the trash."""
    entity, version = entity_at(plugin, plural), required_version()
    only()

    def work(ctx: Context) -> Response:
        records.delete(ctx, entity.name, id, version=version)
        return nothing()

    return write(work)


def run_action(plugin: str, plural: str, id: int, action: str) -> Response:
    """One of the entity's own actions on one record."""
    entity, params = entity_at(plugin, plural), read_optional_object()
    only()

    def work(ctx: Context) -> Response:
        result = records.run_action(ctx, entity.name, id, action, params)
        return answer({"result": _plain(result), "record": _seen(ctx, entity.name, id)})

    return write(work)


def run_bulk(plugin: str, plural: str, action: str) -> Response:
    """One action on many records; above 100 of them a job does it."""
    entity, body = entity_at(plugin, plural), read_object()
    only()
    ids, tree, params = _selection(body)

    def work(ctx: Context) -> Response:
        records.check_bulk(ctx, entity.name, action, params)
        chosen = records.bulk_ids(ctx, entity.name, ids=ids, filter=tree, most=MOST + 1)
        if len(chosen) > MOST:
            raise TooLarge(msg("At most {count} records at a time.", count=MOST))
        if len(chosen) > DIRECT_BULK:
            payload = {"entity": entity.name, "action": action, "ids": chosen, "params": params}
            return answer({"job": jobs.enqueue(ctx, BULK, payload), "count": len(chosen)}, 202)
        return _outcome(records.bulk(ctx, entity.name, action, chosen, params))

    return write(work)


def _outcome(result: records.BulkResult) -> Response:
    failed = [{"id": number, "code": error.code, "detail": say(error.message)} for number, error in result.failed]
    return answer({"done": list(result.done), "failed": failed})


def _selection(body: dict[str, Any]) -> tuple[list[int] | None, Any, dict[str, Any]]:
    unknown = sorted(set(body) - {"ids", "filter", "params"})
    if unknown:
        raise Invalid.of(unknown[0], msg("There is no field {name}.", name=unknown[0]), "unknown_field")
    ids, tree, params = body.get("ids"), body.get("filter"), body.get("params", {})
    if (ids is None) == (tree is None):
        raise Invalid.of("ids", msg("Give either ids or a filter."))
    if not isinstance(params, dict):
        raise Invalid.of("params", msg("This must be an object."))
    if ids is not None and not _are_ids(ids):
        raise Invalid.of("ids", msg("This must be a list of record numbers."))
    return ids, tree, params


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 < item < 2**31 for item in value)


def _written(ctx: Context, entity: str, record: Entity, *, status: int = 200) -> Response:
    """What was written, as far as the caller still sees it."""
    shown = _seen(ctx, entity, record)
    return answer(shown, status, **({"ETag": etag(shown["version"])} if "version" in shown else {}))


def _seen(ctx: Context, entity: str, record: Entity | int) -> dict[str, Any]:
    """The record; only its number if the caller has just given it out of sight."""
    try:
        return records.get(ctx, entity, record) if isinstance(record, int) else records.shown(ctx, entity, record)
    except NotFound:
        return {"id": record if isinstance(record, int) else record.id, "label": None, "hidden": True}


def _plain(result: object) -> object:
    """What an action gave, if it is a plain value."""
    return result if isinstance(result, Mapping | list | str | int | float) else None


def _shown(ctx: Context, entity: str, record_id: int, expand: tuple[str, ...]) -> Response:
    shown = records.get(ctx, entity, record_id, expand=expand)
    return answer(shown, ETag=etag(shown["version"]))
