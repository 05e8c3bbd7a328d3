"""The OpenAPI paths of administration: users, teams, roles, lists, currencies, company, settings, pipelines."""

from __future__ import annotations

from typing import Any, Final

from apispec import APISpec

from gigacore.data import organisation
from host_app.api.operations import BASE, ID, answered, body, problems, query
from host_app.api.schemas import Schema

TAG: Final = "administration"
ANYTHING: Final[Schema] = {"type": "object"}
TEXT: Final[Schema] = {"type": "string"}
NUMBERS: Final[Schema] = {"type": "array", "items": {"type": "integer"}}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
LABELS: Final[Schema] = {
    "type": "object",
    "additionalProperties": TEXT,
    "examples": [{"en": "Closer", "fr": "Vendeur"}],
}
NUMBER_OR_NULL: Final[Schema] = {"type": ["integer", "null"]}


def _object(properties: dict[str, Schema], *required: str) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | ({"required": list(required)} if required else {})


_PERSON: Final[dict[str, Schema]] = {
    "name": TEXT, "locale": TEXT, "timezone": TEXT, "roles": TEXTS, "teams": NUMBERS, "main_team": NUMBER_OR_NULL,
    "password": {"type": "string", "format": "password"},
}  # fmt: skip
USER: Final = _object({"email": {"type": "string", "format": "email"}, **_PERSON}, "email", "name", "roles")
TEAM: Final[dict[str, Schema]] = {
    "name": TEXT, "parent_id": NUMBER_OR_NULL, "manager_id": NUMBER_OR_NULL, "members": NUMBERS,
}  # fmt: skip
LEVEL: Final[Schema] = {"type": ["string", "null"], "enum": ["none", "own", "team", "tree", "all", None]}
CLOSED: Final[Schema] = {"type": ["string", "null"], "enum": ["hidden", "read", None]}
RIGHTS: Final = _object(
    {
        "labels": LABELS,
        "levels": {"type": "object", "additionalProperties": LEVEL, "examples": [{"crm.lead.delete": "none"}]},
        "fields": {"type": "object", "additionalProperties": CLOSED, "examples": [{"crm.lead.amount": "hidden"}]},
    }
)
CHOICE: Final[dict[str, Schema]] = {
    "label": TEXT, "labels": LABELS, "colour": TEXT, "kind": TEXT, "active": {"type": "boolean"},
}  # fmt: skip
CURRENCY: Final = _object({"code": TEXT, "name": TEXT, "symbol": TEXT, "digits": {"type": "integer"}}, "code", "name")
COMPANY: Final = _object(dict.fromkeys((field.name for field in organisation.FIELDS), TEXT))
INTO: Final = _object({"into": NUMBER_OR_NULL})


def add_administration(spec: APISpec) -> None:
    """Add the operations."""
    _add_people(spec)
    _add_lists(spec)
    _add_settings(spec)


def _add_people(spec: APISpec) -> None:
    key = _path("key", "manager")
    action = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": list(_USER_ACTIONS)}}
    _at(spec, "users", get=_op("users.list", "Every user"), post=_op("users.create", "Create a user", USER, 201))
    _at(spec, "users/{id}", ID, get=_op("users.get", "One user"), patch=_op("users.change", "Change", _object(_PERSON)))
    _at(spec, "users/{id}/actions/{name}", ID, action, post=_op("users.act", "Activate, deactivate, invite, sign out"))
    _at(
        spec, "teams", get=_op("teams.list", "Every team"),
        post=_op("teams.create", "Create a team", _object(TEAM, "name"), 201),
    )  # fmt: skip
    _at(
        spec, "teams/{id}", ID, get=_op("teams.get", "One team"), patch=_op("teams.change", "Change", _object(TEAM)),
        delete=_op("teams.remove", "Remove a team", status=204),
    )  # fmt: skip
    made = _object({"key": TEXT, "labels": LABELS, "like": TEXT}, "key", "labels")
    _at(spec, "roles", get=_op("roles.list", "Every role"), post=_op("roles.create", "Create a role", made, 201))
    _at(
        spec, "roles/{key}", key, get=_op("roles.get", "Grants and closed fields of a role"),
        patch=_op("roles.change", "Names, levels and closed fields", RIGHTS),
        delete=_op("roles.remove", "Remove a role", status=204),
    )  # fmt: skip


_USER_ACTIONS: Final = ("activate", "deactivate", "invite", "sign_out")


def _add_lists(spec: APISpec) -> None:
    name, key = _path("name", "crm.source"), _path("key", "website")
    added = _object({"key": TEXT, **CHOICE}, "label")
    _at(spec, "choice-lists/{name}/choices", name, post=_op("choices.create", "Add a value", added, 201))
    remove = _op("choices.remove", "Remove a value, perhaps with another one in its place", status=204)
    remove["parameters"] = [query("into", "The value that takes its place in all records.")]
    remove["responses"]["200"] = answered("How many records changed", ANYTHING)
    change = _op("choices.change", "Change a value", _object(CHOICE))
    _at(spec, "choice-lists/{name}/choices/{key}", name, key, patch=change, delete=remove)
    order = _op("choices.arrange", "Order the values", _object({"keys": TEXTS}, "keys"), 204)
    _at(spec, "choice-lists/{name}/actions/arrange", name, post=order)
    for plural in ("pipelines", "stages"):
        order = _op(f"{plural}.arrange", f"Order the {plural}", _object({"ids": NUMBERS}, "ids"), 204)
        _at(spec, f"{plural}/actions/arrange", post=order)
        gone = _op(f"{plural}.remove", "Remove one; what uses it moves into another", INTO)
        _at(spec, f"{plural}/{{id}}/actions/remove", ID, post=gone)


def _add_settings(spec: APISpec) -> None:
    shown, change = _op("company.get", "The own company"), _op("company.change", "Change it", COMPANY)
    _at(spec, "company", get=shown, patch=change)
    values = _op("settings.change", "Set some values by name", {"type": "object", "additionalProperties": True})
    _at(spec, "settings", get=_op("settings.list", "Every setting with its value"), patch=values)
    flags = _object({"active": {"type": "boolean"}, "base": {"type": "boolean"}})
    code = _path("code", "USD")
    _at(spec, "currencies/{code}", code, patch=_op("currencies.change", "Offer, or state totals in it", flags))


def _path(name: str, example: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": TEXT, "example": example}


def _at(spec: APISpec, path: str, *parameters: Schema, **operations: Schema) -> None:
    spec.path(f"{BASE}/core/{path}", parameters=list(parameters), operations=operations)


def _op(name: str, summary: str, schema: Schema | None = None, status: int = 200) -> Schema:
    done: Any = {"description": "Done"} if status == 204 else answered("Done", ANYTHING)
    made: Schema = {"operationId": name, "tags": [TAG], "summary": summary}
    made["responses"] = {str(status): done} | problems(404, 409, 415)
    return made | ({"requestBody": body(schema)} if schema is not None else {})
