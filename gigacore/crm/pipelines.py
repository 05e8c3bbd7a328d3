"""The pipelines that an installation begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from gigacore.crm.sales import Pipeline, Stage, StageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigacore.context import Context

StageRow = tuple[str, StageKind, int, str]

DEFAULT_STAGES: Final[Sequence[StageRow]] = (
    ("Prospect", StageKind.open, 10, "blue"),
    ("Qualified", StageKind.open, 30, "cyan"),
    ("Proposal", StageKind.open, 50, "indigo"),
    ("Negotiation", StageKind.open, 75, "purple"),
    ("Won", StageKind.won, 100, "green"),
    ("Lost", StageKind.lost, 0, "secondary"),
)


def install(ctx: Context) -> None:
    """Gives a new installation its first pipeline; one that has any keeps what it has."""
    if ctx.session.scalars(select(Pipeline.id).limit(1)).first() is None:
        add_pipeline(ctx, "Sales", DEFAULT_STAGES)


def add_pipeline(ctx: Context, name: str, stages: Sequence[StageRow], *, position: int = 0) -> Pipeline:
    """A pipeline with its stages: name, kind, probability and colour each, in their order."""
    pipeline = Pipeline(name=name, position=position)
    ctx.session.add(pipeline)
    ctx.session.flush()
    for place, (label, kind, probability, colour) in enumerate(stages):
        stage = Stage(pipeline_id=pipeline.id, name=label, kind=kind, probability=probability, position=place)
        stage.colour = colour
        ctx.session.add(stage)
    ctx.session.flush()
    return pipeline
