"""Backups: which there are, one made now, their settings; a download takes a Super Admin and a fresh sign-in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore import access, backups
from gigacore.backups import Backup, catalogue
from gigacore.backups.jobs import BACKUP, SETTINGS
from gigacore.data import audit, settings
from gigacore.errors import Conflict, GigaError, Invalid, worded
from gigacore.jobs import core_job, core_schedule, enqueue
from gigacore.messages import Msg, msg
from host_app import restoring
from host_app.api.policies import on_tool
from host_app.auth import current, keep_cookie
from host_app.context import current_crm, host
from host_app.pages import plain_form
from host_app.pages.fresh import is_fresh, prove
from host_app.pages.notes import note
from host_app.pages.raw import Raw, raw_from
from host_app.pages.reader import Reader, reader
from host_app.pages.settings.area import settings_page
from host_app.routing import route

LIST: Final = "/settings/backups"
TOOL: Final = "core.backup"
PIECE: Final = 1 << 18
STATES: Final = {
    "running": (msg("running"), "blue"),
    "complete": (msg("complete"), "green"),
    "verified": (msg("verified"), "green"),
    "failed": (msg("failed"), "red"),
    "damaged": (msg("damaged"), "red"),
}
REASONS: Final = {
    "schedule": msg("scheduled"),
    "by hand": msg("by hand"),
    "before a restore": msg("before a restore"),
    "drill": msg("restore drill"),
}


def register(app: Flask) -> None:
    """Declare the routes."""
    seen, done = on_tool(TOOL, "view"), on_tool(TOOL, "edit")
    route(app, LIST, policy=seen)(show)
    route(app, LIST, policy=done, methods=["POST"])(start)
    route(app, f"{LIST}/settings", policy=done)(choose)
    route(app, f"{LIST}/settings", policy=done, methods=["POST"])(save)
    route(app, f"{LIST}/<name>", policy=done)(one)
    route(app, f"{LIST}/<name>", policy=done, methods=["POST"])(download)
    route(app, f"{LIST}/<name>/restore", policy=done, methods=["POST"])(restore)


def show() -> ResponseReturnValue:
    """Every backup, the one that is being made, and when the next one comes."""
    who = reader()
    found = catalogue.listing(host().settings.backups)
    return settings_page(
        "backups.html",
        who,
        title=who.t(msg("Backups")),
        rows=[_row(backup, who) for backup in found if backup.state != "running"],
        may_act=access.permits(who.ctx, "super_admin"),
        progress=_progress(who),
        following=_following(who),
        restored=_restored(who),
    )


def _restored(who: Reader) -> tuple[str, str] | None:
    """What came of the last restore that was ordered here, and whether that is bad."""
    last = restoring.outcome(host().settings)
    if last is None:
        return None
    at = who.formats.datetime(last.at)
    if last.error:
        text = msg("{name} was not restored, nothing changed: {reason}", name=last.name, reason=last.error)
        return who.t(text), "error"
    return who.t(msg("{name} was restored at {moment}.", name=last.name, moment=at)), ""


def _row(backup: Backup, who: Reader) -> dict[str, Any]:
    label, colour = STATES[backup.state]
    reason = REASONS.get(backup.reason)
    return {
        "name": backup.name,
        "at": who.formats.datetime(backup.made_at),
        "size": _megabytes(backup.size, who),
        "state": who.t(label),
        "colour": colour,
        "reason": who.t(reason) if reason else backup.reason,
        "sealed": bool(backup.sealed),
        "error": backup.error,
        "whole": backup.state in ("complete", "verified"),
    }


def _megabytes(size: int, who: Reader) -> str:
    return who.t(msg("{size} MB", size=who.formats.number(size / (1 << 20), 1))).replace(" ", "\u00a0")


def _count(number: int, who: Reader) -> str:
    return who.formats.number(number, 0)


def _progress(who: Reader) -> dict[str, Any] | None:
    """How far the backup is that waits or runs."""
    j = core_job.c
    query = sa.select(j.state, j.progress_done, j.progress_total).where(
        j.name == BACKUP.name, j.state.in_(("queued", "running"))
    )
    row = who.ctx.session.connection().execute(query.order_by(j.id.desc()).limit(1)).first()
    if row is None:
        return None
    waits = row.state == "queued"
    text = msg("A backup waits for its turn.") if waits else msg("A backup is being made.")
    return {"text": who.t(text), "done": row.progress_done, "total": row.progress_total or 1}


def _following(who: Reader) -> str:
    s = core_schedule.c
    query = sa.select(s.next_at).where(s.name == BACKUP.name, s.enabled)
    at = who.ctx.session.connection().scalar(query)
    return who.formats.datetime(at) if at else ""


def start() -> ResponseReturnValue:
    """Make a backup as soon as a worker is free."""
    who = reader()
    with current_crm().unit_of_work(current(), source="page") as ctx:
        enqueue(ctx, BACKUP, {"reason": "by hand"}, unique_key=BACKUP.name)
    note(who.t(msg("The backup begins.")))
    return redirect(LIST, 303)


def choose() -> ResponseReturnValue:
    """How long backups are kept, and whether they are encrypted."""
    who = reader()
    kept = settings.read(who.ctx.session.connection())
    values = {field.name: kept.get(field.name, field.default_value()) for field in SETTINGS}
    return _form(who, plain_form.filled(SETTINGS, values, who))


def save() -> ResponseReturnValue:
    """Keep the settings."""
    who = reader()
    raw = raw_from(request.form.to_dict(flat=False))
    try:
        typed = plain_form.typed(SETTINGS, raw, who)
    except Invalid as error:
        return _form(who, raw, error)
    with current_crm().unit_of_work(current(), source="page") as ctx:
        for name, value in typed.items():
            settings.put(ctx, name, value)
    note(who.t(msg("Saved.")))
    return redirect(LIST, 303)


def _form(who: Reader, raw: Raw, error: Invalid | None = None) -> ResponseReturnValue:
    problems = plain_form.problems_of(error, who) if error else {}
    phrase = bool(host().settings.backup_passphrase)
    with_what = msg("the passphrase of GIGA_BACKUP_PASSPHRASE") if phrase else msg("this installation's encryption key")
    told = msg(
        "Backups lie in {folder}; GIGA_BACKUP_DIR names another place. Encrypted ones take {secret}.",
        folder=host().settings.backups,
        secret=with_what,
    )
    return settings_page(
        "form.html", who, 422 if error else 200, title=who.t(msg("Settings of backups")), home=LIST, help=who.t(told),
        inputs=plain_form.inputs(SETTINGS, raw, who, problems), button=who.t(msg("Save")),
        trouble=[problems[""]] if "" in problems else [],
    )  # fmt: skip


def one(name: str) -> ResponseReturnValue:
    """One backup: the form that downloads it, and how it is restored."""
    return _page_of(name, reader())


def _page_of(name: str, who: Reader, refused: Msg | None = None, status: int = 200) -> ResponseReturnValue:
    path = catalogue.named(host().settings.backups, name)
    found = catalogue.receipt_of(path) or Backup(name, who.crm.clock.now())
    return settings_page(
        "backup.html",
        who,
        status,
        title=who.t(msg("Backup of {moment}", moment=who.formats.datetime(found.made_at))),
        backup=_row(found, who) | {"name": name, "size": _megabytes(path.stat().st_size, who)},
        counts=who.t(msg("{rows} rows, {files} files", rows=_count(found.rows, who), files=_count(found.files, who))),
        refused=who.t(refused) if refused else "",
        ask_password=not is_fresh(),
        may_restore=host().restart is not None,
    )


def restore(name: str) -> ResponseReturnValue:
    """Order the restore and end this process; the next one restores before it serves. Takes a fresh sign-in."""
    who, crm = reader(), current_crm()
    path, restart = catalogue.named(host().settings.backups, name), host().restart
    if restart is None:
        raise Conflict(msg("Nobody would start this server again."), fix=msg("Use `giga backup restore`."))
    try:
        prove()
        backups.inspect(crm, path)
        backups.check_alone(crm)
    except Invalid as error:
        return _page_of(name, who, error.errors[0].message, 422)
    except GigaError as error:
        return _page_of(name, who, worded(error), 422)
    with crm.unit_of_work(current(), source="page") as ctx:
        audit.record(ctx, "core.backup", "restore ordered", values={"name": name})
    restoring.order(host().settings, name)
    note(who.t(msg("The server starts again with the backup. Sign in again in a moment.")))
    response = redirect(LIST, 303)
    response.call_on_close(restart)
    return response


def download(name: str) -> ResponseReturnValue:
    """One file with all that the backup needs, for whoever gives their password again; the audit keeps who took it."""
    who, crm = reader(), current_crm()
    path = catalogue.named(host().settings.backups, name)
    try:
        raw = prove()
    except Invalid as error:
        return _page_of(name, who, error.errors[0].message, 422)
    with crm.unit_of_work(current(), source="page") as ctx:
        audit.record(ctx, "core.backup", "downloaded", values={"name": name})
    whole = path.with_name(f".{uuid4().hex}.export")
    source = backups.export(crm, path, whole).open("rb")
    whole.unlink()
    headers = {
        "Content-Length": str(os.fstat(source.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    response = Response(_pieces(source), mimetype="application/octet-stream", headers=headers)
    if raw:
        keep_cookie(response, raw)
    return response


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    with source:
        while piece := source.read(PIECE):
            yield piece
