"""The figures of sales: what each one counts, in words and as the exact filter."""

from __future__ import annotations

from typing import Any, Final

from gigacore.crm.lists import BLOCKED, LOST, WON
from gigacore.measures import Aggregate, Measure


def _stage(kind: str) -> dict[str, Any]:
    return {"field": "stage_id.kind", "op": "eq", "value": kind}


MONTHS: Final = ("this_month", "last_month")
_OPEN_LEAD: Final = {"not": {"field": "status.kind", "op": "in", "value": [WON, LOST]}}

OPEN_AMOUNT: Final = Measure(
    name="crm.open_amount", label="Open opportunities", entity="crm.opportunity", aggregate=Aggregate.sum,
    field="total", filter=_stage("open"), date_field="created_at",
    definition="The total amounts of the opportunities in an open stage.",
)  # fmt: skip
WEIGHTED_AMOUNT: Final = Measure(
    name="crm.weighted_amount", label="Weighted", entity="crm.opportunity", aggregate=Aggregate.sum,
    field="weighted", filter=_stage("open"), date_field="created_at",
    definition="The total amounts of the open opportunities, each times the probability of its stage.",
)  # fmt: skip
WON_AMOUNT: Final = Measure(
    name="crm.won_amount", label="Won this month", entity="crm.opportunity", aggregate=Aggregate.sum,
    field="total", filter=_stage("won"), date_field="closed_at", periods=MONTHS,
    definition="The total amounts of the opportunities won since the first of the month.",
)  # fmt: skip
NEW_LEADS: Final = Measure(
    name="crm.new_leads", label="New leads this month", entity="crm.lead", date_field="created_at",
    periods=MONTHS, definition="The leads created since the first of the month, whatever became of them.",
)  # fmt: skip
FOLLOW_UPS: Final = Measure(
    name="crm.follow_ups", label="Leads to follow up today", entity="crm.lead",
    filter={"all": [_OPEN_LEAD, {"field": "next_action_at", "op": "le", "value": {"period": "today"}}]},
    date_field="next_action_at", definition="The open leads whose next action is due today or is late.",
)  # fmt: skip
NEVER_CONTACTED: Final = Measure(
    name="crm.never_contacted", label="Leads never contacted", entity="crm.lead",
    filter={"all": [_OPEN_LEAD, {"field": "last_contact_at", "op": "empty", "value": True}]},
    date_field="created_at", definition="The open leads without a call, an e-mail or a meeting so far.",
)  # fmt: skip
BLOCKED_LEADS: Final = Measure(
    name="crm.blocked_leads", label="Blocked leads", entity="crm.lead",
    filter={"field": "status.kind", "op": "eq", "value": BLOCKED},
    definition="The leads with a problem to fix first, such as a missing e-mail or a duplicate.",
    date_field="created_at",
)  # fmt: skip
LEADS: Final = Measure(
    name="crm.leads", label="Leads by status", entity="crm.lead", date_field="created_at",
    definition="All leads that you may see, by their status.",
)  # fmt: skip

ALL: Final = (
    OPEN_AMOUNT, WEIGHTED_AMOUNT, WON_AMOUNT, NEW_LEADS, FOLLOW_UPS, NEVER_CONTACTED, BLOCKED_LEADS, LEADS,
)  # fmt: skip
