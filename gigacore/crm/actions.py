"""What people do to records of the CRM besides editing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gigacore.crm import conversion
from gigacore.crm.choosing import key_of, kind_of
from gigacore.crm.lead_rules import CLOSED
from gigacore.crm.leads import Lead
from gigacore.crm.lists import BLOCKED, LOST, OPEN, WON
from gigacore.crm.sales import Opportunity, Stage, StageKind
from gigacore.crm.stage_rules import stage_of_kind
from gigacore.crm.work import Task
from gigacore.entity import FieldSpec, Money
from gigacore.errors import Conflict, Invalid
from gigacore.messages import msg
from gigacore.ui import RecordAction

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity

Params = Mapping[str, object]

REASON: Final = FieldSpec("lost_reason", "choice", label="Reason for losing", choice_list="crm.lost_reason")
WON_PARAMS: Final = (
    FieldSpec("won_reason", "choice", label="Reason for winning", choice_list="crm.won_reason"),
    FieldSpec("amount", "money", label="Amount agreed", minimum=0, help="Leave it empty if it did not change."),
)
STATUS: Final = FieldSpec("status", "choice", label="Status", choice_list="crm.lead_status")
OPEN_LEAD: Final = {"field": "status.kind", "op": "nin", "value": [WON, LOST]}
CLOSED_LEAD: Final = {"field": "status.kind", "op": "in", "value": [WON, LOST]}
CLOSED_ALREADY: Final = "This lead is won or lost already."
CONVERTIBLE: Final = {
    "all": [
        {"field": "converted_at", "op": "empty", "value": True},
        {"field": "status.kind", "op": "ne", "value": LOST},
    ]
}


def _status(ctx: Context, kind: str) -> str:
    key = key_of(ctx.session.registry, "lead_status", kind)
    if key is None:
        raise Conflict(msg("No status with this meaning is active in the list of lead statuses."))
    return key


def win_lead(ctx: Context, lead: Lead, params: Params) -> None:
    """Close a lead as won."""
    lead.status = _status(ctx, WON)


def lose_lead(ctx: Context, lead: Lead, params: Params) -> None:
    """Close a lead as lost, with the reason if there is one."""
    lead.status = _status(ctx, LOST)
    lead.lost_reason = _text(params, "lost_reason") or lead.lost_reason


def reopen_lead(ctx: Context, lead: Lead, params: Params) -> None:
    """Unlock a lead that is won or lost, in an open status. Raises Invalid for one that is closed again."""
    registry = ctx.session.registry
    status = _text(params, "status") or key_of(registry, "lead_status", "follow_up", "contacted", OPEN, "new", BLOCKED)
    if status is None or kind_of(registry, "lead_status", status) in CLOSED:
        raise Invalid.of("status", msg("Choose a status that is still open."))
    lead.status = status


def convert(ctx: Context, lead: Lead, params: Params) -> Mapping[str, Any]:
    """Turn a lead into contact, company and opportunity; gives a reference to each."""
    given = {name: value for name, value in params.items() if value is not None}
    result = conversion.convert_lead(ctx, lead, conversion.Wishes(**given))  # type: ignore[arg-type]
    return {
        "contact": _reference(result.contact),
        "company": _reference(result.company),
        "opportunity": _reference(result.opportunity),
    }


def _reference(record: Entity | None) -> dict[str, Any] | None:
    return None if record is None else {"id": record.id, "label": getattr(record, type(record).__giga__.title)}


def win_opportunity(ctx: Context, opportunity: Opportunity, params: Params) -> None:
    """Move an opportunity into the won stage of its pipeline, with the reason and the amount agreed if given."""
    opportunity.stage_id = _stage(ctx, opportunity, StageKind.won).id
    opportunity.won_reason = _text(params, "won_reason")
    if isinstance(amount := params.get("amount"), Money):
        opportunity.amount = amount


def lose_opportunity(ctx: Context, opportunity: Opportunity, params: Params) -> None:
    """Move an opportunity into the lost stage of its pipeline, with the reason if there is one."""
    opportunity.stage_id = _stage(ctx, opportunity, StageKind.lost).id
    opportunity.lost_reason = _text(params, "lost_reason")


def reopen_opportunity(ctx: Context, opportunity: Opportunity, params: Params) -> None:
    """Move an opportunity back into an open stage of its pipeline, the first unless one is named."""
    wanted = params.get("stage_id")
    opportunity.stage_id = wanted if isinstance(wanted, int) else _stage(ctx, opportunity, StageKind.open).id
    ctx.session.flush()
    if opportunity.closed_at is not None:
        raise Invalid.of("stage_id", msg("Choose a stage that is still open."))


def _stage(ctx: Context, opportunity: Opportunity, kind: StageKind) -> Stage:
    stage = stage_of_kind(ctx, opportunity.pipeline_id, kind)
    if stage is None:
        raise Conflict(msg("The pipeline has no stage with this meaning."), fix=msg("Add one to the pipeline."))
    return stage


def close_task(ctx: Context, task: Task, params: Params) -> None:
    """Mark a task done."""
    task.status = key_of(ctx.session.registry, "task_status", "done") or task.status


def reopen_task(ctx: Context, task: Task, params: Params) -> None:
    """Make a task one that is still to do."""
    task.status = key_of(ctx.session.registry, "task_status", OPEN) or task.status


def _text(params: Params, name: str) -> str | None:
    value = params.get(name)
    return value if isinstance(value, str) and value else None


def _action(name: str, label: str, entity: str, run: Any, **options: Any) -> RecordAction:
    return RecordAction(name=name, label=label, entity=entity, run=run, **options)


CONVERT_PARAMS: Final = (
    FieldSpec("contact_id", "ref", label="Existing contact", target="crm.contact"),
    FieldSpec("company_id", "ref", label="Existing company", target="crm.company"),
    FieldSpec("new", "boolean", label="Create new records even if some look the same", default=False),
    FieldSpec("opportunity", "boolean", label="Create an opportunity", default=True),
    FieldSpec("title", "text", label="Title of the opportunity", max_length=200),
    FieldSpec("pipeline_id", "ref", label="Pipeline", target="crm.pipeline"),
    FieldSpec("close", "boolean", label="Close the lead as won", default=True),
)

ALL: Final = (
    _action(
        "convert", label="Convert", entity="crm.lead", run=convert, params=CONVERT_PARAMS, icon="transform", order=10,
        available=CONVERTIBLE, unlocks=True, refusal="This lead is converted already, or lost.",
    ),
    _action(
        "won", label="Close as won", entity="crm.lead", run=win_lead, icon="trophy", order=20, available=OPEN_LEAD,
        refusal=CLOSED_ALREADY,
    ),
    _action(
        "lost", label="Mark as lost", entity="crm.lead", run=lose_lead, params=(REASON,), icon="thumb-down", order=30,
        available=OPEN_LEAD, refusal=CLOSED_ALREADY,
    ),
    _action(
        "reopen", label="Reopen", entity="crm.lead", run=reopen_lead, params=(STATUS,), icon="lock-open", order=40,
        available=CLOSED_LEAD, unlocks=True, refusal="This lead is still open.",
    ),
    _action(
        "won", label="Mark as won", entity="crm.opportunity", run=win_opportunity, params=WON_PARAMS,
        icon="trophy", order=10,
        available={"field": "stage_id.kind", "op": "ne", "value": "won"}, refusal="This opportunity is won already.",
    ),
    _action(
        "lost", label="Mark as lost", entity="crm.opportunity", run=lose_opportunity, params=(REASON,),
        icon="thumb-down", order=20, available={"field": "stage_id.kind", "op": "ne", "value": "lost"},
        refusal="This opportunity is lost already.",
    ),
    _action(
        "reopen", label="Reopen", entity="crm.opportunity", run=reopen_opportunity,
        params=(FieldSpec("stage_id", "ref", label="Stage", target="crm.stage"),), icon="lock-open", order=30,
        available={"field": "closed_at", "op": "empty", "value": False}, refusal="This opportunity is still open.",
    ),
    _action(
        "close", label="Close", entity="crm.task", run=close_task, icon="check", order=10,
        available={"field": "status.kind", "op": "ne", "value": "done"}, refusal="This task is done already.",
    ),
    _action(
        "reopen", label="Reopen", entity="crm.task", run=reopen_task, icon="rotate", order=20,
        available={"field": "status.kind", "op": "eq", "value": "done"}, refusal="This task is still to do.",
    ),
)  # fmt: skip
