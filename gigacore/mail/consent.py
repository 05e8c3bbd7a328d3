"""Who may be contacted: the last word a person gave, per channel and purpose; rule packs of plugins add to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import access, records
from gigacore.data import activities, audit
from gigacore.errors import Conflict, Invalid
from gigacore.mail.tables import core_consent
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context

MARKETING: Final = "marketing"
SERVICE: Final = "service"
ALL: Final = "all"
PURPOSES: Final[Mapping[str, Msg]] = MappingProxyType(
    {SERVICE: msg("About their own matter"), MARKETING: msg("Advertising"), ALL: msg("Every purpose")}
)
WITHOUT_A_WORD: Final = frozenset({SERVICE})
"""What people may be written to for before they said anything; advertising takes their consent first."""
ADDRESS_FIELDS: Final = ("email", "emails")
ACTIVITY: Final = "core.consent"
MOST_SOURCE: Final = 200
C: Final = core_consent.c


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said about being contacted: `source` is the proof, how it was said; `by_id` who noted it."""

    id: int
    channel: str
    address: str
    purpose: str
    allowed: bool
    source: str
    at: datetime
    by_id: int | None


_WORD: Final = tuple(C[name] for name in Word.__slots__)


class MayNotContact(Conflict):
    """The person asked not to be contacted in this way for this purpose, or did not yet agree to it."""

    code = "may_not_contact"


def say(ctx: Context, channel: str, address: str, purpose: str, *, allowed: bool, source: str) -> None:
    """Note what a person said about being contacted, and where; the last word holds."""
    row = {"channel": channel, "address": folded(address), "purpose": purpose, "allowed": allowed, "source": source}
    row |= {"at": ctx.now, "by_id": ctx.actor.user_id}
    ctx.session.connection().execute(sa.insert(core_consent).values(**row))
    audit.record(ctx, "core.consent", "said", values={"channel": channel, "purpose": purpose, "allowed": allowed})


def may_contact(ctx: Context, channel: str, address: str, purpose: str) -> bool:
    """Whether the address may be used: the last word given about the purpose, or about all of them, decides.

    Without any the answer is yes about the person's own matter, and no for everything else, advertising above all.
    """
    return _may(last_word(ctx, channel, address, purpose), purpose)


def _may(word: bool | None, purpose: str) -> bool:
    return purpose in WITHOUT_A_WORD if word is None else word


def last_word(ctx: Context, channel: str, address: str, purpose: str) -> bool | None:
    """Yes or no, as the address last said about the purpose or about all of them; None = nothing."""
    last = (
        sa.select(C.allowed)
        .where(C.channel == channel, C.address == folded(address), C.purpose.in_((purpose, ALL)))
        .order_by(C.id.desc())
        .limit(1)
    )
    word = ctx.session.connection().scalar(last)
    return None if word is None else bool(word)


def require(ctx: Context, channel: str, address: str, purpose: str) -> None:
    """Raise MayNotContact unless the address may be used."""
    word = last_word(ctx, channel, address, purpose)
    if _may(word, purpose):
        return
    text = msg("{address} asked not to be contacted.", address=address)
    if word is None:
        text = msg("{address} has not agreed to be contacted for this purpose.", address=address)
    fix = msg("Ask the person, and note the answer, before you write again.")
    raise MayNotContact(text, fix=fix)


def folded(address: str) -> str:
    """The form in which addresses are compared."""
    return address.strip().lower()[:320]


# Of a record ---------------------------------------------------------------------------------------------------------


def addresses_in(item: Mapping[str, Any]) -> list[str]:
    """The e-mail addresses among a record's values, the main one first."""
    found: dict[str, str] = {}
    for name in ADDRESS_FIELDS:
        value = item.get(name)
        for row in value if isinstance(value, list) else [{"email": value}]:
            if address := str(row.get("email") or ""):
                found.setdefault(folded(address), address)
    return list(found.values())


def words(ctx: Context, entity: str, record_id: int) -> list[Word]:
    """What was said about a record's e-mail addresses, newest first. Raises NotFound for one out of sight."""
    return words_about(ctx, records.get(ctx, entity, record_id))


def words_about(ctx: Context, item: Mapping[str, Any]) -> list[Word]:
    """The same for a record that was read already, as its reader may see it."""
    addresses = [folded(one) for one in addresses_in(item)]
    statement = sa.select(*_WORD).where(C.channel == "mail", C.address.in_(addresses)).order_by(C.id.desc())
    return [Word(*row) for row in ctx.session.connection().execute(statement)]


def note(ctx: Context, entity: str, record_id: int, address: str, purpose: str, *, allowed: bool, source: str) -> None:
    """Note what the person of a record said, with the proof; told on the timeline.

    Takes the right to edit the record. Raises Invalid, NotFound, Forbidden.
    """
    access.require(ctx, "edit", entity, records.load(ctx, entity, record_id))
    _check(addresses_in(records.get(ctx, entity, record_id)), address, purpose, source)
    say(ctx, "mail", address, purpose, allowed=allowed, source=source.strip())
    details = {"address": address, "purpose": purpose, "allowed": allowed}
    activities.log(ctx, ACTIVITY, source.strip(), [(entity, record_id)], data=details)


def _check(known: Collection[str], address: str, purpose: str, source: str) -> None:
    if folded(address) not in [folded(one) for one in known]:
        raise Invalid.of("address", msg("The record has no such e-mail address."))
    if purpose not in PURPOSES:
        raise Invalid.of("purpose", msg("Choose service, marketing or all."))
    if not source.strip() or len(source) > MOST_SOURCE:
        raise Invalid.of("source", msg("Say how this is known, in at most {limit} characters.", limit=MOST_SOURCE))
