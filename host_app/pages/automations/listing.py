"""The rules that a reader may see, as sentences, with what he may do with each."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.access import users
from gigacore.automation import Rule, Run
from gigacore.errors import NotFound
from gigacore.messages import Msg, msg
from host_app.api.policies import on_tool
from host_app.context import current_crm
from host_app.pages.automations.building import HOME, ONE, TOOL, ready_rules
from host_app.pages.automations.log import STATES
from host_app.pages.automations.words import Teller
from host_app.pages.frame import page as answer
from host_app.pages.history import when
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.doing import do
from host_app.routing import route

ON: Final = (msg("On"), "green")
OFF: Final = (msg("Off"), "")
PAUSED: Final = (msg("Paused"), "orange")
UNAVAILABLE: Final = (msg("Unavailable"), "red")


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, made = on_tool(TOOL, "view"), on_tool(TOOL, "create")
    route(app, HOME, policy=seen)(show)
    route(app, f"{ONE}/do", policy=made, methods=["POST"])(act)
    route(app, f"{ONE}/versions", policy=seen)(versions)


def show() -> ResponseReturnValue:
    """Every rule, and the ready-made ones."""
    who = reader()
    service = who.crm.automation
    latest, people = service.latest(who.ctx), dict(users.names(who.ctx, active_only=False))
    active = dict(users.names(who.ctx))
    rules = service.rules(who.ctx)
    return answer(
        "automations/list.html",
        title=who.t(msg("Automations")),
        rows=[_row(one, latest.get(one.id), people, one.owner_id in active, who) for one in rules],
        ready=[(one.name, who.t(one.label), who.t(one.help), one.icon) for one in ready_rules(who)],
        may_create=access.may(who.ctx, "create", TOOL),
        people=list(active.items()) if access.permits(who.ctx, f"{TOOL}.edit") else [],
    )


def _row(rule: Rule, run: Run | None, people: dict[int, str], awake: bool, who: Reader) -> dict[str, Any]:
    (state, colour), why = _state(rule, awake, people.get(rule.owner_id, ""), who)
    at, exact = when(run.created_at, who) if run else ("", "")
    label, run_colour = STATES[run.state] if run else (msg("Never"), "")
    told = Teller(who, rule.body.get("entity")).rule(rule.body)
    return {
        "id": rule.id, "name": rule.name, "told": told, "active": rule.active, "state": who.t(state),
        "colour": colour, "why": why, "owner": people.get(rule.owner_id, f"#{rule.owner_id}"),
        "owner_id": rule.owner_id, "run": run.id if run else 0, "at": at, "exact": exact,
        "result": who.t(label), "result_colour": run_colour,
    }  # fmt: skip


def _state(rule: Rule, awake: bool, owner: str, who: Reader) -> tuple[tuple[Msg, str], str]:
    if rule.definition is None:
        return UNAVAILABLE, " ".join(who.t(fault.message) for fault in rule.problem)
    if rule.active and not awake:
        return PAUSED, who.t(msg("{name}, with whose rights it acts, cannot sign in any more.", name=owner))
    return (ON if rule.active else OFF), ""


def act(rule_id: int) -> ResponseReturnValue:
    """Switch, duplicate, hand over or delete a rule."""
    who, wish = reader(), request.form.get("do", "")
    service = current_crm().automation
    rule = service.rule(who.ctx, rule_id)
    match wish:
        case "on" | "off":
            done = msg("The rule is switched on.") if wish == "on" else msg("The rule is switched off.")
            return do(lambda ctx: service.switch(ctx, rule_id, active=wish == "on"), HOME, done)
        case "duplicate":
            name = who.t(msg("{name} (copy)", name=rule.name))[:200]
            return do(lambda ctx: service.duplicate(ctx, rule_id, name), HOME, msg("A copy is there, switched off."))
        case "hand_over":
            text = request.form.get("owner_id", "")
            number = int(text) if text.isdecimal() and len(text) < 16 else 0
            return do(lambda ctx: service.hand_over(ctx, rule_id, number), HOME, msg("The rule has a new owner."))
        case "delete":
            return do(lambda ctx: service.delete(ctx, rule_id), HOME, msg("The rule is deleted; its log stays."))
    raise NotFound


def versions(rule_id: int) -> ResponseReturnValue:
    """How the rule stood over time."""
    who = reader()
    rule = who.crm.automation.rule(who.ctx, rule_id)
    people = dict(users.names(who.ctx, active_only=False))
    found = who.crm.automation.versions(who.ctx, rule_id)
    rows = [
        {
            "version": one.version, "name": one.name, "by": people.get(one.by_id or 0, ""),
            "told": Teller(who, one.body.get("entity")).rule(one.body), "at": who.formats.datetime(one.at),
            "current": one.version == rule.version,
        }
        for one in found
    ]  # fmt: skip
    title = who.t(msg("Versions of “{name}”", name=rule.name))
    return answer("automations/versions.html", title=title, rows=rows, rule_id=rule_id)
