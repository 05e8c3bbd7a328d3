"""Automation rules over the API: written, tried, switched, and their log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from flask import Flask, Response, g, request

from gigacore.automation import Rule, Run, Trial
from gigacore.automation.declare import Action, Trigger
from gigacore.automation.tables import STATES
from gigacore.context import Context
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.api.answers import answer, nothing, shown
from host_app.api.body import read_object, read_optional_object
from host_app.api.once import write
from host_app.api.policies import on_tool
from host_app.api.query import entity_name, moment, number, only, word
from host_app.auth import current
from host_app.context import current_crm, say
from host_app.routing import MOST_NUMBER, route

BASE: Final = "/api/v1/core/rules"
RUNS: Final = "/api/v1/core/rule-runs"
TOOL: Final = "core.rule"
DAYS: Final = 31
MOST_DAYS: Final = 92


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, made = on_tool(TOOL, "view"), on_tool(TOOL, "create")
    route(app, BASE, policy=seen)(listing)
    route(app, BASE, policy=made, methods=["POST"])(create)
    route(app, f"{BASE}/kit", policy=seen)(kit)
    route(app, f"{BASE}/actions/try", policy=made, methods=["POST"])(try_on)
    route(app, f"{BASE}/actions/try_past", policy=made, methods=["POST"])(try_past)
    route(app, f"{BASE}/<int:id>", policy=seen)(show)
    route(app, f"{BASE}/<int:id>", policy=made, methods=["PATCH"])(change)
    route(app, f"{BASE}/<int:id>", policy=made, methods=["DELETE"])(delete)
    route(app, f"{BASE}/<int:id>/versions", policy=seen)(versions)
    route(app, f"{BASE}/<int:id>/actions/<name>", policy=made, methods=["POST"])(act)
    route(app, RUNS, policy=seen)(runs)
    route(app, f"{RUNS}/<int:id>/actions/retry", policy=made, methods=["POST"])(retry)


def listing() -> Response:
    """The rules that the caller may see."""
    only()
    return answer({"items": [_rule(rule) for rule in current_crm().automation.rules(g.ctx)]})


def show(id: int) -> Response:
    """One rule."""
    only()
    return answer(_rule(current_crm().automation.rule(g.ctx, id)))


def create() -> Response:
    """A new rule, switched off: `{"name", "body": {"entity", "trigger", "when", "steps"}}`."""
    only()
    data = _read("name", "body")
    return write(lambda ctx: answer(_rule(current_crm().automation.create(ctx, data["name"], data["body"])), 201))


def change(id: int) -> Response:
    """Change a rule; `version` is the one that was read."""
    only()
    data = _read("name", "body", "version")

    def work(ctx: Context) -> Response:
        version = _whole(data, "version")
        changed = current_crm().automation.update(ctx, id, name=data["name"], body=data["body"], version=version)
        return answer(_rule(changed))

    return write(work)


def delete(id: int) -> Response:
    """Delete a rule; its log stays."""
    only()

    def work(ctx: Context) -> Response:
        current_crm().automation.delete(ctx, id)
        return nothing()

    return write(work)


def act(id: int, name: str) -> Response:
    """`switch_on`, `switch_off`, `duplicate` (`{"name"}`) or `hand_over` (`{"owner_id"}`)."""
    only()
    data = read_optional_object()

    def work(ctx: Context) -> Response:
        service = current_crm().automation
        match name:
            case "switch_on" | "switch_off":
                return answer(_rule(service.switch(ctx, id, active=name == "switch_on")))
            case "duplicate":
                return answer(_rule(service.duplicate(ctx, id, str(data.get("name") or ""))), 201)
            case "hand_over":
                return answer(_rule(service.hand_over(ctx, id, _whole(data, "owner_id"))))
        raise Invalid.of("name", msg("There is no action {name}.", name=name))

    return write(work)


def versions(id: int) -> Response:
    """Every version of a rule, newest first."""
    only()
    return answer({"items": [asdict(one) for one in current_crm().automation.versions(g.ctx, id)]})


def kit() -> Response:
    """The triggers and actions that rules can be made of."""
    only()
    found = current_crm().automation.kit
    return answer(
        {
            "triggers": [_part(one) | {"entities": list(one.entities)} for one in found.triggers.values()],
            "actions": [_part(one) | {"entities": list(one.entities)} for one in found.actions.values()],
        }
    )


def try_on() -> Response:
    """What a rule would do for a record now; nothing is kept: `{"name", "body", "record_id"}`."""
    only()
    data = _read("name", "body", "record_id")
    crm = current_crm()
    tried = crm.automation.try_on(crm, current(), data["name"], data["body"], _whole(data, "record_id"))
    return answer(_trial(tried))


def try_past() -> Response:
    """What a rule would have done in the last `days` (31 by default): `{"name", "body", "days"}`."""
    only()
    data = _read("name", "body")
    days = _whole(data, "days", default=DAYS, most=MOST_DAYS)
    past = current_crm().automation.try_on_past(g.ctx, data["name"], data["body"], g.ctx.now - timedelta(days=days))
    return answer(asdict(past))


def runs() -> Response:
    """The log, newest first; `?rule=`, `?state=`, `?entity=&record=`, `?since=`, `?until=`, `?before=` narrow it."""
    only("rule", "state", "entity", "record", "since", "until", "before", "limit")
    entity, of_record = entity_name(), number("record", default=None, most=2**63 - 1)
    if bool(entity) != bool(of_record):
        raise Invalid.of("record", msg("Give entity and record together."))
    found = current_crm().automation.runs(
        g.ctx,
        rule_id=number("rule", default=0, most=2**63 - 1) or None,
        state=word("state", STATES),
        record=(entity, of_record) if of_record else None,
        since=moment(request.args, "since"),
        until=moment(request.args, "until"),
        before=number("before", default=0, most=2**63 - 1) or None,
        limit=number("limit", default=50, most=200) or 50,
    )
    return answer({"items": [_run(one) for one in found]})


def retry(id: int) -> Response:
    """Let a failed run go on from the step that failed."""
    only()

    def work(ctx: Context) -> Response:
        current_crm().automation.retry(ctx, id)
        return nothing()

    return write(work)


def _read(*names: str) -> dict[str, Any]:
    data = read_object()
    missing = [name for name in names if name not in data]
    if missing:
        raise Invalid.of(missing[0], msg("This is required."), "required")
    if not isinstance(data.get("name", ""), str) or not isinstance(data.get("body", {}), dict):
        raise Invalid(msg("A rule has a name and a body, which is an object."))
    return data


def _whole(data: Mapping[str, Any], name: str, *, default: int | None = None, most: int = MOST_NUMBER) -> int:
    value = data.get(name, default)
    if type(value) is not int or not 1 <= value <= most:
        raise Invalid.of(name, msg("This must be a number from 1 to {most}.", most=most))
    return value


def _rule(rule: Rule) -> dict[str, Any]:
    found = {name: getattr(rule, name) for name in ("id", "uid", "name", "owner_id", "version", "active", "body")}
    problem = [{"path": fault.path, "message": say(fault.message)} for fault in rule.problem]
    return found | {"available": rule.definition is not None, "problem": problem}


def _run(run: Run) -> dict[str, Any]:
    return shown(run)


def _trial(trial: Trial) -> dict[str, Any]:
    return shown(trial) | {"changes": [asdict(change) for change in trial.changes]}


def _part(part: Trigger | Action) -> dict[str, Any]:
    params = [_param(one) for one in part.params]
    return {"name": part.name, "label": say(part.label), "help": say(part.help) if part.help else "", "icon": part.icon,
            "params": params}  # fmt: skip


def _param(spec: FieldSpec) -> dict[str, Any]:
    choices = [str(member.value) for member in spec.enum] if spec.enum is not None else []
    found = {"name": spec.name, "kind": spec.kind, "label": say(spec.label), "required": spec.required}
    return found | {"default": spec.default, "choices": choices}
