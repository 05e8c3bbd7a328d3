"""The log of the automations: every run, why it started, what it did, and how it ended. Read-only but for the retry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.automation import Run
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import Msg, msg
from host_app.api.policies import on_tool
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.addresses import record_url
from host_app.pages.automations.building import HOME, TOOL
from host_app.pages.automations.words import Teller
from host_app.pages.columns import number_of
from host_app.pages.forms import Option
from host_app.pages.frame import page as answer
from host_app.pages.history import when
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.doing import do
from host_app.routing import route

LOG: Final = f"{HOME}/log"
RUN: Final = f"{HOME}/runs/<int:run_id>"
MOST: Final = 50
DAYS: Final = (FieldSpec("from", "date", label="Between"), FieldSpec("to", "date", label="and"))
KEPT: Final = ("rule", "state", "entity", "record", "from", "to")
STATES: Final[Mapping[str, tuple[Msg, str]]] = {
    "waiting": (msg("Waiting"), "blue"), "done": (msg("Done"), "green"), "failed": (msg("Failed"), "red"),
    "skipped": (msg("Skipped"), ""),
}  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LOG, policy=on_tool(TOOL, "view"))(show)
    route(app, RUN, policy=on_tool(TOOL, "view"))(one)
    route(app, f"{RUN}/retry", policy=on_tool(TOOL, "create"), methods=["POST"])(retry)


def show() -> ResponseReturnValue:
    """The runs, newest first; `?rule=`, `?state=`, `?entity=&record=`, `?from=`, `?to=`, `?before=` narrow them."""
    who, given = reader(), request.args
    raw = raw_from(given.to_dict(flat=False))
    days, wrong = _days(who, raw)
    entity, record, state = given.get("entity", ""), _number("record"), given.get("state", "")
    found = who.crm.automation.runs(
        who.ctx,
        rule_id=_number("rule") or None,
        state=state if state in STATES else "",
        record=(entity, record) if entity and record else None,
        since=_midnight(who, days.get("from"), 0),
        until=_midnight(who, days.get("to"), 1),
        before=_number("before") or None,
        limit=MOST + 1,
    )
    kept = {name: given[name] for name in KEPT if given.get(name)}
    rules = who.crm.automation.rules(who.ctx)
    return answer(
        "automations/log.html",
        title=who.t(msg("Log of the automations")),
        rows=[_row(run, who) for run in found[:MOST]],
        older={**kept, "before": str(found[MOST - 1].id)} if len(found) > MOST else {},
        rules=[Option(str(rule.id), rule.name, rule.id == _number("rule")) for rule in rules],
        states=[Option(key, who.t(label), key == state) for key, (label, _colour) in STATES.items()],
        about=_row(found[0], who) if found and entity and record else {},
        entity=entity,
        record=given.get("record", ""),
        days=plain_form.inputs(DAYS, raw, who, wrong),
    )


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _days(who: Reader, raw: Raw) -> tuple[dict[str, str], dict[str, str]]:
    """The days of the address by name, as they are typed in the reader's language, and what is wrong with others."""
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for field in DAYS:
        try:
            found |= plain_form.typed([field], raw, who)
        except Invalid as error:
            wrong |= plain_form.problems_of(error, who)
    return found, wrong


def _midnight(who: Reader, day: str | None, later: int) -> datetime | None:
    """The beginning of a day in the reader's time zone, or of so many days after it."""
    try:
        return datetime.combine(date.fromisoformat(day or "") + timedelta(days=later), time(), who.formats.zone)
    except (ValueError, OverflowError):
        return None


def _row(run: Run, who: Reader) -> dict[str, Any]:
    at, exact = when(run.created_at, who)
    spec = who.registry.entities.get(run.entity)
    label, colour = STATES[run.state]
    return {
        "id": run.id, "at": at, "exact": exact, "rule": run.rule_name, "rule_id": run.rule_id,
        "kind": who.t(spec.label) if spec is not None else "",
        "record": run.label or (number_of(spec, run.record_id) if spec is not None and run.record_id else ""),
        "url": record_url(spec, run.record_id) if spec is not None and run.label else "",
        "state": who.t(label), "colour": colour, "error": who.t(run.error) if run.error else "",
    }  # fmt: skip


def one(run_id: int) -> ResponseReturnValue:
    """One run with its conditions, its steps and its end."""
    who = reader()
    run = who.crm.automation.run(who.ctx, run_id)
    teller = Teller(who, run.entity)
    return answer(
        "automations/run.html",
        title=run.rule_name,
        row=_row(run, who),
        version=run.rule_version,
        trace_lines=list(teller.trace(run.trace)),
        steps=teller.done(run.steps or []),
        next=who.formats.datetime(run.next_at) if run.next_at else "",
        ended=who.formats.datetime(run.finished_at) if run.finished_at else "",
        may_retry=run.state == "failed" and access.may(who.ctx, "create", TOOL),
    )


def retry(run_id: int) -> ResponseReturnValue:
    """Let a failed run go on from the step that failed."""
    done = msg("The run goes on from the step that failed.")
    return do(lambda ctx: current_crm().automation.retry(ctx, run_id), f"{HOME}/runs/{run_id}", done)
