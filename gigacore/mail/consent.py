"""Who may be contacted: the last word a person gave, per channel and purpose; rule packs of plugins add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.data import audit
from gigacore.errors import Conflict
from gigacore.mail.tables import core_consent
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Context

MARKETING: Final = "marketing"
SERVICE: Final = "service"
C: Final = core_consent.c


class MayNotContact(Conflict):
    """The person asked not to be contacted in this way for this purpose."""

    code = "may_not_contact"


def say(ctx: Context, channel: str, address: str, purpose: str, *, allowed: bool, source: str) -> None:
    """Note what a person said about being contacted, and where; the last word holds."""
    row = {"channel": channel, "address": folded(address), "purpose": purpose, "allowed": allowed, "source": source}
    row |= {"at": ctx.now, "by_id": ctx.actor.user_id}
    ctx.session.connection().execute(sa.insert(core_consent).values(**row))
    audit.record(ctx, "core.consent", "said", values={"channel": channel, "purpose": purpose, "allowed": allowed})


def may_contact(ctx: Context, channel: str, address: str, purpose: str) -> bool:
    """Whether the address may be used: the last word given about the purpose, or about all of them; none given: yes."""
    last = (
        sa.select(C.allowed)
        .where(C.channel == channel, C.address == folded(address), C.purpose.in_((purpose, "all")))
        .order_by(C.id.desc())
        .limit(1)
    )
    word = ctx.session.connection().scalar(last)
    return True if word is None else bool(word)


def require(ctx: Context, channel: str, address: str, purpose: str) -> None:
    """Raise MayNotContact unless the address may be used."""
    if not may_contact(ctx, channel, address, purpose):
        raise MayNotContact(
            msg("{address} asked not to be contacted.", address=address),
            fix=msg("Ask the person, and note the answer, before you write again."),
        )


def folded(address: str) -> str:
    """The form in which addresses are compared."""
    return address.strip().lower()[:320]
