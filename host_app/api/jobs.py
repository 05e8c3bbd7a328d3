"""Jobs over the API: what bulk changes and imports that were accepted have come to; schedules and their times."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import Flask, Response, g

from gigacore.context import Context
from gigacore.errors import Invalid, NotFound
from gigacore.jobs import monitor, oversight
from gigacore.jobs.monitor import ScheduleState
from gigacore.jobs.oversight import TOOL, JobState
from gigacore.messages import msg
from host_app.api.answers import answer
from host_app.api.body import read_object, read_optional_object
from host_app.api.once import write
from host_app.api.policies import on_tool
from host_app.api.query import number, only, word
from host_app.routing import route, signed_in

JOBS: Final = "/api/v1/core/jobs"
ONE: Final = f"{JOBS}/<int:id>"
SCHEDULES: Final = "/api/v1/core/schedules"
TIMES: Final = MappingProxyType({"cron": str, "every_seconds": int, "timezone": str})
STATES: Final = ("queued", "running", "done", "dead", "cancelled", "parked")
TECHNICAL: Final = frozenset({"error", "log", "attempts", "actor_user_id"})


def register(app: Flask) -> None:
    """Declare the routes. One's own jobs are open to everybody, others' to whom the service lets see them."""
    route(app, JOBS, policy=signed_in)(list_jobs)
    route(app, ONE, policy=signed_in)(get_job)
    route(app, f"{ONE}/actions/cancel", policy=signed_in, methods=["POST"])(cancel)
    route(app, f"{ONE}/actions/retry", policy=signed_in, methods=["POST"])(retry)
    route(app, SCHEDULES, policy=on_tool(TOOL, "view"))(list_schedules)
    route(app, f"{SCHEDULES}/<int:id>", policy=on_tool(TOOL, "edit"), methods=["PATCH"])(change_schedule)


def list_jobs() -> Response:
    """One's own jobs, newest first; `?everybody=1` all of them, `?state=dead`, `?before=` goes on from the last one."""
    only("state", "before", "limit", "everybody")
    state, everybody = word("state", STATES) or None, word("everybody", ("0", "1")) == "1"
    limit = number("limit", default=50, most=200) or 50
    before = number("before", default=None, most=2**31)
    found = oversight.listing(g.ctx, everybody=everybody, state=state, before=before, limit=limit)
    return answer({"items": [_shown(one) for one in found], "next": found[-1].id if len(found) == limit else None})


def get_job(id: int) -> Response:
    """One job with its progress and, when it is done, its result."""
    only()
    return answer(_shown(oversight.get(g.ctx, id)))


def cancel(id: int) -> Response:
    """Stop a job: at once while it waits, at its next step while it runs."""
    return _act(id, oversight.cancel)


def retry(id: int) -> Response:
    """Try a dead or cancelled job again."""
    return _act(id, oversight.retry)


def _act(number: int, act: Any) -> Response:
    only()
    read_optional_object()

    def work(ctx: Context) -> Response:
        act(ctx, number)
        return answer(_shown(oversight.get(ctx, number)))

    return write(work)


def _shown(one: JobState) -> dict[str, Any]:
    """A job; what only helps those who look after the queue is left out for others."""
    hidden = frozenset[str]() if oversight.may(g.ctx, "view") else TECHNICAL
    return {name: getattr(one, name) for name in JobState.__slots__ if name not in hidden}


def list_schedules() -> Response:
    """What runs by itself, when, and when it did last."""
    only()
    return answer({"items": [_schedule(one) for one in monitor.schedule_listing(g.ctx)]})


def change_schedule(id: int) -> Response:
    """Switch a schedule (`enabled`), or give it other times: `cron` or `every_seconds`, and `timezone`."""
    only()
    body = _wishes(read_object())

    def work(ctx: Context) -> Response:
        if "enabled" in body:
            monitor.switch_schedule(ctx, id, enabled=body["enabled"])
        if TIMES.keys() & body.keys():
            monitor.change_schedule(ctx, id, **_times(body, _found(ctx, id)))
        return answer(_schedule(_found(ctx, id)))

    return write(work)


def _found(ctx: Context, number: int) -> ScheduleState:
    found = next((one for one in monitor.schedule_listing(ctx) if one.id == number), None)
    if found is None:
        raise NotFound
    return found


def _times(body: Mapping[str, Any], now: ScheduleState) -> dict[str, Any]:
    """All times: what is not given stays, but for the other way to say when."""
    times = {name: body[name] if name in body else getattr(now, name) for name in TIMES}
    for name, other in (("cron", "every_seconds"), ("every_seconds", "cron")):
        if body.get(name) and other not in body:
            times[other] = None
    return times


def _wishes(body: dict[str, Any]) -> dict[str, Any]:
    """The body, if its values are of the right kinds. Raises Invalid."""
    for name, value in body.items():
        kind = bool if name == "enabled" else TIMES.get(name)
        if kind is None:
            raise Invalid.of(name, msg("There is no field {name}.", name=name[:80]), "unknown_field")
        if type(value) is not kind and not (value is None and name in ("cron", "every_seconds")):
            raise Invalid.of(name, msg("This is not one of the possible values."))
    return body


def _schedule(one: ScheduleState) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ScheduleState.__slots__}
