"""What the CRM keeps right about leads: closing, stage, suggested action, last contact, remark on the address."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from gigacore import access
from gigacore.crm import settings
from gigacore.crm.choosing import key_of, kind_of, label_of
from gigacore.crm.leads import Lead, StageMode
from gigacore.crm.lists import BLOCKED, LOST, WON
from gigacore.crm.past import is_new, pending, put, was
from gigacore.crm.shared_addresses import address_key, mark_shared, remark
from gigacore.data import activities

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity

CLOSED: Final = frozenset({WON, LOST})
EVALUATED_AFTER: Final = 3
"""So many exchanges make a lead one that is being evaluated."""
_MOVES: Final = "crm.status_moves"
_ADDRESSES: Final = "crm.old_addresses"


def status_kind(ctx: Context, lead: Lead) -> str:
    """What the lead's status means."""
    return kind_of(ctx.session.registry, "lead_status", lead.status)


def is_closed(ctx: Context, lead: Lead) -> bool:
    """Whether the lead is won or lost."""
    return status_kind(ctx, lead) in CLOSED


def before_save(ctx: Context, lead: Lead, changed: frozenset[str]) -> None:
    """Bring everything up to date that follows from the lead's own fields."""
    new, kind = is_new(lead), status_kind(ctx, lead)
    if "status" in changed:
        _close_or_open(ctx, lead, kind, None if new else _remember_move(ctx, lead))
    if new or changed & {"email", "email2", "phone"}:
        pending(ctx, _ADDRESSES)[lead] = None if new else address_key(lead)
        put(lead, "email_note", remark(ctx, lead))
    if is_automatic(ctx, lead):
        _keep_stage(ctx, lead, changed, kind)
    put(lead, "next_action_suggested", _suggested_action(ctx, lead, kind))


def after_save(ctx: Context, lead: Lead, changed: frozenset[str]) -> None:
    """Tell the timeline of a new status; mark addresses that several leads share."""
    addresses = pending(ctx, _ADDRESSES)
    if lead in addresses:
        mark_shared(ctx, _take_written(addresses))
    old = pending(ctx, _MOVES).pop(lead, None)
    if old is not None and old != lead.status:
        _log_move(ctx, lead, old)


def _take_written(addresses: dict[Entity, Any]) -> set[str | None]:
    """The old and new addresses of all leads that were written together: the first one announced asks for all."""
    written = [lead for lead in addresses if cast("int | None", lead.id) is not None]
    return {key for lead in written for key in (addresses.pop(lead), address_key(lead))}


def refresh(ctx: Context, lead: Lead) -> None:
    """Bring the figures that depend on activities and on time up to date. The caller flushes."""
    latest = activities.contacts_of(ctx.session.connection(), "crm.lead", lead.id)
    lead.exchanges, lead.last_contact_at, lead.last_exchange = latest.count, latest.at, latest.title
    kind = status_kind(ctx, lead)
    lead.next_action_suggested = _suggested_action(ctx, lead, kind)
    stage = _automatic_stage(ctx, lead, kind)
    may_edit = ctx.actor.is_system or access.may(ctx, "edit", "crm.lead", lead)
    if is_automatic(ctx, lead) and kind not in CLOSED and stage != lead.stage and may_edit:
        lead.stage = stage


def is_automatic(ctx: Context, lead: Lead) -> bool:
    """Whether the lead's stage follows from its activity: its own wish, else the setting."""
    return settings.leads_are_automatic(ctx) if lead.stage_mode is None else lead.stage_mode is StageMode.auto


def _automatic_stage(ctx: Context, lead: Lead, kind: str) -> str | None:
    """The stage that follows from the kind of the lead's status and from its exchanges."""
    if kind in CLOSED:
        wanted = "closed"
    elif kind == "qualified":
        wanted = "decision"
    elif kind == "follow_up" or lead.exchanges >= EVALUATED_AFTER:
        wanted = "evaluation"
    else:
        wanted = "engaged" if kind == "contacted" or lead.exchanges else "new"
    return key_of(ctx.session.registry, "lead_stage", wanted, "new")


def _suggested_action(ctx: Context, lead: Lead, kind: str) -> str | None:
    """What to do next about the lead."""
    return key_of(ctx.session.registry, "next_action", *_wanted_actions(ctx, lead, kind))


def _wanted_actions(ctx: Context, lead: Lead, kind: str) -> tuple[str, ...]:
    if kind in CLOSED:
        return ("none",)
    if kind == BLOCKED or lead.email_note == "invalid" or not (lead.email or lead.email2 or lead.phone):
        return (BLOCKED,)
    if lead.last_contact_at is None and kind not in ("contacted", "follow_up", "qualified"):
        return ("call",) if lead.phone else ("email",)
    if lead.last_contact_at is not None and ctx.now - lead.last_contact_at > _patience(ctx):
        return ("follow_up",)
    if kind == "qualified":
        return ("quote",)
    return ("meeting",) if lead.exchanges >= EVALUATED_AFTER - 1 else ("follow_up",)


def _patience(ctx: Context) -> timedelta:
    return timedelta(days=int(settings.value(ctx, settings.FOLLOW_UP_DAYS)))


def _remember_move(ctx: Context, lead: Lead) -> str | None:
    before: str | None = was(ctx, lead, "status")
    pending(ctx, _MOVES)[lead] = before
    return before


def _close_or_open(ctx: Context, lead: Lead, kind: str, before: str | None) -> None:
    if kind not in CLOSED:
        put(lead, "closed_at", None)
    elif kind != kind_of(ctx.session.registry, "lead_status", before):
        lead.closed_at = ctx.now
    if kind != LOST:
        put(lead, "lost_reason", None)


def _keep_stage(ctx: Context, lead: Lead, changed: frozenset[str], kind: str) -> None:
    """In AUTO the stage follows; a stage that somebody sets by hand makes the lead MANUAL instead of being lost."""
    wanted = _automatic_stage(ctx, lead, kind)
    if lead.stage == wanted:
        return
    default = type(lead).__giga__.fields["stage"].default
    by_hand = "stage" in changed and not (is_new(lead) and lead.stage == default)
    if by_hand and "stage_mode" not in changed and kind not in CLOSED:
        lead.stage_mode = StageMode.manual
    else:
        lead.stage = wanted


def _log_move(ctx: Context, lead: Lead, old: str) -> None:
    registry = ctx.session.registry
    labels = [label_of(registry, "lead_status", key) for key in (old, lead.status)]
    data = {"field": "status", "from": old, "to": lead.status}
    activities.log(ctx, "crm.change", f"{labels[0]} → {labels[1]}", [lead], source=lead, data=data)
