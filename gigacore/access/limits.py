"""Rate limits counted in the database, so that they hold across processes and restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.access.secret_values import digest
from gigacore.access.tables import core_rate_limit
from gigacore.errors import RateLimited
from gigacore.messages import msg
from gigacore.values import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` tries of `name` per key within one window of `seconds`."""

    name: str
    count: int
    seconds: int

    def key(self, subject: str) -> str:
        """The stored key: it does not reveal the subject."""
        return digest(f"{self.name}:{subject}")

    def window(self, now: datetime) -> int:
        """The number of the window that `now` falls in."""
        return int(now.timestamp()) // self.seconds

    def ends(self, now: datetime) -> datetime:
        """When the present window ends."""
        return datetime.fromtimestamp((self.window(now) + 1) * self.seconds, UTC)


def count(connection: sa.Connection, limit: Limit, subject: str, now: datetime) -> int:
    """Count one try atomically and return how many there were in this window, this one included."""
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"key": limit.key(subject), "bucket": limit.window(now), "count": 1, "expires_at": limit.ends(now)}
    statement = insert(core_rate_limit).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["key", "bucket"], set_={"count": core_rate_limit.c.count + 1}
    ).returning(core_rate_limit.c.count)
    return int(connection.execute(statement).scalar_one())


def check(connection: sa.Connection, limit: Limit, subject: str, now: datetime) -> None:
    """Count one try. Raises RateLimited above the limit; the caller must commit the count all the same."""
    if count(connection, limit, subject, now) > limit.count:
        raise exceeded(limit, now)


def exceeded(limit: Limit, now: datetime) -> RateLimited:
    """The error that says when to come back."""
    wait = max(1, int((limit.ends(now) - now).total_seconds()))
    return RateLimited(msg("Too many attempts. Please wait and try again."), retry_after=wait)


def forget(connection: sa.Connection, limit: Limit, subject: str) -> None:
    """Start from zero, for instance after a correct password."""
    connection.execute(sa.delete(core_rate_limit).where(core_rate_limit.c.key == limit.key(subject)))


def sweep(connection: sa.Connection, now: datetime) -> int:
    """Remove windows that ended a day ago; returns how many."""
    old = core_rate_limit.c.expires_at < now - timedelta(days=1)
    return connection.execute(sa.delete(core_rate_limit).where(old)).rowcount
