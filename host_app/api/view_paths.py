"""OpenAPI of saved views."""

from __future__ import annotations

from typing import Any, Final

from apispec import APISpec

from gigacore.entity import EntitySpec
from gigacore.views import KINDS, SHARED
from host_app.api.operations import BASE, ID, answered, body, problems
from host_app.api.schemas import REFERENCE, Schema, link, or_null
from host_app.api.views import BUILT_IN

TEXT: Final[Schema] = {"type": "string"}
NAMES: Final[Schema] = {"type": "array", "items": TEXT}
PARTS: Final[Schema] = {
    "name": {"type": "string", "maxLength": 100},
    "kind": {"type": "string", "enum": list(KINDS)},
    "filter": {"type": ["object", "null"], "description": "A filter tree."},
    "search": {"type": "string", "maxLength": 200},
    "sort": {"type": "string", "description": "A field; a minus turns the order round."},
    "fields": NAMES,
    "shared": {"type": "string", "enum": list(SHARED)},
}
SENT: Final[Schema] = {
    "type": "object",
    "properties": {**PARTS, "team": {"type": ["integer", "null"], "description": "Shared with this team."}},
    "additionalProperties": False,
}
VIEW: Final[Schema] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "uid": TEXT,
        **PARTS,
        "owner": link(REFERENCE),
        "team": or_null(link(REFERENCE)),
        "may_change": {"type": "boolean"},
    },
}
DEFAULT: Final[Schema] = {
    "oneOf": [{"type": "integer"}, {"type": "string", "enum": list(BUILT_IN)}],
    "description": "A saved view's number or a built-in view's name.",
}
LISTED: Final[Schema] = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": link("View")}, "default": DEFAULT},
}
CHOICE: Final[Schema] = {"type": "object", "properties": {"view": DEFAULT}, "required": ["view"]}


def add_views(spec: APISpec, entity: EntitySpec) -> None:
    """Add the operations on the views of one entity's list."""
    path = f"{BASE}/{entity.api_path}/views"
    shown = {"200": answered("The view", link("View"))}
    listed = _operation(entity, "views", "Saved views", {"200": answered("The views", LISTED)})
    made = {"201": answered("The view", link("View"))} | problems(409, 415)
    create = _operation(entity, "create_view", "Save a view", made, requestBody=body(SENT | {"required": ["name"]}))
    spec.path(path, operations={"get": listed, "post": create})
    change = _operation(entity, "change_view", "Change or share a view", shown | problems(404), requestBody=body(SENT))
    gone = {"204": {"description": "Removed"}}
    one = {
        "get": _operation(entity, "view_of", "One saved view", shown | problems(404)),
        "patch": change,
        "delete": _operation(entity, "remove_view", "Remove a view", gone | problems(404)),
    }
    spec.path(f"{path}/{{id}}", parameters=[ID], operations=one)
    chosen = {"200": answered("The choice", {"type": "object"})} | problems(404)
    default = _operation(entity, "default_view", "Let the list open with a view", chosen, requestBody=body(CHOICE))
    spec.path(f"{path}/actions/default", operations={"post": default})


def _operation(entity: EntitySpec, name: str, summary: str, responses: Schema, **rest: Any) -> Schema:
    whole = problems() | responses
    return {
        "operationId": f"{entity.name}.{name}",
        "tags": [entity.name],
        "summary": summary,
        "responses": whole,
        **rest,
    }
