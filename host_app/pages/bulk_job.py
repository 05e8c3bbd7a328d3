"""Operations on many records as jobs: their progress in the page, what was refused, and the way back from deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import jobs, records
from gigacore.context import Context
from gigacore.entity import EntitySpec
from gigacore.errors import NotFound
from gigacore.exchange.export_job import EXPORT
from gigacore.jobs import oversight
from gigacore.jobs.tables import CANCELLED, DONE, QUEUED, RUNNING
from gigacore.messages import Msg, msg
from gigacore.records import labels_of
from gigacore.records.actions import DIRECT_BULK
from gigacore.upkeep import BULK
from host_app.api.policies import entity_at, on_entity
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.addresses import is_local, list_url, record_url
from host_app.pages.columns import number_of
from host_app.pages.frame import is_partial
from host_app.pages.frame import page as answer
from host_app.pages.notes import note
from host_app.pages.reader import Reader, reader
from host_app.routing import route

RULE: Final = "/<plugin>/<plural>/bulk"
VERBS: Final = {
    "update": msg("{count} changed."), "delete": msg("{count} deleted."), "restore": msg("{count} brought back."),
    "add": msg("{count} changed."),
}  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, f"{RULE}/<int:job_id>", policy=on_entity("view"))(show)
    route(app, f"{RULE}/<int:job_id>/cancel", policy=on_entity("view"), methods=["POST"])(cancel)
    route(app, f"{RULE}/restore", policy=on_entity("delete"), methods=["POST"])(restore)


def enqueue(
    ctx: Context,
    spec: EntitySpec,
    action: str,
    ids: Sequence[int],
    params: Mapping[str, Any],
    back: str,
    *,
    plugin: bool = False,
) -> str:
    """Let a job do it; returns the address of the list that shows its progress."""
    payload = {"entity": spec.name, "action": action, "ids": list(ids), "params": dict(params), "plugin": plugin}
    return with_job(back, jobs.enqueue(ctx, BULK, payload))


def with_job(back: str, number: int) -> str:
    """The list with the progress of a job."""
    return f"{back}{'&' if '?' in back else '?'}job={number}"


def undo_url(spec: EntitySpec, ids: Sequence[int]) -> str:
    """Where a deletion of a few records is taken back."""
    return f"{list_url(spec)}/bulk/restore?ids={','.join(map(str, ids))}"


def show(plugin: str, plural: str, job_id: int) -> ResponseReturnValue:
    """How far the job is; at its end what was refused, record by record."""
    spec, who = entity_at(plugin, plural), reader()
    state = oversight.get(who.ctx, job_id)
    payload = oversight.payload_of(who.ctx, job_id)
    if state.name not in (BULK.name, EXPORT.name) or payload.get("entity") != spec.name:
        raise NotFound
    running = state.state in (QUEUED, RUNNING)
    total = len(payload["ids"]) if "ids" in payload else int(payload["total"])
    number = who.formats.number
    result = state.result if isinstance(state.result, Mapping) else {}
    return answer(
        "parts/bulk_job.html" if is_partial() else "bulk_job.html",
        title=who.t(spec.label_plural),
        path=list_url(spec),
        job=job_id,
        running=running,
        broken=state.state not in (QUEUED, RUNNING, DONE, CANCELLED),
        cancelled=state.state == CANCELLED,
        done=state.progress_done,
        total=total,
        progress=who.t(msg("{done} of {total}", done=number(state.progress_done), total=number(total))),
        outcome=who.t(msg("The file is ready.")) if "file" in result else _outcome(payload, result, who),
        file=f"/files/{result['file']}" if "file" in result else "",
        faults=_faults(spec, result, who),
        more=max(0, int(result.get("failures", 0)) - len(result.get("failed", ()))),
        may_undo=payload.get("action") == "delete" and bool(result.get("changed")) and who.may("delete", spec.name),
    )


def _outcome(payload: Mapping[str, Any], result: Mapping[str, Any], who: Reader) -> str:
    count, failures = int(result.get("changed", 0)), int(result.get("failures", 0))
    done = VERBS.get(payload.get("action", ""), VERBS["update"])
    texts = [Msg(done.text, {"count": who.formats.number(count)})]
    if failures:
        texts.append(msg("{count} left as they were.", count=who.formats.number(failures)))
    return " ".join(who.t(text) for text in texts)


def _faults(spec: EntitySpec, result: Mapping[str, Any], who: Reader) -> list[tuple[str, str, str]]:
    """Title, address and reason of each record that was refused; those out of sight go by their number."""
    failed = result.get("failed", ())
    titles = labels_of(who.ctx.session, spec.name, [one["id"] for one in failed]) if failed else {}
    return [
        (
            titles.get(one["id"]) or number_of(spec, one["id"]),
            record_url(spec, one["id"]),
            who.t(Msg(one["text"], one["params"])) if "text" in one else one["detail"],
        )
        for one in failed
    ]


def cancel(plugin: str, plural: str, job_id: int) -> ResponseReturnValue:
    """Stop the job; what it has changed stays changed."""
    spec, who = entity_at(plugin, plural), reader()
    with current_crm().unit_of_work(current()) as ctx:
        jobs.cancel(ctx, job_id)
    note(who.t(msg("The job stops after the records that are being changed.")))
    return redirect(with_job(_back(spec), job_id), 303)


def restore(plugin: str, plural: str) -> ResponseReturnValue:
    """Take back what was deleted: the records named, or those of a job."""
    spec, who = entity_at(plugin, plural), reader()
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "page"
        ids = _deleted(ctx, spec)
        if len(ids) > DIRECT_BULK:
            return redirect(enqueue(ctx, spec, "restore", ids, {}, _back(spec)), 303)
        result = records.bulk(ctx, spec.name, "restore", ids, {})
    note(who.t(msg("{count} brought back.", count=len(result.done))), kind="error" if result.failed else "")
    return redirect(_back(spec), 303)


def _deleted(ctx: Context, spec: EntitySpec) -> list[int]:
    job = request.form.get("job", "")
    if job.isdigit():
        payload = oversight.payload_of(ctx, int(job))
        if payload.get("entity") != spec.name or payload.get("action") != "delete":
            raise NotFound
        return list(payload["ids"])
    return [int(text) for text in request.args.get("ids", "").split(",") if text.isdigit()][:DIRECT_BULK]


def _back(spec: EntitySpec) -> str:
    back = request.form.get("back", "")
    return back if is_local(back) else list_url(spec)
