"""The pipelines that an installation begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from gigacore.crm.sales import Pipeline, Stage, StageKind
from gigacore.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigacore.context import Context


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage to begin with: its name, in French too, its meaning, probability and colour."""

    name: str
    french: str
    kind: StageKind
    probability: int
    colour: str


DEFAULT_STAGES: Final[Sequence[StageRow]] = (
    StageRow("Prospect", "Prospect", StageKind.open, 10, "blue"),
    StageRow("Qualified", "Qualifiée", StageKind.open, 30, "cyan"),
    StageRow("Proposal", "Proposition", StageKind.open, 50, "indigo"),
    StageRow("Negotiation", "Négociation", StageKind.open, 75, "purple"),
    StageRow("Won", "Gagnée", StageKind.won, 100, "green"),
    StageRow("Lost", "Perdue", StageKind.lost, 0, "grey"),
)


def install(ctx: Context) -> None:
    """Gives a new installation its first pipeline; one that has any keeps what it has."""
    if ctx.session.scalars(select(Pipeline.id).limit(1)).first() is None:
        add_pipeline(ctx, "Sales", DEFAULT_STAGES, french="Ventes")


def add_pipeline(
    ctx: Context, name: str, stages: Sequence[StageRow], *, position: int = 0, french: str = ""
) -> Pipeline:
    """A pipeline with its stages in their order."""
    pipeline = Pipeline(name=name, position=position, labels={"fr": french} if french else None)
    ctx.session.add(pipeline)
    ctx.session.flush()
    for place, row in enumerate(stages):
        stage = Stage(pipeline_id=pipeline.id, name=row.name, labels={"fr": row.french}, kind=row.kind)
        stage.probability, stage.colour, stage.position = row.probability, row.colour, place
        ctx.session.add(stage)
    ctx.session.flush()
    return pipeline
