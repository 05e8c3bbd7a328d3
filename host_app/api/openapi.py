"""The OpenAPI 3.1 document, made from the registry: every entity of every plugin, custom fields included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final

from apispec import APISpec

from gigacore.entity import EntitySpec, Registry
from gigacore.ui import BulkAction, RecordAction
from host_app.api.schemas import PROBLEM, SHARED, Schema, entity_schema, link, object_schema

BASE: Final = "/api/v1"
PROBLEM_TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "The body is not JSON",
        401: "Not signed in",
        403: "The caller's roles do not allow this",
        404: "Unknown, deleted or hidden",
        409: "Contradicts the present state (locked, in the way, same key in use)",
        412: "Changed in the meantime",
        413: "Too large",
        415: "Not application/json",
        422: "Not valid; `errors` names the fields",
        428: "If-Match is missing",
        429: "Too many requests",
        503: "Not now; see Retry-After",
    }
)
ID: Final[Schema] = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
IF_MATCH: Final[Schema] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the last read.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the caller; the same key and body have one effect, and the same answer.",
    "schema": {"type": "string", "maxLength": 200},
}


def _query(name: str, description: str, schema: Schema | None = None) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema or {"type": "string"}}


LIST_PARAMETERS: Final[tuple[Schema, ...]] = (
    _query("filter", "A filter tree as JSON, e.g. {\"field\": \"city\", \"op\": \"eq\", \"value\": \"Lyon\"}."),
    _query("sort", "Field names separated by commas; a minus turns the order round."),
    _query("fields", "The fields to answer, separated by commas."),
    _query("limit", "How many records at most.", {"type": "integer", "minimum": 1, "maximum": 200}),
    _query("cursor", "`next` of the page before."),
    _query("expand", "References to answer as whole records, to depth 2, separated by commas."),
    _query("updated_since", "Only records changed since.", {"type": "string", "format": "date-time"}),
)  # fmt: skip


def problems(*statuses: int) -> Schema:
    """The error answers of an operation; 401, 422 and 503 may always come."""
    content = {"application/problem+json": {"schema": link(PROBLEM)}}
    wanted = sorted({401, 403, 422, 429, 503, *statuses})
    return {str(s): {"description": PROBLEM_TEXTS[s], "content": content} for s in wanted}


def body(schema: Schema, *, required: bool = True) -> Schema:
    """A JSON request body."""
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def answered(description: str, schema: Schema, *, etag: bool = False) -> Schema:
    """A JSON answer."""
    made: Schema = {"description": description, "content": {"application/json": {"schema": schema}}}
    if etag:
        made["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return made


def build(registry: Registry, actions: Iterable[RecordAction], bulk: Iterable[BulkAction], *, server: str) -> Schema:
    """The whole document. `server` is the installation's address, or empty for the one that the page came from."""
    spec = APISpec(
        title="CRM API",
        version=version("gigacore"),
        openapi_version="3.1.0",
        servers=[{"url": server or "/"}],
        security=[{"token": []}, {"session": []}],
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "giga"})
    for name, schema in SHARED.items():
        spec.components.schema(name, schema)
    actions, bulk = list(actions), list(bulk)
    for entity in registry.entities.values():
        _add_entity(spec, entity)
        for action in (a for a in actions if a.entity == entity.name):
            _add_action(spec, entity, action)
        for action_ in (a for a in bulk if a.entity == entity.name):
            _add_bulk(spec, entity, action_)
    from_host(spec)
    return spec.to_dict()


def _add_entity(spec: APISpec, entity: EntitySpec) -> None:
    name, path = entity.name, f"{BASE}/{entity.api_path}"
    spec.tag({"name": name, "description": entity.label_plural})
    spec.components.schema(name, entity_schema(entity, output=True))
    spec.components.schema(f"{name}.create", entity_schema(entity, output=False))
    spec.components.schema(f"{name}.change", entity_schema(entity, output=False, partial=True))
    spec.components.schema(f"{name}.page", _page(name))
    spec.path(path, operations={"get": _list(entity), "post": _create(entity)})
    spec.path(f"{path}/{{id}}", parameters=[ID], operations=_record(entity))
    spec.path(f"{path}/bulk", operations={"post": _bulk_edit(entity)})
    spec.path(f"{path}/imports", operations={"post": _import(entity)})
    spec.path(f"{path}/imports/{{id}}", parameters=[ID], operations={"get": _import_state(entity)})


def _page(name: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": link(name)},
            "next": {"type": ["string", "null"], "description": "The cursor of the next page."},
            "count": link("Count"),
        },
        "required": ["items", "next"],
    }


def _operation(entity: EntitySpec, verb: str, summary: str, **rest: Any) -> Schema:
    return {"operationId": f"{entity.name}.{verb}", "summary": summary, "tags": [entity.name], **rest}


def _list(entity: EntitySpec) -> Schema:
    note = "Every other parameter means equality on the field of that name."
    responses = {"200": answered("A page of records", link(f"{entity.name}.page"))} | problems()
    parameters = list(LIST_PARAMETERS)
    return _operation(
        entity, "list", f"List {entity.label_plural}", description=note, parameters=parameters, responses=responses
    )


def _create(entity: EntitySpec) -> Schema:
    responses = {"201": answered("Created", link(entity.name), etag=True)} | problems(400, 409, 413, 415)
    return _operation(
        entity,
        "create",
        f"Create: {entity.label}",
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body(link(f"{entity.name}.create")),
        responses=responses,
    )


def _record(entity: EntitySpec) -> Schema:
    found = answered("The record", link(entity.name), etag=True)
    expand = _query("expand", "References to answer as whole records.")
    changes = problems(400, 404, 409, 412, 413, 415, 428)
    return {
        "get": _operation(
            entity, "get", f"Read: {entity.label}", parameters=[expand], responses={"200": found} | problems(404)
        ),
        "patch": _operation(
            entity,
            "change",
            f"Change: {entity.label}",
            parameters=[IF_MATCH],
            requestBody=body(link(f"{entity.name}.change")),
            responses={"200": found} | changes,
        ),
        "delete": _operation(
            entity,
            "delete",
            f"Move to the trash: {entity.label}",
            parameters=[IF_MATCH],
            responses={"204": {"description": "Moved to the trash"}} | problems(404, 409, 412, 428),
        ),
    }


def _add_action(spec: APISpec, entity: EntitySpec, action: RecordAction) -> None:
    schema = object_schema(action.params, output=False, partial=False)
    operation = _operation(
        entity,
        action.name,
        action.label,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body(schema, required=bool(schema.get("required"))),
        responses={"200": answered("Done", {"type": "object"})} | problems(400, 404, 409, 412, 415),
    )
    spec.path(f"{BASE}/{entity.api_path}/{{id}}/actions/{action.name}", parameters=[ID], operations={"post": operation})


SELECTION: Final[Schema] = {
    "ids": {"type": "array", "items": {"type": "integer"}, "maxItems": 10_000},
    "filter": {"type": "object"},
}


def _selection(params: Schema) -> Schema:
    """Either ids or a filter chooses the records; above 100 the work is done by a job."""
    return {
        "type": "object",
        "properties": {**SELECTION, "params": params},
        "oneOf": [{"required": ["ids"]}, {"required": ["filter"]}],
        "additionalProperties": False,
    }


def _bulk_answers() -> Schema:
    return {
        "200": answered("Done; each record's outcome", {"type": "object"}),
        "202": answered("Accepted as a job", {"type": "object"}),
    } | problems(400, 404, 409, 415)


def _add_bulk(spec: APISpec, entity: EntitySpec, action: BulkAction) -> None:
    params = object_schema(action.params, output=False, partial=False)
    operation = _operation(
        entity,
        f"bulk.{action.name}",
        action.label,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body(_selection(params)),
        responses=_bulk_answers(),
    )
    spec.path(f"{BASE}/{entity.api_path}/actions/{action.name}", operations={"post": operation})
