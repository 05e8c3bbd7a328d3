"""The job monitor: what waits and since when, one job with its log, dead deliveries played again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Flask, request
from flask.typing import ResponseReturnValue

from gigacore import access
from gigacore.context import Context
from gigacore.errors import NotFound
from gigacore.jobs import monitor, oversight
from gigacore.jobs.monitor import Backlog, DeadDelivery
from gigacore.jobs.oversight import JobState
from gigacore.jobs.tables import CANCELLED, DEAD, DONE, PARKED, QUEUED, RUNNING
from gigacore.messages import Msg, msg, unpacked
from host_app.api.policies import on_tool
from host_app.pages.addresses import with_query
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.pages.settings.doing import do
from host_app.routing import route, signed_in

MONITOR: Final = "/settings/jobs"
ONE: Final = f"{MONITOR}/<int:job_id>"
TOOL: Final = oversight.TOOL
PAGE: Final = 50
STATES: Final = {
    QUEUED: (msg("waiting"), "blue"),
    RUNNING: (msg("running"), "indigo"),
    DONE: (msg("done"), "green"),
    DEAD: (msg("given up"), "red"),
    CANCELLED: (msg("cancelled"), "grey"),
    PARKED: (msg("parked"), "orange"),
}


def register(app: Flask) -> None:
    """Declare the routes. One's own jobs are open to everybody, others' to whom the service lets see them."""
    seen, done = on_tool(TOOL, "view"), on_tool(TOOL, "edit")
    route(app, MONITOR, policy=seen)(show)
    route(app, f"{MONITOR}/deliveries", policy=seen)(deliveries)
    route(app, f"{MONITOR}/deliveries/replay", policy=done, methods=["POST"])(replay)
    route(app, ONE, policy=signed_in)(one)
    route(app, f"{ONE}/cancel", policy=signed_in, methods=["POST"])(cancel)
    route(app, f"{ONE}/retry", policy=signed_in, methods=["POST"])(retry)


def show() -> ResponseReturnValue:
    """Counts by state, the oldest that waits, and the jobs, newest first."""
    who, args = reader(), request.args
    state = args["state"] if args.get("state") in STATES else None
    name = args.get("name", "")[:100]
    routine = "routine" in args or bool(name)
    found = oversight.listing(
        who.ctx, everybody=True, state=state, name=name or None, before=args.get("before", type=int), limit=PAGE,
        routine=routine,
    )  # fmt: skip
    chosen = [*_chosen(state, name), *([("routine", 1)] if "routine" in args else [])]
    older = with_query(MONITOR, [*chosen, ("before", found[-1].id)]) if len(found) == PAGE else ""
    return settings_page(
        "jobs.html", who, title=who.t(msg("Jobs")), chips=_chips(who, state, name), name=name, state=state or "",
        names=[(one, job_label(one, who)) for one in oversight.names(who.ctx)], older=older,
        oldest=waiting_since(monitor.oldest_job(who.ctx), who), rows=[_row(one, who) for one in found],
        hidden="" if routine else _hidden(state, who), routine_url=with_query(MONITOR, [*chosen, ("routine", 1)]),
        backlog=_events_in_short(who), may_act=access.may(who.ctx, "edit", TOOL),
    )  # fmt: skip


def _hidden(state: str | None, who: Reader) -> str:
    """How many runs of schedules that went well the list leaves out; empty where there are none."""
    count = oversight.routine_runs(who.ctx) if state in (None, DONE) else 0
    return who.formats.number(count, 0) if count else ""


def _chosen(state: str | None, name: str) -> list[tuple[str, object]]:
    return [(key, value) for key, value in (("state", state), ("name", name)) if value]


def _chips(who: Reader, chosen: str | None, name: str) -> list[dict[str, Any]]:
    counts = oversight.counts(who.ctx)
    every = {
        "label": who.t(msg("All")), "count": who.formats.number(sum(counts.values()), 0), "current": chosen is None,
        "url": with_query(MONITOR, _chosen(None, name)), "colour": "",
    }  # fmt: skip
    return [every] + [
        {
            "label": who.t(label), "count": who.formats.number(counts.get(state, 0), 0), "current": state == chosen,
            "url": with_query(MONITOR, _chosen(state, name)), "colour": colour,
        }
        for state, (label, colour) in STATES.items()
    ]  # fmt: skip


def job_label(name: str, who: Reader) -> str:
    """What people read for a job; its name where its plugin does not run."""
    job = who.crm.jobs.declared.jobs.get(name)
    return who.t(job.label) if job and job.label else name


def waiting_since(moment: datetime | None, who: Reader) -> str:
    """The age of the oldest thing that waits, empty when nothing does."""
    return who.formats.relative(moment, who.now) if moment else ""


def _events_in_short(who: Reader) -> dict[str, str]:
    found = monitor.backlogs(who.ctx)
    oldest = min((one.oldest for one in found if one.oldest), default=None)
    number = who.formats.number
    return {
        "waiting": number(sum(one.waiting for one in found), 0), "dead": number(sum(one.dead for one in found), 0),
        "any_dead": "1" if any(one.dead for one in found) else "", "oldest": waiting_since(oldest, who),
    }  # fmt: skip


def _by(one: JobState, who: Reader) -> str:
    """Who started it."""
    return who.t(msg("The system")) if one.actor_name == "system" else one.actor_name


def _row(one: JobState, who: Reader) -> dict[str, Any]:
    label, colour = STATES[one.state]
    number = who.formats.number
    share = msg("{done} of {total}", done=number(one.progress_done), total=number(one.progress_total or 0))
    return {
        "id": one.id, "name": one.name, "label": job_label(one.name, who), "state": who.t(label), "colour": colour,
        "by": _by(one, who), "at": who.formats.datetime(one.created_at), "attempts": one.attempts,
        "progress": who.t(share) if one.progress_total else "",
        "error": reason_of_job(one, who) or last_line(one.error),
        "off": laid_aside(one.name, who) if one.state == PARKED else "",
    }  # fmt: skip


def plugin_off(name: str, who: Reader) -> str:
    """Why work of that name lies aside; empty when its plugin runs."""
    plugin = name.partition(".")[0]
    if plugin in who.crm.jobs.declared.plugins:
        return ""
    return who.t(msg("The plugin {name} is switched off; this goes on when it is switched on.", name=plugin))


def laid_aside(name: str, who: Reader) -> str:
    """Why a job of that name is parked."""
    newer = msg("A newer version of the program asked for this; it goes on where that version runs.")
    return plugin_off(name, who) or who.t(newer)


def last_line(error: str | None) -> str:
    """What an error says, without the way to it."""
    lines = (error or "").strip().splitlines()
    return lines[-1][:300] if lines else ""


def one(job_id: int) -> ResponseReturnValue:
    """One job: progress, log, error; drawn anew while it runs."""
    who = reader()
    found = oversight.get(who.ctx, job_id)
    overseer = access.may(who.ctx, "view", TOOL)
    acts = oversight.is_own(who.ctx, found) or access.may(who.ctx, "edit", TOOL)
    moment = who.formats.datetime
    times = (
        (msg("Created"), found.created_at), (msg("Due"), found.run_at), (msg("Started"), found.started_at),
        (msg("Ended"), found.finished_at),
    )  # fmt: skip
    return settings_page(
        "job.html", who, title=job_label(found.name, who), job=_row(found, who), crumbs=overseer,
        open=found.state in (QUEUED, RUNNING), done=found.progress_done, total=found.progress_total,
        times=[(who.t(label), moment(at)) for label, at in times if at],
        reason=reason_of_job(found, who), error=found.error if overseer else "", log=found.log if overseer else "",
        may_cancel=acts and found.state in (QUEUED, RUNNING, PARKED),
        may_retry=acts and found.state in (DEAD, CANCELLED),
    )  # fmt: skip


def reason_of_job(job: JobState, who: Reader) -> str:
    """Why a job was given up, for people; empty where only its technical error is known."""
    reason = job.result.get("reason") if job.state == DEAD and isinstance(job.result, Mapping) else None
    return who.t(unpacked(reason)) if reason else ""


def cancel(job_id: int) -> ResponseReturnValue:
    """Stop a job: at once while it waits, at its next step while it runs."""
    return _act(job_id, oversight.cancel, msg("The job is stopped, or stops at its next step."))


def retry(job_id: int) -> ResponseReturnValue:
    """Try a job again that was given up or cancelled."""
    return _act(job_id, oversight.retry, msg("The job waits for its turn again."))


def _act(job_id: int, act: Callable[[Context, int], object], done: Msg) -> ResponseReturnValue:
    return do(lambda ctx: act(ctx, job_id), f"{MONITOR}/{job_id}", done)


def deliveries() -> ResponseReturnValue:
    """What each consumer of events has before it, and what was given up."""
    who = reader()
    rows = [_backlog(one, who) for one in monitor.backlogs(who.ctx)]
    dead = [_dead(one, who) for one in monitor.dead_deliveries(who.ctx)]
    return settings_page(
        "deliveries.html", who, title=who.t(msg("Events")), rows=rows, dead=dead,
        may_act=access.may(who.ctx, "edit", TOOL), home=MONITOR,
    )  # fmt: skip


def _backlog(one: Backlog, who: Reader) -> dict[str, Any]:
    number = who.formats.number
    return {
        "consumer": one.consumer, "waiting": number(one.waiting, 0), "dead": number(one.dead, 0),
        "any_dead": one.dead > 0, "oldest": waiting_since(one.oldest, who), "off": plugin_off(one.consumer, who),
    }  # fmt: skip


def _dead(one: DeadDelivery, who: Reader) -> dict[str, Any]:
    return {
        "event_id": str(one.event_id), "consumer": one.consumer, "event": one.event, "error": one.error,
        "short": last_line(one.error), "at": who.formats.datetime(one.at), "attempts": one.attempts,
        "record": f"/go/{one.entity}/{one.record_id}" if one.record_id and who.may("view", one.entity) else "",
    }  # fmt: skip


def replay() -> ResponseReturnValue:
    """Give one dead delivery, or all of a consumer, a fresh set of attempts."""
    form, target = request.form, f"{MONITOR}/deliveries"
    consumer, event = form.get("consumer", ""), form.get("event", "")
    if not event:
        return do(lambda ctx: monitor.replay_all(ctx, consumer), target, msg("The events are delivered again."))
    try:
        number = UUID(event)
    except ValueError:
        raise NotFound from None
    return do(lambda ctx: monitor.replay(ctx, number, consumer), target, msg("The event is delivered again."))
