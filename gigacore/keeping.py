"""Keeping the figures of large entities: which there are, when one is counted anew, the job that does it.

Small entities are counted when somebody looks: that is cheap there, and always of now. Nothing is added to a write: the
job looks whether the outbox has a newer event than a figure has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from gigacore import measures
from gigacore.access.tables import core_user
from gigacore.context import system_actor
from gigacore.data.tables import core_outbox
from gigacore.jobs import Job, JobRun, Schedule
from gigacore.measures import Measure
from gigacore.records import rollups
from gigacore.records.rollups import Kept, Question
from gigacore.reports import ReportType

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec, Registry

MANY: Final = 20_000
"""With more records than that an entity's figures are kept; fewer are counted in some milliseconds."""
EVERY: Final = timedelta(minutes=2)
OLDEST: Final = timedelta(minutes=15)
"""What no event tells of (a transaction that was committed late, figures that the system worked out) counts by then."""
SPARING: Final = 20
"""A figure waits that many times as long as counting all of them takes, so that a twentieth of a processor does it."""
MOST_ZONES: Final = 5
REASON: Final = "figures of large entities"


def refresh(run: JobRun, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Count anew what has changed, and forget what nobody asks any more. Gives how many of each."""
    database, declared = run.host.database, run.host.plugins.declared  # type: ignore[attr-defined]
    with database.read(system_actor(REASON)) as ctx:
        connection = ctx.session.connection()
        newest = connection.scalar(sa.select(core_outbox.c.id).order_by(core_outbox.c.id.desc()).limit(1))
        stored = rollups.stored(connection)
        wanted = dict(_wanted(ctx, list(questions(ctx.session.registry, declared(Measure), declared(ReportType)))))
    rest = SPARING * timedelta(seconds=sum(one.seconds for one in stored.values()))
    due = {key: one for key, one in wanted.items() if _is_due(stored.get(key), newest, run.now, rest)}
    for key, (question, zone) in due.items():
        run.between_steps()
        with database.read(replace(system_actor(REASON), timezone=zone)) as ctx:
            if rollups.stored(ctx.session.connection()).get(key) != stored.get(key):
                continue  # another worker was first
            counted = rollups.compute(ctx, question, key, newest)
        with database.begin() as connection:
            rollups.store(connection, counted)
    if gone := sorted(stored.keys() - wanted.keys()):
        with database.begin() as connection:
            rollups.forget(connection, gone)
    rollups.known_anew(database.registry)
    return {"counted": len(due), "forgotten": len(gone)}


def questions(registry: Registry, declared: Iterable[Measure], reports: Iterable[ReportType]) -> Iterator[Question]:
    """Everything that start page, reports and boards ask for, whoever reads."""
    for measure in declared:
        for period in ("", *measure.periods):
            yield measures.question(measure, measures.kept_by(registry, measure), period)
    for report in reports:
        for measure in report.measures:
            if rollups.keepable(registry.entity(measure.entity), report.by):
                yield measures.question(measure, report.by)
    for spec in registry.entities.values():
        yield from board_questions(spec)


def board_questions(spec: EntitySpec) -> Iterator[Question]:
    """The sums of an entity's board without a filter, which tell the numbers as well; numbers where it sums nothing."""
    if spec.board and rollups.keepable(spec, spec.board):
        for name in rollups.board_sums(spec) or [""]:
            yield Question(spec.name, spec.board, name)


def _wanted(ctx: Context, asked: list[Question]) -> Iterator[tuple[str, tuple[Question, str]]]:
    """The questions about large entities by their keys, each with a time zone in which it means that."""
    large = {name for name in {one.entity for one in asked} if _is_large(ctx, name)}
    if not large:
        return
    for zone in _zones(ctx.session.connection()):
        here = replace(ctx, actor=replace(ctx.actor, timezone=zone))
        for question in asked:
            if question.entity in large:
                yield rollups.key_of(here, question), (question, zone)


def _is_large(ctx: Context, entity: str) -> bool:
    table = ctx.session.registry.entity(entity).table
    first = sa.select(table.c.id).limit(MANY + 1).subquery()
    return int(ctx.session.connection().scalar(sa.select(sa.func.count()).select_from(first)) or 0) > MANY


def _zones(connection: sa.Connection) -> list[str]:
    """The time zones of most people: what "today" means is kept for them."""
    zone = core_user.c.timezone
    most = sa.select(zone).where(core_user.c.active).group_by(zone).order_by(sa.func.count().desc(), zone)
    return list(connection.scalars(most.limit(MOST_ZONES))) or ["UTC"]


def _is_due(kept: Kept | None, newest: UUID | None, now: datetime, rest: timedelta) -> bool:
    if kept is None:
        return True
    age = now - kept.refreshed_at
    return age >= rest and (kept.seen != newest or age >= OLDEST)


JOB: Final = Job("core.figures", refresh, label="Count figures of large lists", long=True, system=REASON)
SCHEDULE: Final = Schedule("core.figures", "core.figures", every=EVERY)
