"""The OpenAPI paths of automation: rules and their log, web hooks, notifications."""

from __future__ import annotations

from typing import Any, Final

from apispec import APISpec

from gigacore.automation.tables import STATES
from gigacore.webhooks.tables import INBOX_STATES
from host_app.api.operations import BASE, ID, answered, body, one_of, problems, query
from host_app.api.schemas import Schema

TAG: Final = "automation"
TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
ANYTHING: Final[Schema] = {"type": "object"}
RULE: Final[Schema] = {
    "type": "object",
    "required": ["name", "body"],
    "properties": {
        "name": TEXT,
        "version": WHOLE,
        "record_id": WHOLE,
        "days": WHOLE,
        "body": {
            "type": "object",
            "properties": {
                "entity": TEXT,
                "trigger": {"type": "object", "properties": {"kind": TEXT}, "required": ["kind"]},
                "when": {"type": ["object", "null"]},
                "steps": {"type": "array", "items": ANYTHING},
            },
            "examples": [
                {
                    "entity": "crm.lead",
                    "trigger": {"kind": "core.created"},
                    "when": {"field": "email", "op": "empty", "value": False},
                    "steps": [{"do": "core.send_mail", "with": {"template": "welcome"}}],
                }
            ],
        },
    },
}
HOOK: Final[Schema] = {
    "type": "object",
    "required": ["event", "target_url"],
    "properties": {"event": {"type": "string", "examples": ["crm.lead.created"]}, "target_url": TEXT},
}
SOURCE: Final[Schema] = {
    "type": "object",
    "required": ["key", "name"],
    "properties": {
        "key": {"type": "string", "pattern": "^[a-z][a-z0-9_]{1,39}$"},
        "name": TEXT,
        "scheme": {"type": "string", "enum": ["standard", "hmac_sha256"]},
        "header": {"type": "string", "description": "Of hmac_sha256: the header that holds the signature"},
        "secret": {"type": "string", "description": "Made anew unless it is given"},
        "mapping": {
            "type": "object",
            "properties": {
                "entity": TEXT,
                "values": ANYTHING,
                "match": {"type": "array", "items": TEXT},
                "version": {"type": "string", "description": "Where a message says how new it is: a number or a time"},
            },
            "examples": [
                {
                    "entity": "crm.lead",
                    "values": {"email": "{{ body.email }}"},
                    "match": ["email"],
                    "version": "body.updated_at",
                },
            ],
        },
    },
}
CHOICE: Final[Schema] = {
    "type": "object",
    "required": ["bell"],
    "properties": {"bell": {"type": "boolean"}, "mail": {"type": "string", "enum": ["never", "now", "digest"]}},
}
READ: Final[Schema] = {"type": "object", "properties": {"ids": {"type": "array", "items": WHOLE}}}
BEFORE: Final = (query("before", "Only older ones than this id", WHOLE), query("limit", "How many at most", WHOLE))


def add_automation(spec: APISpec) -> None:
    """Add the operations."""
    _add_rules(spec)
    _add_hooks(spec)
    _add_incoming(spec)
    _add_notices(spec)


def _add_rules(spec: APISpec) -> None:
    action = _word("name", ["switch_on", "switch_off", "duplicate", "hand_over"])
    log = [
        query("rule", "Of this rule", WHOLE), query("state", "Only runs in this state", one_of(STATES)),
        query("entity", "About records of this kind"), query("record", "About this record", WHOLE),
        query("since", "Begun since this moment"), query("until", "Begun before this moment"), *BEFORE,
    ]  # fmt: skip
    _at(
        spec, "core/rules", get=_op("rules.list", "The rules one may see"),
        post=_op("rules.create", "Create a rule, switched off", RULE, 201),
    )  # fmt: skip
    _at(spec, "core/rules/kit", get=_op("rules.kit", "What rules can be made of"))
    _at(spec, "core/rules/actions/try", post=_op("rules.try", "What a rule would do for a record", RULE))
    _at(spec, "core/rules/actions/try_past", post=_op("rules.try_past", "What a rule would have done", RULE))
    _at(
        spec, "core/rules/{id}", ID, get=_op("rules.get", "One rule"), patch=_op("rules.change", "Change a rule", RULE),
        delete=_op("rules.delete", "Delete a rule", status=204),
    )  # fmt: skip
    _at(spec, "core/rules/{id}/versions", ID, get=_op("rules.versions", "Every version of a rule"))
    _at(spec, "core/rules/{id}/actions/{name}", ID, action, post=_op("rules.act", "Switch, duplicate, hand over"))
    _at(spec, "core/rule-runs", get=_op("rules.runs", "The log of the rules", parameters=log))
    _at(spec, "core/rule-runs/{id}/actions/retry", ID, post=_op("rules.retry", "Try a failed run again", status=204))


def _add_hooks(spec: APISpec) -> None:
    action = _word("name", ["rotate", "switch_on", "switch_off"])
    of_event = query("event", "The event", {"type": "string", "examples": ["crm.lead.created"]})
    at_target = query("target_url", "Only subscriptions of this address")
    _at(
        spec, "hooks", get=_op("hooks.list", "One's subscriptions", parameters=[at_target]),
        post=_op("hooks.subscribe", "Subscribe to an event", HOOK, 201),
    )  # fmt: skip
    _at(spec, "hooks/events", get=_op("hooks.events", "The events one may subscribe to"))
    _at(spec, "hooks/sample", get=_op("hooks.sample", "The newest payload records", parameters=[of_event]))
    _at(
        spec, "hooks/{id}", ID, get=_op("hooks.get", "One subscription"),
        delete=_op("hooks.unsubscribe", "End a subscription", status=204),
    )  # fmt: skip
    _at(spec, "hooks/{id}/actions/{name}", ID, action, post=_op("hooks.act", "New secret, switch on or off"))
    _at(spec, "hooks/{id}/deliveries", ID, get=_op("hooks.deliveries", "The log", parameters=[*BEFORE]))
    _at(
        spec, "hooks/deliveries/{id}/actions/resend", ID,
        post=_op("hooks.resend", "Try a delivery anew", status=204),
    )  # fmt: skip


def _add_incoming(spec: APISpec) -> None:
    state = query("state", "Only messages in this state", one_of(INBOX_STATES))
    _at(
        spec, "hooks/sources", get=_op("hooks.sources", "The inbound sources"),
        post=_op("hooks.add_source", "Set an inbound source up", SOURCE, 201),
    )  # fmt: skip
    _at(spec, "hooks/sources/{id}", ID, delete=_op("hooks.remove_source", "Remove an inbound source", status=204))
    _at(spec, "hooks/inbox", get=_op("hooks.inbox", "What arrived", parameters=[state, *BEFORE]))
    _at(
        spec, "hooks/inbox/{id}/actions/again", ID,
        post=_op("hooks.again", "Work on a message that failed once more", status=204),
    )  # fmt: skip


def _add_notices(spec: APISpec) -> None:
    kind: Schema = {"name": "kind", "in": "path", "required": True, "schema": TEXT, "example": "core.rule"}
    _at(spec, "me/notifications", get=_op("notices.list", "One's own notifications", parameters=[*BEFORE]))
    _at(spec, "me/notifications/actions/read", post=_op("notices.read", "Mark as read", READ))
    _at(spec, "me/notifications/choices", get=_op("notices.choices", "How one wants to be told"))
    _at(spec, "me/notifications/choices/{kind}", kind, put=_op("notices.choose", "Set it", CHOICE, 204))


def _word(name: str, words: list[str]) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": one_of(words)}


def _at(spec: APISpec, path: str, *parameters: Schema, **operations: Schema) -> None:
    spec.path(f"{BASE}/{path}", parameters=list(parameters), operations=operations)


def _op(
    name: str, summary: str, schema: Schema | None = None, status: int = 200, parameters: list[Schema] | None = None
) -> Schema:
    done: Any = {"description": "Done"} if status == 204 else answered("Done", {})
    made: Schema = {"operationId": name, "tags": [TAG], "summary": summary}
    made["responses"] = {str(status): done} | problems(404, 409, 415)
    made |= {"parameters": parameters} if parameters else {}
    return made | ({"requestBody": body(schema)} if schema is not None else {})
