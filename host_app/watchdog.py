"""Ends a server process in which a call into a plugin does not return; whoever watches the process starts it again."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

from gigacore.data.engine import waits_to_write
from gigacore.messages import msg
from gigacore.plugins.calls import Call, Calls

log: Final = logging.getLogger("host_app")

GRACE: Final = 5.0
EXIT_CODE: Final = 70
SLOW: Final = msg("A call has not returned in the time that it should take")
ENDED: Final = msg("The process was ended, for a call did not return")


def end_process() -> None:
    """Stop serving, so that other requests are answered; whatever then still hangs is cut off."""
    os.kill(os.getpid(), signal.SIGTERM)
    cut = threading.Timer(GRACE, os._exit, (EXIT_CODE,))
    cut.daemon = True
    cut.start()


class Watchdog(threading.Thread):
    """Looks at the calls into plugins: one that takes long is told to administrators, one that hangs ends the process.

    Times are in seconds: `slow` until it is told, `limit` until the process ends, which no request and no transaction
    survives: what was not acknowledged is not stored. With a `limit` of 0 it never ends.
    """

    def __init__(self, calls: Calls, *, slow: float, limit: float, end: Callable[[], None] = end_process) -> None:
        super().__init__(name="giga-watchdog", daemon=True)
        self.calls = calls
        self.slow = slow
        self.limit = limit
        self.end = end
        self.ended = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        told: set[Call] = set()
        pause = max(0.05, min(1.0, self.slow / 4))
        while not self.ended.wait(pause):
            late = self.calls.running(self.slow)
            for call in late:
                if call not in told and not waits(call):
                    self.calls.faults.note(call.plugin, call.place, SLOW.text)
                    log.warning("plugin %s takes long in %s:\n%s", call.plugin, call.place, stack_of(call))
                    told.add(call)
            told &= set(late)
            if late and self.limit and late[0].seconds > self.limit:
                self._end(late[0])
                return

    def stop(self) -> None:
        """Look no more."""
        self.ended.set()

    def _end(self, call: Call) -> None:
        self.calls.faults.note(call.plugin, call.place, ENDED.text, ended=True)
        log.critical("plugin %s hangs in %s; the process ends:\n%s", call.plugin, call.place, stack_of(call))
        self.end()


def waits(call: Call) -> bool:
    """Whether the call is held up by somebody else's writing, which is no fault of its plugin."""
    frame = sys._current_frames().get(call.thread)
    return frame is not None and waits_to_write(frame)


def stack_of(call: Call) -> str:
    """Where the call's thread stands."""
    frame = sys._current_frames().get(call.thread)
    return "".join(traceback.format_stack(frame)) if frame is not None else "unknown"
