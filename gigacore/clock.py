"""Injectable time. Nothing else in the library asks the operating system what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from gigacore.values import dataclass

# A reading takes this long to arrive: to follow each would let identifiers go back in time.
JITTER_MS: Final = 5


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class SystemClock:
    """The operating system's time."""

    __slots__ = ()

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class SharedClock:
    """The time of a machine that several processes share, for instance their database's server.

    Between two readings it goes on by itself, so that this machine's clock may be wrong, and may be set at any time.
    `lag` is how many milliseconds this machine's clock is behind, for identifiers that are ordered by time.
    """

    __slots__ = ("_read", "lag")

    def __init__(self) -> None:
        self.lag = 0
        self._read = (datetime.now(UTC), time.monotonic())

    def set(self, moment: datetime) -> None:
        """Go on from the moment that was just read from the machine."""
        self._read = (moment.astimezone(UTC), time.monotonic())
        lag = round((moment - datetime.now(UTC)).total_seconds() * 1000)
        if abs(lag - self.lag) > JITTER_MS:
            self.lag = lag

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        moment, then = self._read
        return moment + timedelta(seconds=time.monotonic() - then)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until it is moved; for tests and replays."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self.moment += by
