"""When a delivery is tried again, and when a receiver that fails is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gigacore.webhooks.tables import WAITING, core_hook_delivery

if TYPE_CHECKING:
    from gigacore.data import Database

# Ten attempts over about three days, as Standard Webhooks 1.0 recommends.
SCHEDULE: Final = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
LONGEST_WAIT: Final = timedelta(days=1)
MOST_FAILING: Final = 3
D: Final = core_hook_delivery.c


def pause(attempts: int) -> timedelta:
    """The pause after that many attempts, up to a tenth longer so that many failures do not return together."""
    return timedelta(seconds=SCHEDULE[attempts] * (1 + SystemRandom().random() / 10))


def spread(moment: datetime, seconds: float) -> datetime:
    """A moment up to `seconds` later."""
    return moment + timedelta(seconds=SystemRandom().random() * seconds)


def held_until(database: Database, hook_id: int, now: datetime) -> datetime | None:
    """When the first of several failed deliveries of a receiver is tried again; until then the others wait.

    Or each of a thousand deliveries to a receiver that hangs would hold a worker for as long as one may wait.
    """
    failing = (D.hook_id == hook_id, D.state == WAITING, D.attempts > 0, D.next_at > now)
    with database.connect() as connection:
        count, first = connection.execute(sa.select(sa.func.count(), sa.func.min(D.next_at)).where(*failing)).one()
    return first if count >= MOST_FAILING else None


def retry_after(given: Mapping[str, str], now: datetime) -> timedelta | None:
    """What the receiver asks to wait, at most a day; None = nothing that can be read."""
    text = next((value for name, value in given.items() if name.lower() == "retry-after"), "")
    try:
        wait = timedelta(seconds=int(text)) if text.isdecimal() else parsedate_to_datetime(text) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
