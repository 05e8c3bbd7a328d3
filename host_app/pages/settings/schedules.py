"""Schedules: when each runs, to be changed, the last time it did, switched on and off, and run at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.errors import Invalid, NotFound
from gigacore.jobs import monitor
from gigacore.jobs.monitor import ScheduleState
from gigacore.messages import msg
from host_app.api.policies import on_tool
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages import plain_form
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import again, do, problems
from host_app.pages.settings.jobs import MONITOR, TOOL, job_label, plugin_off
from host_app.pages.settings.paces import FIELDS, pace_values, pace_words, times_of
from host_app.routing import route

LIST: Final = f"{MONITOR}/schedules"
INPUTS: Final = MappingProxyType({"every_seconds": "count"})


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    one, may_edit = f"{LIST}/<int:schedule_id>", on_tool(TOOL, "edit")
    route(app, one, policy=may_edit, methods=["POST"])(change)
    route(app, f"{one}/edit", policy=may_edit)(edit)
    route(app, f"{one}/edit", policy=may_edit, methods=["POST"])(save)


def show() -> ResponseReturnValue:
    """Every schedule with its last and its next time."""
    who = reader()
    rows = [_row(one, who) for one in monitor.schedule_listing(who.ctx)]
    may_act = access.may(who.ctx, "edit", TOOL)
    return settings_page(
        "schedules.html", who, title=who.t(msg("Schedules")), rows=rows, may_act=may_act, home=MONITOR
    )  # fmt: skip


def _row(one: ScheduleState, who: Reader) -> dict[str, Any]:
    off, formats = plugin_off(one.name, who), who.formats
    return {
        "id": one.id, "name": one.name, "label": job_label(one.job, who), "enabled": one.enabled, "off": off,
        "when": pace_words(one, who), "last": formats.relative(one.last_at, who.now),
        "next": formats.relative(one.next_at, who.now) if one.enabled and not off else "",
        "last_exact": formats.datetime(one.last_at), "next_exact": formats.datetime(one.next_at),
    }  # fmt: skip


def edit(schedule_id: int) -> ResponseReturnValue:
    """When a schedule runs, to be changed."""
    who, one = reader(), _one(schedule_id)
    return _form(one, plain_form.filled(FIELDS, pace_values(one), who), who)


def save(schedule_id: int) -> ResponseReturnValue:
    """Let it run at other times from now on."""
    who, one, raw = reader(), _one(schedule_id), raw_from(request.form.to_dict(flat=False))
    if again(raw):
        return _form(one, raw, who)
    try:
        times = times_of(plain_form.typed(FIELDS, raw, who))
        with current_crm().unit_of_work(current()) as ctx:
            ctx.source = "page"
            monitor.change_schedule(ctx, schedule_id, **times)
    except Invalid as error:
        wrong = {INPUTS.get(name, name): text for name, text in problems(error, who).items()}
        return _form(one, raw, who, wrong)
    note(who.t(msg("Saved.")))
    return redirect(LIST, 303)


def _one(schedule_id: int) -> ScheduleState:
    found = next((one for one in monitor.schedule_listing(reader().ctx) if one.id == schedule_id), None)
    if found is None:
        raise NotFound
    return found


def _form(one: ScheduleState, raw: Raw, who: Reader, wrong: Mapping[str, str] | None = None) -> ResponseReturnValue:
    wrong = wrong or {}
    return settings_page(
        "form.html", who, 422 if wrong else 200, title=job_label(one.job, who), crumb=who.t(msg("Schedules")),
        home=LIST, inputs=plain_form.inputs(FIELDS, raw, who, wrong), trouble=[wrong[""]] if "" in wrong else [],
        button=who.t(msg("Save")),
        help=who.t(msg("The new times count from now on; what was missed is not caught up.")),
    )  # fmt: skip


def change(schedule_id: int) -> ResponseReturnValue:
    """Switch a schedule on or off, or run it at once."""
    wish = request.form.get("wish", "")
    if wish == "run":
        declared = current_crm().jobs.declared
        done = msg("The job waits for its turn.")
        return do(lambda ctx: monitor.run_schedule(ctx, schedule_id, declared.jobs, declared.plugins), LIST, done)
    if wish not in ("on", "off"):
        raise NotFound
    return do(lambda ctx: monitor.switch_schedule(ctx, schedule_id, enabled=wish == "on"), LIST)
