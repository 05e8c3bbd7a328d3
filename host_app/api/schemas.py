"""JSON Schemas (2020-12, as OpenAPI 3.1 uses it) of fields and entities, from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gigacore.entity import EntitySpec, FieldSpec
from gigacore.records import LABEL

Schema = dict[str, Any]

MONEY: Final = "Money"
REFERENCE: Final = "Reference"
FILE: Final = "File"
PROBLEM: Final = "Problem"

SIMPLE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "text": {"type": "string"},
        "longtext": {"type": "string"},
        "url": {"type": "string", "format": "uri"},
        "email": {"type": "string", "format": "email"},
        "phone": {"type": "string"},
        "integer": {"type": "integer"},
        "boolean": {"type": "boolean"},
        "date": {"type": "string", "format": "date"},
        "datetime": {"type": "string", "format": "date-time"},
        "choice": {"type": "string"},
        "choices": {"type": "array", "items": {"type": "string"}},
        "file": {"type": "string", "format": "uuid"},
        "uuid": {"type": "string", "format": "uuid"},
        "json": {"type": ["object", "array"]},
    }
)
DECIMAL_TEXT: Final[Mapping[str, Any]] = MappingProxyType({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,4})?$"})

SHARED: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        MONEY: {
            "type": "object",
            "properties": {
                "amount": {**DECIMAL_TEXT, "description": "A decimal number, kept exactly.", "examples": ["12.50"]},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]},
            },
            "required": ["amount", "currency"],
        },
        REFERENCE: {
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "label": {"type": ["string", "null"]},
                "colour": {"type": "string", "description": "Of its pill, where the entity has colours."},
                "hidden": {"type": "boolean", "description": "True when the caller may not see the record."},
            },
            "required": ["id", "label"],
        },
        FILE: {
            "type": "object",
            "properties": {
                "uid": {"type": "string", "format": "uuid"},
                "name": {"type": ["string", "null"], "description": "Null when the file is no longer kept."},
                "mime": {"type": "string"},
                "size": {"type": "integer"},
                "url": {"type": "string"},
            },
            "required": ["uid", "name"],
        },
        PROBLEM: {
            "type": "object",
            "description": "RFC 9457",
            "properties": {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "code": {"type": "string"},
                "fix": {"type": "string"},
                "instance": {"type": "string", "format": "uri"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
                    },
                },
            },
            "required": ["type", "title", "status", "detail", "code"],
        },
        "Count": {
            "type": "object",
            "properties": {"value": {"type": "integer"}, "exact": {"type": "boolean"}},
            "required": ["value", "exact"],
        },
    }
)


def link(name: str) -> Schema:
    """A `$ref` to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    """`schema`, or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def field_schema(spec: FieldSpec, *, output: bool) -> Schema:
    """The schema of one field as it is answered (`output`) or sent."""
    schema = _bare(spec, output)
    if not spec.required:
        schema = or_null(schema)
    return schema | _notes(spec, output)


def _bare(spec: FieldSpec, output: bool) -> Schema:
    if spec.kind == "money":
        return link(MONEY)
    if spec.kind == "ref":
        return link(REFERENCE) if output else {"type": "integer", "minimum": 1}
    if spec.kind == "file" and output:
        return link(FILE)
    if spec.kind == "decimal":
        return dict(DECIMAL_TEXT) if output else {"type": ["number", "string"]}
    if spec.kind == "choices" and spec.choices:
        return {"type": "array", "items": {"type": "string", "enum": [value for value, _ in spec.choices]}}
    if spec.kind == "enum" or spec.choices:
        return {"type": "string", "enum": [value for value, _ in spec.choices]}
    return {**SIMPLE[spec.kind], **_limits(spec)}


def _limits(spec: FieldSpec) -> Schema:
    known = {"maxLength": spec.max_length, "minimum": spec.minimum, "maximum": spec.maximum}
    return {name: value for name, value in known.items() if isinstance(value, int)}


def _notes(spec: FieldSpec, output: bool) -> Schema:
    notes: Schema = {"title": spec.label}
    if spec.help:
        notes["description"] = spec.help
    if spec.target:
        notes["x-target"] = spec.target
    if spec.choice_list:
        notes["x-choice-list"] = spec.choice_list
    if output and spec.readonly:
        notes["readOnly"] = True
    return notes


def object_schema(fields: Iterable[FieldSpec], *, output: bool, partial: bool) -> Schema:
    """An object of these fields; a plugin's fields stand in an object under the plugin's name."""
    properties: Schema = {}
    for spec in fields:
        holder, _, name = spec.name.rpartition(".")
        place = properties
        if holder:
            place = properties.setdefault(holder, {"type": "object", "properties": {}})["properties"]
        place[name] = field_schema(spec, output=output)
    schema: Schema = {"type": "object", "properties": properties}
    if not output:
        schema["additionalProperties"] = False
        needed = [s.name for s in fields if s.required and s.default is None and "." not in s.name]
        if needed and not partial:
            schema["required"] = needed
    return schema


def entity_schema(entity: EntitySpec, *, output: bool, partial: bool = False) -> Schema:
    """What a record of `entity` looks like in answers (`output`), on creation, or in a change (`partial`)."""
    fields = [s for s in entity.fields.values() if not s.secret and (output or not s.readonly)]
    schema = object_schema(fields, output=output, partial=partial)
    for child in entity.children.values():
        if child.readonly and not output:
            continue
        rows = [s for s in child.fields.values() if not s.secret and (output or not s.readonly)]
        items = object_schema(rows, output=output, partial=False)
        schema["properties"][child.name] = {"type": "array", "items": items, "title": child.label}
    if output and entity.id_prefix:
        schema["properties"]["reference"] = {"type": "string", "readOnly": True, "title": "Reference"}
    if output and entity.labels:
        schema["properties"][LABEL] = {"type": "string", "readOnly": True, "title": "Name in the caller's language"}
    return schema | {"title": entity.label}
