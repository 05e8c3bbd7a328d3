"""The core's own work: jobs and schedules that belong to no plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from gigacore import access, customfields, failures, keeping, notices, records, search
from gigacore.backups import jobs as backup_jobs
from gigacore.context import Context
from gigacore.customfields.tables import core_custom_field
from gigacore.data import idempotency
from gigacore.errors import GigaError, Invalid, NotFound
from gigacore.exchange import jobs as exchange_jobs
from gigacore.exchange.export_job import EXPORT
from gigacore.files import jobs as file_jobs
from gigacore.jobs import Consumer, Job, JobRun, Schedule, core_job, queue, relay
from gigacore.jobs.relay import Event
from gigacore.mail import jobs as mail_jobs
from gigacore.records import erasing
from gigacore.ui import BulkAction
from gigacore.values import dataclass
from gigacore.webhooks import incoming, outgoing

CHUNK: Final = 50
KEPT_FAILURES: Final = 100
KEPT: Final = timedelta(days=30)
MATTERS: Final = frozenset({"formula", "active", "key"})
"""What of a field's definition decides on the values of formulas."""


def run_bulk(run: JobRun, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Change many records, a chunk in each transaction; after a crash it goes on where the last chunk ended."""
    ids, changed, failed = payload["ids"], 0, []
    done = _progress(run)
    while done < len(ids):
        run.between_steps()
        with run.unit_of_work() as ctx:
            chunk = ids[done : done + CHUNK]
            result = _change(run, ctx, payload, chunk)
            done += len(chunk)
            run.checkpoint(ctx, done, len(ids))
        changed += len(result.done)
        failed += [_failure(number, error) for number, error in result.failed]
    return {"changed": changed, "failed": failed[:KEPT_FAILURES], "failures": len(failed)}


def _change(run: JobRun, ctx: Context, payload: Mapping[str, Any], chunk: Sequence[int]) -> records.BulkResult:
    """An operation of the core, or with `plugin` a plugin's own on several records, which fails or not as a whole."""
    entity, name, params = payload["entity"], payload["action"], payload["params"]
    if not payload.get("plugin"):
        return records.bulk(ctx, entity, name, chunk, params)
    host: Any = run.host
    found = [one for one in host.plugins.declared(BulkAction) if one.entity == entity and one.name == name]
    if not found:
        raise NotFound
    access.require(ctx, "bulk", entity)
    savepoint = ctx.session.begin_nested()
    try:
        found[0].run(ctx, chunk, params)
    except GigaError as error:
        savepoint.rollback()
        return records.BulkResult((), tuple((number, error) for number in chunk))
    savepoint.commit()
    return records.BulkResult(tuple(chunk), ())


def _failure(number: int, error: GigaError) -> dict[str, Any]:
    """Why a record was left as it was; `text` and `params` are for the reader's language."""
    told = error.errors[0].message if isinstance(error, Invalid) and error.errors else error.message
    params = {name: str(value) for name, value in told.params.items()}
    return {"id": number, "code": error.code, "detail": str(error), "text": told.text, "params": params}


def _progress(run: JobRun) -> int:
    with run.host.database.connect() as connection:
        return int(connection.scalar(sa.select(core_job.c.progress_done).where(core_job.c.id == run.id)) or 0)


def tidy(ctx: Context, payload: Mapping[str, Any]) -> None:
    """Remove what has had its time: kept answers, old trash, ended sessions, counted attempts, old jobs and events.

    The pieces of search indexes are merged as well.
    """
    connection = ctx.session.connection()
    for remove in (idempotency.purge, erasing.purge, access.sessions.sweep, access.limits.sweep, notices.purge):
        remove(connection, ctx.now)
    for forget in (queue.purge, relay.purge, outgoing.purge, incoming.purge):
        forget(connection, ctx.now - KEPT)
    search.tidy(connection)
    queue.enqueue(ctx, backup_jobs.REGISTER, unique_key=backup_jobs.REGISTER.name)


def recalculate(ctx: Context, event: Event) -> None:
    """A custom field came, went or changed: what formulas make of it is worked out anew, once for many changes."""
    if MATTERS.isdisjoint(event.fields):
        return
    fields = core_custom_field.c
    entity = ctx.session.connection().scalar(sa.select(fields.entity).where(fields.uid == event.record_uid))
    queue.enqueue(ctx, FORMULAS, {"entity": entity}, unique_key=f"{FORMULAS.name}:{entity}", system="formulas")


def run_formulas(run: JobRun, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Work out the formulas of an entity on all its records, or those of every entity when its field is gone."""
    with run.unit_of_work() as ctx:
        known = ctx.session.registry.entities
        wanted = [name for name, spec in known.items() if any(one.formula for one in spec.fields.values())]
    changed = done = 0
    for entity in wanted if payload["entity"] is None else {payload["entity"]} & set(wanted):
        after: int | None = 0
        while after is not None:
            run.between_steps()
            with run.unit_of_work() as ctx:
                count, after = customfields.backfill(ctx, entity, after)
                done += customfields.BATCH
                run.checkpoint(ctx, done)
            changed += count
    return {"changed": changed}


BULK: Final = Job("core.bulk", run_bulk, label="Change many records", long=True)
FORMULAS: Final = Job("core.formulas", run_formulas, label="Work out formulas", long=True, system="formulas")
TIDY: Final = Job("core.tidy", tidy, label="Tidy up", system="tidy up")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What workers run for the core, in the shape of a plugin's declarations."""

    name: str = "core"
    jobs: tuple[Job, ...] = (
        BULK,
        TIDY,
        FORMULAS,
        *exchange_jobs.JOBS,
        EXPORT,
        *file_jobs.JOBS,
        *backup_jobs.JOBS,
        *mail_jobs.JOBS,
        failures.JOB,
        keeping.JOB,
    )
    schedules: tuple[Schedule, ...] = (
        Schedule("core.tidy", "core.tidy", cron="17 3 * * *"),
        Schedule("core.sweep_files", "core.sweep_files", cron="37 3 * * *"),
        *backup_jobs.SCHEDULES,
        *mail_jobs.SCHEDULES,
        failures.SCHEDULE,
        keeping.SCHEDULE,
    )
    consumers: tuple[Consumer, ...] = (Consumer("core.formulas", ("core.custom_field.*",), recalculate),)
