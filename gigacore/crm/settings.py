"""The settings of the CRM and their values as they hold for the actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gigacore.crm.leads import StageMode
from gigacore.data import settings
from gigacore.entity import FieldSpec

if TYPE_CHECKING:
    from gigacore.context import Context

_KNOWN: Final = "crm.settings"

LEAD_STAGE_MODE: Final = FieldSpec(
    "crm.lead_stage_mode",
    "enum",
    label="Stage of leads",
    help="Auto: the stage follows from a lead's activity. Manual: people set it. Each lead may differ.",
    enum=StageMode,
    choices=(("auto", "Auto"), ("manual", "Manual")),
    default=StageMode.auto,
)
FOLLOW_UP_DAYS: Final = FieldSpec(
    "crm.follow_up_days",
    "integer",
    label="Follow up after (days)",
    help="Without contact for so long, a lead's suggested next action is to follow up.",
    minimum=1,
    maximum=365,
    default=7,
)
RECURRING_REVENUE: Final = FieldSpec(
    "crm.recurring_revenue", "boolean", label="Recurring revenue on opportunities", default=True
)
RECURRING_MONTHS: Final = FieldSpec(
    "crm.recurring_months",
    "integer",
    label="Usual duration of recurring revenue (months)",
    minimum=1,
    maximum=600,
    default=12,
)
CUSTOMER_NOTES: Final = FieldSpec(
    "crm.customer_notes", "boolean", label="Show the customer's notes on opportunities", default=True
)

ALL: Final = (LEAD_STAGE_MODE, FOLLOW_UP_DAYS, RECURRING_REVENUE, RECURRING_MONTHS, CUSTOMER_NOTES)


def value(ctx: Context, setting: FieldSpec) -> Any:
    """A setting as it holds for the actor, read once per session."""
    known: dict[str, Any] = ctx.session.info.setdefault(_KNOWN, {})
    if setting.name not in known:
        found = settings.get(ctx, setting.name)
        known[setting.name] = setting.default if found is None else found
    return known[setting.name]


def leads_are_automatic(ctx: Context) -> bool:
    """Whether the stage of leads follows from their activity, unless a lead says otherwise."""
    mode = value(ctx, LEAD_STAGE_MODE)
    return (mode.value if isinstance(mode, StageMode) else mode) == StageMode.auto.value
