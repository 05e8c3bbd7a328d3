"""The remark on a lead's e-mail address: missing, invalid, or used by several leads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from gigacore.crm.leads import Lead
from gigacore.data import mark_scoped
from gigacore.entity.contacts import BadContact, check_email

if TYPE_CHECKING:
    from sqlalchemy import Table

    from gigacore.context import Context

MISSING: Final = "missing"
INVALID: Final = "invalid"
DUPLICATE: Final = "duplicate"
MANY: Final = 500
_L: Any = Lead
_SAME: Final = mark_scoped(select(_L.id, _L.email_note).where(_L.email_key == bindparam("key")).limit(MANY))


def remark(ctx: Context, lead: Lead) -> str | None:
    """What is wrong with the lead's own addresses, other leads left aside."""
    if not lead.email:
        return None if lead.email2 else MISSING
    try:
        check_email(lead.email)
    except BadContact:
        return INVALID
    return None


def address_key(lead: Any) -> str | None:
    """The address for comparing, as it was last written."""
    key: str | None = lead.email_key
    return key


def mark_shared(ctx: Context, keys: Iterable[str | None]) -> None:
    """Say on every lead with one of these addresses whether others have it too.

    Written beside the flush, as all figures are that other records' changes move: no version, no event.
    """
    for key in keys:
        if key:
            _mark(ctx, key)


def _mark(ctx: Context, key: str) -> None:
    rows = ctx.session.connection().execute(_SAME, {"key": key}).all()
    wanted = DUPLICATE if len(rows) > 1 else None
    stale = [number for number, note in rows if note != wanted and note != INVALID]
    if not stale:
        return
    table: Table = _L.__table__
    with ctx.session.door.opened():
        ctx.session.connection().execute(update(table).where(table.c.id.in_(stale)).values(email_note=wanted))
    _forget(ctx, stale)


def _forget(ctx: Context, ids: list[int]) -> None:
    """Let loaded leads read the remark again."""
    mapper = _L.__mapper__
    for number in ids:
        lead = ctx.session.identity_map.get(mapper.identity_key_from_primary_key((number,)))
        if lead is not None:
            ctx.session.expire(lead, ["email_note"])
