"""The worker: jobs, schedules and event deliveries, in a process of their own or beside the web server."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from gigacore import Crm
from gigacore.jobs import Declared, EmbeddedDispatcher, Worker, run_worker


def declared_by(crm: Crm) -> Declared:
    """The jobs, schedules and consumers of the plugins that run."""
    return Declared.of(crm.plugins.loaded.plugins)


def embedded(crm: Crm) -> EmbeddedDispatcher:
    """Worker threads for this process; the caller starts and stops them."""
    return EmbeddedDispatcher(Worker(crm, declared_by(crm)))


def run_once(crm: Crm) -> int:
    """Run what is due now, in this thread; returns how many steps were made."""
    worker = Worker(crm, declared_by(crm))
    worker.prepare()
    worker.keep()
    return worker.run_pending()


def run_until_stopped(crm: Crm) -> None:
    """Run until SIGTERM or SIGINT; what is running then is finished first."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    run_worker(crm, declared_by(crm), stop)
