"""What the CRM adds to rules: an opportunity that enters a stage, and one that is moved to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.automation.declare import Action, Params, Trigger
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.automation.declare import Happened, Step

OPPORTUNITY: Final = "crm.opportunity"
STAGE: Final = FieldSpec("stage", "ref", msg("Stage").text, target="crm.stage", required=True)


def _saved(entity: str, params: Params) -> Sequence[str]:
    return (f"{entity}.created", f"{entity}.updated")


def _entered(params: Params, happened: Happened) -> bool:
    now, then = happened.after.get("stage_id"), happened.before.get("stage_id")
    return "stage_id" in happened.fields and now != then and now == params["stage"]


def _move(step: Step) -> Mapping[str, Any]:
    if step.record is None:
        raise Invalid(msg("The record is not there any more."))
    records.update(step.ctx, OPPORTUNITY, step.record.id, {"stage_id": step.params["stage"]})
    return {"fields": ["stage_id"]}


TRIGGERS: Final = (
    Trigger(
        "crm.stage_entered",
        msg("An opportunity enters a stage").text,
        _saved,
        (STAGE,),
        fires=_entered,
        entities=(OPPORTUNITY,),
        help=msg("By hand, on the board, or by another automation.").text,
        icon="arrow-right",
    ),
)
ACTIONS: Final = (
    Action(
        "crm.move_to_stage",
        msg("Move to a stage").text,
        _move,
        (STAGE,),
        entities=(OPPORTUNITY,),
        help=msg("As if it had been dragged there on the board.").text,
        icon="arrow-right",
    ),
)
