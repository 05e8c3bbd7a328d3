"""The calls into plugins' code that run at this moment, and what becomes of one that fails or does not return."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Final

from gigacore.data.faults import is_away
from gigacore.errors import GigaError, Unavailable
from gigacore.messages import msg
from gigacore.plugins.faults import FaultLog
from gigacore.values import dataclass

log: Final = logging.getLogger("gigacore.plugins")

PATIENCE: Final = 5.0
MOST_STUCK: Final = 4
STOPS: Final = (KeyboardInterrupt, GeneratorExit)
"""What ends a program on purpose; everything else that a plugin raises is its fault, `SystemExit` included."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call into a plugin: at which place, since when (`time.monotonic`), in which thread, within which other."""

    plugin: str
    place: str
    since: float
    thread: int
    outer: Call | None = None

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.since


@dataclass(slots=True)
class Calls:
    """Which plugins are at work in which thread; faults are logged and kept in `faults`.

    A plugin whose calls do not return is let in no further: while `most_stuck` of them have been running for longer
    than `patience` seconds, a new one raises Unavailable at once, so that one plugin does not hold every thread.
    """

    faults: FaultLog = field(default_factory=FaultLog)
    patience: float = PATIENCE
    most_stuck: int = MOST_STUCK
    _running: dict[int, Call] = field(default_factory=dict)

    def enter(self, plugin: str, place: str) -> Call:
        """Notes that this thread goes into `plugin`. Raises Unavailable while too many of its calls do not return."""
        if len(self._running) >= self.most_stuck and self._is_stuck(plugin):
            raise Unavailable(
                msg("The plugin {plugin} does not answer.", plugin=plugin), retry_after=max(1, round(self.patience))
            )
        thread = threading.get_ident()
        call = self._running[thread] = Call(plugin, place, time.monotonic(), thread, self._running.get(thread))
        return call

    def leave(self, call: Call) -> None:
        """Notes that this thread has come back."""
        if call.outer is None:
            self._running.pop(call.thread, None)
        else:
            self._running[call.thread] = call.outer

    @contextmanager
    def into(self, plugin: str, place: str) -> Iterator[None]:
        """Around a call into `plugin`."""
        call = self.enter(plugin, place)
        try:
            yield
        finally:
            self.leave(call)

    def running(self, longer_than: float = 0.0) -> list[Call]:
        """The calls that have been running for longer than that many seconds, the longest first."""
        found = [call for call in tuple(self._running.values()) if call.seconds > longer_than]
        return sorted(found, key=lambda call: call.since)

    def refusal(self, plugin: str, place: str, error: BaseException) -> Unavailable:
        """Logs and keeps a fault; returns the error that refuses the operation and names the plugin."""
        self.note(plugin, place, error)
        return Unavailable(
            msg("The plugin {plugin} failed in {hook}.", plugin=plugin, hook=place),
            fix=msg("An administrator can disable the plugin or look into the log."),
        )

    def note(self, plugin: str, place: str, error: BaseException) -> None:
        """Logs a fault, the first time in a minute with its trace, and keeps it for administrators."""
        is_new = self.faults.note(plugin, place, error)
        extra = {"plugin": plugin, "hook": place}
        log.error("Plugin %s failed in %s: %s", plugin, place, error, extra=extra, exc_info=error if is_new else None)

    def _is_stuck(self, plugin: str) -> bool:
        return sum(call.plugin == plugin for call in self.running(self.patience)) >= self.most_stuck


def is_meant(error: BaseException) -> bool:
    """Whether this is no fault of the plugin: a veto or a conflict for the person who acts, a busy database."""
    return isinstance(error, Unavailable) or (isinstance(error, GigaError) and error.status < 500) or is_away(error)
