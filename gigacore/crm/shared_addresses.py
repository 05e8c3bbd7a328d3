"""The remark on a lead's e-mail address: missing, invalid, or used by several leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, bindparam, select, update

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
_ALL: Final = select(_L.email_key, _L.id, _L.email_note).limit(bindparam("most", type_=Integer))
_SAME: Final = mark_scoped(_ALL.where(_L.email_key.in_(bindparam("keys", expanding=True))))
_SAME_AS_ONE: Final = mark_scoped(_ALL.where(_L.email_key == bindparam("key")))


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
    wanted = sorted({key for key in keys if key})
    for start in range(0, len(wanted), MANY):
        _mark(ctx, wanted[start : start + MANY])


def _mark(ctx: Context, keys: list[str]) -> None:
    most = MANY + len(keys)
    one = len(keys) == 1  # most often; a list takes SQLAlchemy as long again
    statement, values = (_SAME_AS_ONE, {"key": keys[0]}) if one else (_SAME, {"keys": keys})
    rows = ctx.session.connection().execute(statement, {**values, "most": most}).all()
    if len(rows) == most and len(keys) > 1:  # cut off, so the uses of an address may be missing
        middle = len(keys) // 2
        _mark(ctx, keys[:middle])
        _mark(ctx, keys[middle:])
        return
    uses = Counter(key for key, _, _ in rows)
    for note, is_shared in ((DUPLICATE, True), (None, False)):
        stale = [n for key, n, old in rows if (uses[key] > 1) is is_shared and old not in (note, INVALID)]
        if stale:
            _write(ctx, stale, note)


def _write(ctx: Context, ids: list[int], note: str | None) -> None:
    table: Table = _L.__table__
    with ctx.session.door.opened():
        ctx.session.connection().execute(update(table).where(table.c.id.in_(ids)).values(email_note=note))
    _forget(ctx, ids)


def _forget(ctx: Context, ids: list[int]) -> None:
    """Let loaded leads read the remark again."""
    mapper = _L.__mapper__
    for number in ids:
        lead = ctx.session.identity_map.get(mapper.identity_key_from_primary_key((number,)))
        if lead is not None:
            ctx.session.expire(lead, ["email_note"])
