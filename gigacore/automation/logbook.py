"""The automations' log: every run, for which record, what it did, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import access
from gigacore.automation import engine
from gigacore.automation.store import TOOL
from gigacore.automation.tables import FAILED, WAITING, core_rule_run
from gigacore.data import links
from gigacore.errors import Conflict, NotFound
from gigacore.jobs import core_job
from gigacore.jobs.tables import DEAD
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

N: Final = core_rule_run.c
J: Final = core_job.c


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `state` is waiting, done, failed or skipped; `steps` what each step did, `trace` why it started."""

    id: int
    rule_id: int
    rule_name: str
    rule_version: int
    owner_id: int
    event_name: str
    entity: str
    record_id: int
    label: str
    state: str
    error: Msg | None
    trace: Any
    steps: Any
    created_at: datetime
    finished_at: datetime | None
    correlation_id: str
    next_at: datetime | None


_COLUMNS: Final = tuple(N[name] for name in Run.__slots__ if name not in ("state", "error", "next_at"))
# A run whose job died of an unexpected error never got to say so itself.
_DEAD: Final = sa.and_(N.state == WAITING, J.state == DEAD)
_STATE: Final = sa.case((_DEAD, FAILED), else_=N.state).label("state")
_BROKE: Final = _DEAD.label("broke")
_NEXT: Final = sa.case((N.state == WAITING, J.run_at), else_=None).label("next_at")


def runs(
    ctx: Context,
    *,
    rule_id: int | None = None,
    state: str = "",
    record: tuple[str, int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Run]:
    """The runs that the actor may see, newest first: of one's own rules, or of all with the right to edit them.

    `since` and `until` bound the moment in which a run started, `until` itself left out.
    Runs for records out of the actor's sight show no label.
    """
    access.require(ctx, "view", TOOL)
    statement = _select(ctx).order_by(N.id.desc()).limit(limit)
    if rule_id is not None:
        statement = statement.where(N.rule_id == rule_id)
    if state:
        statement = statement.where(_STATE.in_((state,)))
    if record is not None:
        statement = statement.where(N.entity == record[0], N.record_id == record[1])
    if since is not None:
        statement = statement.where(N.created_at >= since)
    if until is not None:
        statement = statement.where(N.created_at < until)
    if before is not None:
        statement = statement.where(N.id < before)
    return _shown(ctx, ctx.session.connection().execute(statement).all())


def run(ctx: Context, run_id: int) -> Run:
    """One run. Raises NotFound."""
    access.require(ctx, "view", TOOL)
    found = _shown(ctx, ctx.session.connection().execute(_select(ctx).where(N.id == run_id)).all())
    if not found:
        raise NotFound
    return found[0]


def latest(ctx: Context) -> dict[int, Run]:
    """The last run of each rule, by the rule's number, among those that the actor may see."""
    access.require(ctx, "view", TOOL)
    last = sa.select(sa.func.max(N.id)).group_by(N.rule_id)
    found = _shown(ctx, ctx.session.connection().execute(_select(ctx).where(N.id.in_(last))).all())
    return {one.rule_id: one for one in found}


def retry(ctx: Context, run_id: int) -> None:
    """Let a failed run go on from the step that failed. Raises NotFound, Conflict when it did not fail."""
    access.require(ctx, "create", TOOL)
    shown = run(ctx, run_id)
    if shown.state != FAILED:
        raise Conflict(msg("Only a run that failed can be tried again."))
    row = ctx.session.connection().execute(sa.select(core_rule_run).where(N.id == run_id)).one()
    engine.again(ctx, row)


def _select(ctx: Context) -> sa.Select[Any]:
    statement = sa.select(*_COLUMNS, _STATE, _BROKE, N.error, N.job_id, _NEXT).outerjoin(core_job, J.id == N.job_id)
    statement = statement.where(N.org_id == ctx.actor.org_id)
    if access.permits(ctx, f"{TOOL}.edit"):
        return statement
    return statement.where(N.owner_id == ctx.actor.user_id)


def _shown(ctx: Context, rows: Sequence[Any]) -> list[Run]:
    seen = links.visible_ids(ctx, {(row.entity, row.record_id) for row in rows if row.record_id})
    shown = []
    for row in rows:
        values = {name: getattr(row, name) for name in Run.__slots__}
        if row.record_id and row.record_id not in seen.get(row.entity, set()):
            values |= {"label": ""}
        if row.broke:
            text = "An unexpected error ended it; whoever looks after the system finds the details in job {number}."
            values |= {"error": msg(text, number=row.job_id)}
        shown.append(Run(**values))
    return shown
