"""Scoring of leads: reading the facts, writing score and explanation. It runs as the system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gigacore.data import activities, settings
from gigacore_lead_scoring.models import LeadScore
from gigacore_lead_scoring.rules import FAMILIES, Facts, Score, score

if TYPE_CHECKING:
    from gigacore.context import Context

DEFAULT_WEIGHTS: Final[Mapping[str, int]] = {"profile": 40, "engagement": 20, "behaviour": 25, "timing": 15}
DEFAULT_TARGET: Final = 10_000
CLOSED: Final = frozenset({"won", "lost"})
CONTACT_KINDS: Final = ("call", "email", "meeting")
WINDOW: Final = timedelta(days=30)


def weights(ctx: Context) -> Mapping[str, int]:
    """The weight of each family as administrators set it."""
    return {name: int(settings.get(ctx, f"lead_scoring.weight_{name}", DEFAULT_WEIGHTS[name])) for name in FAMILIES}


def facts_of(ctx: Context, lead: Any) -> Facts:
    """What the rules look at, for one lead."""
    registry = ctx.session.registry
    statuses = registry.choice_list(registry.entity("crm.lead").field("status"))
    preferred = settings.get(ctx, "lead_scoring.preferred_sources", ["referral", "partner"])
    amount = lead.amount
    return Facts(
        now=ctx.now,
        created_at=lead.created_at,
        last_contact_at=lead.last_contact_at,
        email=bool(lead.email),
        phone=bool(lead.phone),
        company=bool(lead.company_name),
        job_title=bool(lead.job_title),
        source=lead.source,
        amount=None if amount is None else amount.amount,
        target_amount=Decimal(settings.get(ctx, "lead_scoring.target_amount", DEFAULT_TARGET)),
        preferred_sources=tuple(preferred or ()),
        status_kind=statuses.kind_of(lead.status) if statuses else "",
        next_action_planned=lead.next_action_at is not None,
        contacts=_contacts(ctx, lead.id),
    )


def _contacts(ctx: Context, lead_id: int) -> int:
    kinds = ctx.session.registry.choice_lists["crm.activity_kind"].keys_of(*CONTACT_KINDS)
    return activities.count_since(ctx.session.connection(), "crm.lead", lead_id, kinds, ctx.now - WINDOW)


def is_closed(ctx: Context, lead: Any) -> bool:
    """Whether the lead is won or lost, so that its score stays as it was."""
    registry = ctx.session.registry
    statuses = registry.choice_list(registry.entity("crm.lead").field("status"))
    return statuses is not None and statuses.kind_of(lead.status) in CLOSED


def rescore(ctx: Context, lead: Any) -> Score | None:
    """Work out and store the score of a lead within the caller's unit of work; None for one that is closed."""
    if is_closed(ctx, lead):
        return None
    result = score(facts_of(ctx, lead), weights(ctx))
    row = ctx.session.get(LeadScore, lead.id)
    if row is None:
        row = LeadScore(id=lead.id)
        ctx.session.add(row)
    explanation = {"lines": [_line(line) for line in result.lines]}
    if row.score != result.value or row.explanation != explanation:
        row.score, row.explanation, row.scored_at = result.value, explanation, ctx.now
    return result


def _line(line: Any) -> dict[str, Any]:
    return {
        "family": line.family,
        "rule": line.key,
        "label": line.label,
        "points": line.points,
        "possible": line.possible,
    }
