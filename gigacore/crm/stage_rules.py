"""What the CRM keeps right about opportunities: pipeline and stage, probability, stage history, closing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, select

from gigacore import access
from gigacore.crm import settings
from gigacore.crm.choosing import key_of
from gigacore.crm.contacts import Company
from gigacore.crm.past import is_new, pending, was
from gigacore.crm.sales import BudgetKind, Opportunity, Pipeline, PipelineTeam, Stage, StageKind, StageVisit
from gigacore.crm.work import Task
from gigacore.data import activities, mark_scoped
from gigacore.errors import Invalid
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

DAY: Final = 24 * 3600
LONGEST_NAME: Final = 100
COLOURS: Final[Mapping[StageKind, str]] = {StageKind.open: "blue", StageKind.won: "green", StageKind.lost: "grey"}
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}").fullmatch
_MOVES: Final = "crm.stage_moves"
_S: Any = Stage
_P: Any = Pipeline


def before_save(ctx: Context, opportunity: Opportunity, changed: frozenset[str]) -> None:
    """Place the opportunity in its pipeline; bring everything up to date that follows from its stage."""
    if is_new(opportunity) or changed & {"pipeline_id", "stage_id"}:
        stage = _place(ctx, opportunity, changed)
        if is_new(opportunity) or was(ctx, opportunity, "stage_id") != stage.id:
            _enter(ctx, opportunity, stage)
    if opportunity.budget_kind is BudgetKind.fixed:
        opportunity.quantity = 1
    if opportunity.recurring is not None and opportunity.recurring_months is None:
        opportunity.recurring_months = int(settings.value(ctx, settings.RECURRING_MONTHS))


def after_save(ctx: Context, opportunity: Opportunity, changed: frozenset[str]) -> None:
    """Tell the timeline of a new stage and do what the stage asks for."""
    move = pending(ctx, _MOVES).pop(opportunity, None)
    if move is None:
        return
    old, stage = move
    if old is not None:
        data = {"field": "stage_id", "from": old.id, "to": stage.id}
        activities.log(
            ctx, "crm.change", f"{old.name} → {stage.name}", _about(opportunity), source=opportunity, data=data
        )
    if ctx.rules_enabled:
        _add_tasks(ctx, opportunity, stage)
    if stage.kind is StageKind.won:
        _make_customer(ctx, opportunity)


def validate(ctx: Context, opportunity: Opportunity, changed: frozenset[str]) -> None:
    """Recurring revenue is for installations that sell that way."""
    given = changed & {"recurring", "recurring_months"} and opportunity.recurring is not None
    if given and not settings.value(ctx, settings.RECURRING_REVENUE):
        raise Invalid.of("recurring", msg("Recurring revenue is switched off in the settings."), "switched_off")


def before_save_stage(stage: Stage) -> None:
    """A won stage is certain, a lost one hopeless; without a colour of its own it has that of its meaning."""
    stage.colour = stage.colour or COLOURS[stage.kind]
    if stage.kind is not StageKind.open:
        stage.probability = 100 if stage.kind is StageKind.won else 0


def validate_labels(named: Pipeline | Stage) -> None:
    """Names by language are short texts. Raises Invalid."""
    for language, name in (named.labels or {}).items():
        if not _LANGUAGE(language) or not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
            raise Invalid.of("labels", msg("Give names by language, such as {example}.", example='{"fr": "Gagnée"}'))


def validate_stage(ctx: Context, stage: Stage, changed: frozenset[str]) -> None:
    """A stage in use stays in its pipeline."""
    if is_new(stage) or "pipeline_id" not in changed:
        return
    used = mark_scoped(select(Opportunity.id).where(Opportunity.stage_id == stage.id).limit(1))
    if ctx.session.connection().execute(used).first() is not None:
        raise Invalid.of("pipeline_id", msg("Opportunities are in this stage; it cannot move to another pipeline."))


def stage_of(ctx: Context, stage_id: int) -> Stage | None:
    """A stage by number, whoever asks."""
    found: Stage | None = ctx.session.scalars(mark_scoped(select(_S).where(_S.id == stage_id))).one_or_none()
    return found


def stage_of_kind(ctx: Context, pipeline_id: int, *kinds: StageKind) -> Stage | None:
    """The first stage of a pipeline with one of these meanings."""
    statement = select(_S).where(_S.pipeline_id == pipeline_id, _S.kind.in_(kinds)).order_by(_S.position, _S.id)
    found: Stage | None = ctx.session.scalars(mark_scoped(statement.limit(1))).one_or_none()
    return found


def default_pipeline(ctx: Context) -> int | None:
    """The first active pipeline of the actor's teams, else the first that is for everybody, else the first."""
    mine = select(PipelineTeam.parent_id).where(PipelineTeam.team_id.in_(ctx.actor.team_ids or (0,)))
    anybody = ~select(PipelineTeam.id).where(PipelineTeam.parent_id == _P.id).exists()
    rank = case((_P.id.in_(mine), 0), (anybody, 1), else_=2)
    statement = select(_P.id).where(_P.active).order_by(rank, _P.position, _P.id).limit(1)
    number: int | None = ctx.session.connection().execute(mark_scoped(statement)).scalar()
    return number


def _place(ctx: Context, opportunity: Opportunity, changed: frozenset[str]) -> Stage:
    """The stage that the opportunity stands in from now on. Raises Invalid when it is none of its pipeline's."""
    number: int | None = opportunity.stage_id
    pipeline: int | None = opportunity.pipeline_id
    moved = "pipeline_id" in changed and "stage_id" not in changed
    stage = stage_of(ctx, number) if number is not None and not moved else None
    if stage is None:
        pipeline = pipeline or default_pipeline(ctx)
        stage = stage_of_kind(ctx, pipeline, StageKind.open) if pipeline is not None else None
        if pipeline is None or stage is None:
            raise Invalid.of("pipeline_id", msg("There is no pipeline with an open stage. Create one first."))
    elif pipeline is not None and stage.pipeline_id != pipeline:
        raise Invalid.of("stage_id", msg("This stage belongs to another pipeline."), "stage")
    opportunity.pipeline_id, opportunity.stage_id = stage.pipeline_id, stage.id
    return stage


def _enter(ctx: Context, opportunity: Opportunity, stage: Stage) -> None:
    before = was(ctx, opportunity, "stage_id")
    old = stage_of(ctx, before) if before is not None else None
    pending(ctx, _MOVES)[opportunity] = (old, stage)
    _record_visit(ctx, opportunity, stage)
    opportunity.stage_entered_at = ctx.now
    opportunity.probability = stage.probability
    if stage.kind is StageKind.open:
        opportunity.closed_at = None
    elif old is None or old.kind is not stage.kind:
        opportunity.closed_at = ctx.now
    if stage.kind is not StageKind.lost:
        opportunity.lost_reason = None
    if stage.kind is not StageKind.won:
        opportunity.won_reason = None


def _record_visit(ctx: Context, opportunity: Opportunity, stage: Stage) -> None:
    visits = opportunity.stage_visits
    for visit in visits:
        if visit.left_at is None:
            visit.left_at = ctx.now
            visit.days = round(Decimal((ctx.now - visit.entered_at).total_seconds()) / DAY, 2)
    visits.append(StageVisit(stage_id=stage.id, entered_at=ctx.now, position=len(visits)))


def _about(opportunity: Opportunity) -> list[tuple[str, int]]:
    ends = (
        ("crm.opportunity", opportunity.id), ("crm.contact", opportunity.contact_id),
        ("crm.company", opportunity.company_id),
    )  # fmt: skip
    return [(entity, number) for entity, number in ends if number is not None]


def _add_tasks(ctx: Context, opportunity: Opportunity, stage: Stage) -> None:
    """The stage asks for these tasks, so it does not matter whether the actor may create any."""
    if not stage.tasks:
        return
    ctx.session.flush()
    with ctx.session.by_rule():
        ctx.session.add_all(_tasks_of(ctx, opportunity, stage))
        ctx.session.flush()


def _tasks_of(ctx: Context, opportunity: Opportunity, stage: Stage) -> Iterator[Task]:
    for wanted in stage.tasks:
        task = Task(title=wanted.title, category=wanted.category, due_at=ctx.now + timedelta(days=wanted.due_in_days))
        task.opportunity_id, task.contact_id = opportunity.id, opportunity.contact_id
        task.company_id = opportunity.company_id
        owned: Any = opportunity
        if owned.owner_id is not None:
            task.owner_id = owned.owner_id  # type: ignore[attr-defined]
        yield task


def _make_customer(ctx: Context, opportunity: Opportunity) -> None:
    """A company that bought is a customer, if the actor may say so."""
    company = ctx.session.get(Company, opportunity.company_id) if opportunity.company_id else None
    customer = key_of(ctx.session.registry, "company_kind", "customer")
    if company is None or customer is None or company.kind == customer:
        return
    if ctx.actor.is_system or access.may(ctx, "edit", "crm.company", company):
        company.kind = customer
