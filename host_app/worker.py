"""The worker process: jobs, schedules and event deliveries until a signal stops it."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Final

from gigacore import Crm
from gigacore.jobs.worker import EmbeddedDispatcher
from host_app.wakeups import Wakeups

POLL_SECONDS: Final = 1.0


def run_once(crm: Crm) -> int:
    """Run what is due now, in this thread; returns how many steps were made."""
    jobs = crm.jobs
    jobs.worker.prepare()
    jobs.worker.keep()
    return jobs.run_pending()


def run_until_stopped(crm: Crm) -> None:
    """Run until SIGTERM or SIGINT; what is running then is finished first."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    wakeups = Wakeups.of(crm, crm.jobs.wake)
    crm.jobs.start(lambda worker: EmbeddedDispatcher(worker, poll=POLL_SECONDS))
    wakeups.start()
    stop.wait()
    wakeups.stop()
    crm.jobs.stop()
