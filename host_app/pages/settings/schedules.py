"""Schedules: when each runs, the last time it did, switched on and off, and run at once."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.errors import NotFound
from gigacore.jobs import monitor
from gigacore.jobs.monitor import ScheduleState
from gigacore.messages import Msg, msg
from host_app.api.policies import on_tool
from host_app.context import current_crm
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import do
from host_app.pages.settings.jobs import MONITOR, TOOL, job_label, plugin_off
from host_app.routing import route

LIST: Final = f"{MONITOR}/schedules"
PARTS: Final = ((86_400, msg("every {count} days")), (3600, msg("every {count} hours")), (60, msg("every {count} min")))


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, LIST, policy=on_tool(TOOL, "view"))(show)
    route(app, f"{LIST}/<int(max=2147483647):schedule_id>", policy=on_tool(TOOL, "edit"), methods=["POST"])(change)


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
        "when": who.t(pace(one)), "last": formats.relative(one.last_at, who.now),
        "next": formats.relative(one.next_at, who.now) if one.enabled and not off else "",
        "last_exact": formats.datetime(one.last_at), "next_exact": formats.datetime(one.next_at),
    }  # fmt: skip


def pace(one: ScheduleState) -> Msg | str:
    """How often a schedule runs: a distance in words, or its crontab line with its time zone."""
    if not one.every_seconds:
        return f"{one.cron} ({one.timezone})".replace(" ", "\u00a0")
    for size, text in PARTS:
        if one.every_seconds % size == 0:
            return Msg(text.text, {"count": one.every_seconds // size})
    return msg("every {count} s", count=one.every_seconds)


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
