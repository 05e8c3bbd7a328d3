"""Rearranging pipelines and stages as a whole: their order, and what becomes of opportunities when one goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update

from gigacore import access, records
from gigacore.crm.sales import Opportunity, Pipeline, Stage, StageKind, StageVisit
from gigacore.data import bulk, mark_scoped
from gigacore.errors import Conflict, Invalid, NotFound
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

PIPELINE: Final = "crm.pipeline"
STAGE: Final = "crm.stage"
OPPORTUNITY: Final = "crm.opportunity"
_O: Any = Opportunity
_S: Any = Stage
_P: Any = Pipeline


def arrange(ctx: Context, entity: str, ids: Sequence[int]) -> None:
    """Put pipelines, or the stages of one pipeline, into this order. The first pipeline is the default one.

    Takes the right to edit them. Raises NotFound for one that is not there.
    """
    for position, record_id in enumerate(dict.fromkeys(ids)):
        record: Any = records.load(ctx, entity, record_id, verb="edit")
        if record.position != position:
            records.update(ctx, entity, record_id, {"position": position})


def make_default(ctx: Context, pipeline_id: int) -> None:
    """Put a pipeline first: new opportunities go there unless the person's team has one of its own."""
    pipeline: Any = records.load(ctx, PIPELINE, pipeline_id, verb="edit")
    if not pipeline.active:
        raise Conflict(msg("A pipeline that is switched off cannot be the default one."))
    others = ctx.session.scalars(select(_P.id).where(_P.id != pipeline_id).order_by(_P.position, _P.id))
    arrange(ctx, PIPELINE, [pipeline_id, *others])


def count_in_stages(ctx: Context) -> dict[int, int]:
    """How many opportunities stand in each stage, hidden ones included. Takes the right to view stages."""
    access.require(ctx, "view", STAGE)
    counted = select(_O.stage_id, func.count()).group_by(_O.stage_id)
    return {row[0]: row[1] for row in ctx.session.connection().execute(mark_scoped(counted))}


def remove_stage(ctx: Context, stage_id: int, into: int | None = None) -> int:
    """Remove a stage; its opportunities and their history move `into` another one first. Gives their number.

    Raises Conflict when it is the last of its meaning in the pipeline, or in use and `into` is None; Invalid for a
    stage that cannot take them; and what the change of an opportunity raises. Tasks of stages are not created.
    """
    stage: Any = records.load(ctx, STAGE, stage_id, verb="delete")
    alike = select(_S.id).where(_S.pipeline_id == stage.pipeline_id, _S.kind == stage.kind, _S.id != stage_id)
    if ctx.session.scalars(alike.limit(1)).first() is None:
        raise Conflict(
            msg("This is the last stage of its meaning in the pipeline."), fix=msg("Add another such stage first.")
        )
    moved = _empty(ctx, stage_id, into)
    records.delete(ctx, STAGE, stage_id)
    return moved


def remove_pipeline(ctx: Context, pipeline_id: int, into: int | None = None) -> int:
    """Remove a pipeline with its stages; its opportunities move `into` another one, each to the first stage alike.

    Raises Conflict for the last pipeline, or one in use while `into` is None, and what `remove_stage` raises.
    """
    records.load(ctx, PIPELINE, pipeline_id, verb="delete")
    session = ctx.session
    if session.scalars(select(_P.id).where(_P.id != pipeline_id, _P.active).limit(1)).first() is None:
        raise Conflict(msg("There must be a pipeline."), fix=msg("Create another one first."))
    if into == pipeline_id:
        raise Invalid.of("into", msg("Choose another value."))
    moved = 0
    for stage in session.scalars(select(_S).where(_S.pipeline_id == pipeline_id)).all():
        access.require(ctx, "delete", STAGE, stage)
        moved += _empty(ctx, stage.id, None if into is None else _first_alike(ctx, into, stage.kind))
        records.delete(ctx, STAGE, stage.id)
    records.delete(ctx, PIPELINE, pipeline_id)
    return moved


def _first_alike(ctx: Context, pipeline_id: int, kind: StageKind) -> int:
    alike = select(_S.id).where(_S.pipeline_id == pipeline_id, _S.kind == kind).order_by(_S.position, _S.id).limit(1)
    found: int | None = ctx.session.scalars(alike).first()
    if found is None:
        raise Invalid.of("into", msg("The other pipeline has no stage of the same meaning."))
    return found


def _empty(ctx: Context, stage_id: int, into: int | None) -> int:
    """Move everything that names a stage into another one; gives the number of opportunities in it."""
    connection = ctx.session.connection()
    ids = list(connection.scalars(mark_scoped(select(_O.id).where(_O.stage_id == stage_id))))
    visits: Any = StageVisit.__table__
    past = connection.scalar(mark_scoped(select(visits.c.id).where(visits.c.stage_id == stage_id).limit(1)))
    if not ids and past is None:
        return 0
    if into is None:
        raise Conflict(
            msg("{count} opportunities are in this stage or were in it.", count=max(len(ids), 1)),
            fix=msg("Choose the stage that takes its place."),
        )
    _move(ctx, ids, stage_id, into)
    with ctx.session.door.opened():  # the history that the system wrote; the removal of the stage stands in the audit
        connection.execute(update(visits).where(visits.c.stage_id == stage_id).values(stage_id=into))
    ctx.session.expire_all()
    return len(ids)


def _move(ctx: Context, ids: Sequence[int], stage_id: int, into: int) -> None:
    target: Any = ctx.session.get(Stage, into)
    if target is None or into == stage_id:
        raise Invalid.of("into", msg("Choose another value."))
    values = {"pipeline_id": target.pipeline_id, "stage_id": target.id}
    rules, unlocking = ctx.rules_enabled, ctx.unlocking
    ctx.rules_enabled, ctx.unlocking = False, True  # the stages are rearranged; nobody moved a sale forward
    try:
        bulk.update(ctx, ctx.session.registry.entity(OPPORTUNITY), ids, values)
    except NotFound:
        raise Conflict(msg("Some opportunities in this stage are out of your reach.")) from None
    finally:
        ctx.rules_enabled, ctx.unlocking = rules, unlocking
