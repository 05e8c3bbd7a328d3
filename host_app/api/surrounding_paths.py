"""The OpenAPI paths of what surrounds records: timeline, changes, access, shares, links, sums."""

from __future__ import annotations

from typing import Final

from gigacore.entity import EntitySpec
from host_app.api.operations import IF_MATCH, NUMBER, answered, body, problems, query
from host_app.api.schemas import Schema

LINK: Final[Schema] = {"name": "link", "in": "path", "required": True, "schema": NUMBER}
CHANGE: Final[Schema] = {
    "name": "change", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"},
}  # fmt: skip
OBJECT: Final[Schema] = {"type": "object"}
PARTY: Final[Schema] = {
    "type": "object",
    "properties": {"user_id": {"type": "integer"}, "team_id": {"type": "integer"}, "verb": {"type": "string"}},
    "additionalProperties": False,
}
CONSENT: Final[Schema] = {
    "type": "object",
    "properties": {
        "address": {"type": "string", "format": "email"},
        "purpose": {"type": "string", "enum": ["service", "marketing", "all"]},
        "allowed": {"type": "boolean"},
        "source": {"type": "string", "maxLength": 200, "examples": ["Ticked the box on the contact form"]},
    },
    "required": ["address", "purpose", "allowed", "source"],
    "additionalProperties": False,
}
OTHER: Final[Schema] = {
    "type": "object",
    "properties": {
        "entity": {"type": "string", "examples": ["crm.contact"]},
        "id": {"type": "integer"},
        "kind": {"type": "string", "examples": ["related", "partner"]},
    },
    "required": ["entity", "id"],
    "additionalProperties": False,
}
MERGED: Final[Schema] = {"name": "other", "in": "path", "required": True, "schema": NUMBER}
WITH: Final[Schema] = {
    "type": "object",
    "properties": {
        "other": {"type": "integer", "description": "The record that goes"},
        "take": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Fields whose values the other one gives",
        },
    },
    "required": ["other"],
    "additionalProperties": False,
}
WHICH: Final[Schema] = {
    "type": "object",
    "properties": {"change": {"type": "string", "format": "uuid"}},
    "required": ["change"],
    "additionalProperties": False,
}


def surroundings(entity: EntitySpec) -> dict[str, dict[str, Schema]]:
    """The operations by the last part of their path."""
    limit = [query("limit", "How many at most", {"type": "integer", "minimum": 1, "maximum": 200})]
    verbs = [query("verbs", "The verbs to explain", {"type": "string", "examples": ["view,edit"]})]
    return {
        "timeline": {"get": _read(entity, "timeline", "Activities of a record", limit)},
        "changes": {"get": _read(entity, "changes", "Who changed what", limit)},
        "access": {"get": _read(entity, "access", "What the caller may do with a record, and why", verbs)},
        "shares": {
            "get": _read(entity, "shares", "With whom a record is shared", []),
            "post": _write(entity, "add_share", "Share a record", PARTY, "201"),
            "delete": _write(entity, "remove_share", "Take shares back", PARTY, "204"),
        },
        "consents": {
            "get": _read(entity, "consents", "What the person said about being written to", []),
            "post": _write(entity, "add_consent", "Note consent, or that it was withdrawn", CONSENT, "201"),
        },
        "merge/{other}": {"get": _read(entity, "merge_plan", "What merging another record into it would do", [MERGED])},
        "actions/merge": {"post": _write(entity, "merge", "Merge another record into it", WITH, "200")},
        "actions/unmerge": {"post": _write(entity, "unmerge", "Take a merge back", WHICH, "200")},
        "actions/erase": {"post": _erase(entity)},
        "links": {
            "get": _read(entity, "links", "Records that this one is linked to", []),
            "post": _write(entity, "add_link", "Link a record to another one", OTHER, "201"),
        },
    }


def sums(entity: EntitySpec) -> Schema:
    """Totals of a money field over a list."""
    parameters = [query("field", "The money field", {"type": "string"}), query("filter", "A filter tree as JSON")]
    return _read(entity, "sums", "Totals of a money field over a filtered list", parameters)


def remove_link(entity: EntitySpec) -> Schema:
    """Taking a link away."""
    responses = {"204": {"description": "Taken away"}} | problems(404)
    return _operation(entity, "remove_link", "Take a link away", responses)


def undo_change(entity: EntitySpec) -> Schema:
    """Taking one change back."""
    responses = {"200": answered("What was changed again since, and stays", OBJECT)} | problems(404, 409)
    return _operation(entity, "undo_change", "Take one change back", responses)


def _read(entity: EntitySpec, name: str, summary: str, parameters: list[Schema]) -> Schema:
    responses = {"200": answered(summary, OBJECT)} | problems(404)
    return _operation(entity, name, summary, responses) | {"parameters": parameters}


def _write(entity: EntitySpec, name: str, summary: str, schema: Schema, status: str) -> Schema:
    done = {"description": summary} if status == "204" else answered(summary, OBJECT)
    responses = {status: done} | problems(404)
    return _operation(entity, name, summary, responses) | {"requestBody": body(schema)}


def _erase(entity: EntitySpec) -> Schema:
    responses = {"204": {"description": "Erased"}} | problems(404, 409, 412, 428)
    return _operation(entity, "erase", "Delete for good, past the trash", responses) | {"parameters": [IF_MATCH]}


def _operation(entity: EntitySpec, name: str, summary: str, responses: Schema) -> Schema:
    return {
        "operationId": f"{entity.name}.{name}",
        "summary": summary,
        "tags": [entity.name],
        "responses": responses,
    }
