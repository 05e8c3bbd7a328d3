"""The OpenAPI paths of the host itself: the caller, fields, trash, metadata."""

from __future__ import annotations

from typing import Any, Final

from apispec import APISpec

from gigacore.plugins.configuration import WISHES
from host_app.api.administration_paths import CURRENCY, add_administration
from host_app.api.automation_paths import add_automation
from host_app.api.jobs import STATES
from host_app.api.operations import BASE, ID, answered, body, one_of, problems, query
from host_app.api.schemas import Schema

ANYTHING: Final[Schema] = {"type": "object"}
FIELD: Final[Schema] = {
    "type": "object",
    "properties": {
        "entity": {"type": "string", "examples": ["crm.lead"]},
        "key": {"type": "string", "pattern": "^x_[a-z0-9_]{1,40}$"},
        "kind": {"type": "string"},
        "label": {"type": "string"},
    },
    "required": ["entity", "key", "kind", "label"],
}


RATE: Final[Schema] = {
    "type": "object",
    "properties": {
        "base": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "on": {"type": "string", "format": "date"},
        "rate": {"type": "string", "description": "What one of base is worth in code", "examples": ["1.0832"]},
    },
    "required": ["base", "code", "on", "rate"],
    "additionalProperties": False,
}
ME: Final[Schema] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("name", "locale", "timezone", "theme")},
    "additionalProperties": False,
}
BATCH: Final[Schema] = {
    "type": "object",
    "properties": {
        "requests": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "type": "object",
                "properties": {
                    "method": {"type": "string", "enum": ["GET", "POST", "PATCH", "DELETE"]},
                    "path": {"type": "string", "examples": ["/api/v1/crm/leads"]},
                    "body": {},
                    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                },
                "required": ["method", "path"],
            },
        }
    },
    "required": ["requests"],
}
TOKEN: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "scopes": {"type": "array", "items": {"type": "string"}, "description": "Narrow the rights: crm.lead.view"},
        "expires_at": {"type": "string", "format": "date-time"},
    },
    "required": ["name"],
    "additionalProperties": False,
}
SCHEDULE: Final[Schema] = {
    "type": "object",
    "properties": {
        "enabled": {"type": "boolean"},
        "cron": {"type": ["string", "null"], "examples": ["30 7 * * 1-5"]},
        "every_seconds": {"type": ["integer", "null"], "minimum": 60},
        "timezone": {"type": "string", "examples": ["Europe/Paris"]},
    },
    "additionalProperties": False,
}


def _path(name: str, example: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}


def _operation(name: str, tag: str, summary: str, **rest: Any) -> Schema:
    return {"operationId": name, "tags": [tag], "summary": summary, **rest}


def add_host_paths(spec: APISpec) -> None:
    """Add the operations that belong to no entity."""
    spec.tag({"name": "account", "description": "The caller"})
    spec.tag({"name": "administration", "description": "Fields, entities, trash"})
    spec.tag({"name": "automation", "description": "Rules and their log, web hooks, notifications"})
    _add_account(spec)
    _add_administration(spec)
    add_administration(spec)
    add_automation(spec)
    _add_jobs(spec)
    _add_reports(spec)


def _add_account(spec: APISpec) -> None:
    shown = {"200": answered("The caller", ANYTHING)} | problems(415)
    change = _operation("me.change", "account", "Change one's own preferences", requestBody=body(ME), responses=shown)
    me = _get("me", "account", "Who calls, and what the caller may do")
    spec.path(f"{BASE}/me", operations={"get": me, "patch": change})
    made = {"201": answered("The token; its value is shown this once", ANYTHING)} | problems(415)
    create = _operation(
        "tokens.create", "account", "Make an API token for oneself", requestBody=body(TOKEN), responses=made
    )
    tokens = _get("tokens.list", "account", "One's own API tokens")
    spec.path(f"{BASE}/me/tokens", operations={"get": tokens, "post": create})
    gone = {"204": {"description": "Revoked"}} | problems(404)
    revoke = _operation("tokens.revoke", "account", "End an API token", responses=gone)
    done = {"200": answered("One answer per request", ANYTHING)} | problems(413, 415)
    batch = _operation("batch", "account", "Run several requests in order", requestBody=body(BATCH), responses=done)
    spec.path(f"{BASE}/batch", operations={"post": batch})
    spec.path(f"{BASE}/me/tokens/{{id}}", parameters=[ID], operations={"delete": revoke})


def _add_jobs(spec: APISpec) -> None:
    listed = _get("jobs.list", "account", "One's own jobs, or with the right everybody's")
    everybody = query("everybody", "1 = all jobs.", one_of(("0", "1")))
    listed["parameters"] = [query("state", "Only jobs in this state.", one_of(STATES)), everybody]
    spec.path(f"{BASE}/core/jobs", operations={"get": listed})
    shown = _get("jobs.get", "account", "How far a job is, and its result")
    spec.path(f"{BASE}/core/jobs/{{id}}", parameters=[ID], operations={"get": shown})
    for verb, label in (("cancel", "Stop a job"), ("retry", "Try a dead or cancelled job again")):
        act = _operation(
            f"jobs.{verb}", "account", label, responses={"200": answered("The job", ANYTHING)} | problems(404)
        )
        spec.path(f"{BASE}/core/jobs/{{id}}/actions/{verb}", parameters=[ID], operations={"post": act})

    listed = _get("schedules.list", "administration", "What runs by itself, and when")
    spec.path(f"{BASE}/core/schedules", operations={"get": listed})
    done = {"200": answered("The schedule", ANYTHING)} | problems(404, 415)
    change = _operation(
        "schedules.change", "administration", "Switch a schedule, or give it other times",
        requestBody=body(SCHEDULE), responses=done,
    )  # fmt: skip
    spec.path(f"{BASE}/core/schedules/{{id}}", parameters=[ID], operations={"patch": change})


def _add_reports(spec: APISpec) -> None:
    spec.path(f"{BASE}/core/reports", operations={"get": _get("reports.list", "account", "Reports of the modules")})
    shown = _get("reports.get", "account", "The rows of a report, over what the caller may see")
    shown["responses"] |= problems(404)
    shown["parameters"] = [
        query("period", "Only records of a named period, this_month for instance."),
        query("format", "A file instead of JSON.", {"type": "string", "enum": ["csv", "xlsx"]}),
    ]
    place = [_path("name", "inspections.by_person")]
    spec.path(f"{BASE}/core/reports/{{name}}", parameters=place, operations={"get": shown})


def _add_administration(spec: APISpec) -> None:
    spec.path(f"{BASE}/core/entities", operations={"get": _get("entities", "administration", "Entities and fields")})
    lists = _get("choice_lists", "administration", "Choice lists with their choices")
    spec.path(f"{BASE}/core/choice-lists", operations={"get": lists})
    spec.path(
        f"{BASE}/core/custom-fields",
        operations={
            "get": _get("fields.list", "administration", "Custom fields"),
            "post": _post("fields.create", "Add a custom field", FIELD, 201),
        },
    )
    change = _operation(
        "fields.change",
        "administration",
        "Change a custom field",
        requestBody=body(ANYTHING),
        responses={"200": answered("The field", ANYTHING)} | problems(404, 409),
    )
    remove = _operation(
        "fields.remove",
        "administration",
        "Remove a custom field",
        responses={"204": {"description": "Removed"}} | problems(404, 409),
    )
    place = [_path("entity", "crm.lead"), _path("key", "x_region")]
    shown = _get("fields.get", "administration", "One custom field")
    operations = {"get": shown, "patch": change, "delete": remove}
    spec.path(f"{BASE}/core/custom-fields/{{entity}}/{{key}}", parameters=place, operations=operations)
    asked = {"type": "object", "properties": {"change": {"type": "string", "enum": [*WISHES]}}, "required": ["change"]}
    spec.path(
        f"{BASE}/core/plan",
        operations={"post": _post("plan", "What a change of the configuration would do", asked, 200)},
    )
    _add_money(spec)
    listed = _get("trash.list", "administration", "Deleted records")
    listed["parameters"] = [query("entity", "Only records of this entity.")]
    spec.path(f"{BASE}/core/trash", operations={"get": listed})
    spec.path(
        f"{BASE}/core/trash/{{id}}/actions/restore",
        parameters=[ID],
        operations={"post": _post("trash.restore", "Bring a record back", ANYTHING, 200)},
    )


def _add_money(spec: APISpec) -> None:
    currencies = _get("currencies", "administration", "Active currencies, and the one of totals")
    add = _post("currencies.create", "Offer one more currency", CURRENCY, 201)
    spec.path(f"{BASE}/core/currencies", operations={"get": currencies, "post": add})
    rates = _get("rates.list", "administration", "Exchange rates, newest first")
    state = _post("rates.create", "State an exchange rate", RATE, 201)
    spec.path(f"{BASE}/core/rates", operations={"get": rates, "post": state})


def _get(name: str, tag: str, summary: str) -> Schema:
    return _operation(name, tag, summary, responses={"200": answered("Found", ANYTHING)} | problems())


def _post(name: str, summary: str, schema: Schema, status: int) -> Schema:
    responses = {str(status): answered("Done", ANYTHING)} | problems(404, 409, 415)
    return _operation(name, "administration", summary, requestBody=body(schema), responses=responses)
