"""The OpenAPI 3.1 document, made from the registry: every entity of every plugin, custom fields included."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

from apispec import APISpec

from gigacore.entity import EntitySpec, FieldSpec, Registry
from gigacore.ui import BulkAction, RecordAction
from host_app.api.hostpaths import add_host_paths
from host_app.api.operations import (
    BASE,
    ID,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    LIST_PARAMETERS,
    UID,
    add_common_problems,
    answered,
    body,
    problems,
    query,
)
from host_app.api.schemas import FILE, SHARED, Schema, entity_schema, link, object_schema
from host_app.api.surrounding_paths import CHANGE, LINK, remove_link, sums, surroundings, undo_change
from host_app.api.view_paths import VIEW, add_views
from host_app.exports import CSV, FORMATS


def build(registry: Registry, bulk: Iterable[BulkAction], *, server: str) -> Schema:
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
    spec.components.schema("View", VIEW)
    bulk = list(bulk)
    for entity in registry.entities.values():
        _add_entity(spec, entity)
        for action in registry.actions.get(entity.name, {}).values():
            _add_action(spec, entity, action)
        for many in (a for a in bulk if a.entity == entity.name):
            _add_bulk(spec, entity, many)
    add_host_paths(spec)
    document = spec.to_dict()
    add_common_problems(document["paths"])
    return document


def _add_entity(spec: APISpec, entity: EntitySpec) -> None:
    name, path = entity.name, f"{BASE}/{entity.api_path}"
    spec.tag({"name": name, "description": entity.label_plural})
    spec.components.schema(name, entity_schema(entity, output=True))
    spec.components.schema(f"{name}.create", entity_schema(entity, output=False))
    spec.components.schema(f"{name}.change", entity_schema(entity, output=False, partial=True))
    spec.components.schema(f"{name}.page", _page(name))
    spec.path(path, operations={"get": _list(entity), "post": _create(entity)})
    spec.path(f"{path}/{{id}}", parameters=[ID], operations=_record(entity))
    for verb, label in BULK_VERBS:
        spec.path(f"{path}/actions/{verb}", operations={"post": _bulk(entity, verb, label, {"type": "object"})})
    spec.path(f"{path}/imports", operations={"get": _imports(entity), "post": _import(entity)})
    add_views(spec, entity)
    spec.path(f"{path}/exports", operations={"post": _export(entity)})
    spec.path(f"{path}/imports/{{id}}", parameters=[ID], operations={"get": _import_state(entity)})
    spec.path(f"{path}/{{id}}/files", parameters=[ID], operations={"get": _files(entity), "post": _add_file(entity)})
    for field in (one for one in entity.fields.values() if one.kind == "file" and not one.readonly):
        spec.path(f"{path}/uploads/{field.name}", operations={"post": _upload(entity, field)})
    if any(field.kind == "money" for field in entity.fields.values()):
        spec.path(f"{path}/sums", operations={"get": sums(entity)})
    for name_, operations in surroundings(entity).items():
        spec.path(f"{path}/{{id}}/{name_}", parameters=[ID], operations=operations)
    undone = {"post": undo_change(entity)}
    spec.path(f"{path}/{{id}}/changes/{{change}}/undo", parameters=[ID, CHANGE], operations=undone)
    spec.path(f"{path}/{{id}}/links/{{link}}", parameters=[ID, LINK], operations={"delete": remove_link(entity)})
    spec.path(f"{path}/{{id}}/files/{{uid}}", parameters=[ID, UID], operations={"delete": _take_off_file(entity)})


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
    expand = query("expand", "References to answer as whole records.")
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


BULK_VERBS: Final = (("update", "Change many records"), ("delete", "Move many records to the trash"))
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
    operation = _bulk(entity, action.name, action.label, params)
    spec.path(f"{BASE}/{entity.api_path}/actions/{action.name}", operations={"post": operation})


def _bulk(entity: EntitySpec, name: str, label: str, params: Schema) -> Schema:
    return _operation(
        entity,
        f"bulk.{name}",
        label,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body(_selection(params)),
        responses=_bulk_answers(),
    )


def _import(entity: EntitySpec) -> Schema:
    settings = {"type": "string", "description": "JSON: mapping, options (key, duplicates ...), dialect, start."}
    form = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary", "description": "CSV"}, "settings": settings},
        "required": ["file"],
    }
    note = "A file that is imported twice adds nothing new."
    csv = {"schema": {"type": "string", "format": "binary"}}
    return _operation(
        entity,
        "import",
        f"Import {entity.label_plural}",
        description=note,
        requestBody={"required": True, "content": {"multipart/form-data": {"schema": form}, "text/csv": csv}},
        responses={"202": answered("Accepted as a job", {"type": "object"})} | problems(400, 413, 415),
    )


def _export(entity: EntitySpec) -> Schema:
    names = {"type": "array", "items": {"type": "string"}}
    wanted = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "format": {"type": "string", "enum": list(FORMATS), "default": CSV},
            "filter": {"type": ["object", "null"]},
            "search": {"type": "string"},
            "sort": names,
            "fields": names,
        },
    }
    binary = {"schema": {"type": "string", "format": "binary"}}
    files = {"description": "The file", "content": {kind.partition(";")[0]: binary for kind in FORMATS.values()}}
    job = answered("A job writes it; its result names the file", {"type": "object"})
    return _operation(
        entity,
        "export",
        "Export as CSV or Excel",
        requestBody=body(wanted, required=False),
        responses={"200": files, "202": job} | problems(415),
    )


def _imports(entity: EntitySpec) -> Schema:
    responses = {"200": answered("The caller's latest imports", {"type": "object"})} | problems()
    return _operation(entity, "imports", "One's own imports", responses=responses)


def _files(entity: EntitySpec) -> Schema:
    responses = {"200": answered("The files", {"type": "object"})} | problems(404)
    return _operation(entity, "files", "Files of a record", responses=responses)


def _file_part() -> Schema:
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}


def _add_file(entity: EntitySpec) -> Schema:
    responses = {"201": answered("Attached", {"type": "object"})} | problems(404, 413, 415)
    return _operation(entity, "add_file", "Attach a file", requestBody=_file_part(), responses=responses)


def _upload(entity: EntitySpec, field: FieldSpec) -> Schema:
    responses = {"201": answered("Stored for a day: send its uid as the value", link(FILE))} | problems(404, 413, 415)
    return _operation(
        entity, f"upload.{field.name}", f"Upload: {field.label}", requestBody=_file_part(), responses=responses
    )


def _take_off_file(entity: EntitySpec) -> Schema:
    responses = {"204": {"description": "Taken off"}} | problems(404)
    return _operation(entity, "take_off_file", "Take a file off", responses=responses)


def _import_state(entity: EntitySpec) -> Schema:
    responses = {"200": answered("How far it is, and the rows at fault", {"type": "object"})} | problems(404)
    return _operation(entity, "import_state", "State of an import", responses=responses)
