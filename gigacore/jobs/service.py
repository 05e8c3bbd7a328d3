"""Jobs of one application: what its plugins declare, and the dispatcher that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from gigacore.context import Context
from gigacore.jobs import queue
from gigacore.jobs.declare import NOTHING
from gigacore.jobs.run import Host
from gigacore.jobs.worker import (
    Declared,
    Declares,
    Dispatcher,
    EmbeddedDispatcher,
    InlineDispatcher,
    Worker,
)

Mode = Literal["embedded", "inline", "none"]


class Jobs:
    """`crm.jobs`: enqueues, and runs what the enabled plugins declare.

    `start("embedded")` runs worker threads in this process, `start("inline")` runs everything right after each commit
    in the thread that committed (tests, scripts), `start("none")` leaves the work to a worker process. A host passes
    its own way as a function that makes the dispatcher of a worker.
    """

    def __init__(self, host: Host, plugins: Iterable[Declares] = ()) -> None:
        self.host = host
        self.worker = Worker(host, Declared.of(plugins))
        self.dispatcher: Dispatcher | None = None

    def use(self, plugins: Iterable[Declares]) -> None:
        """Runs what these plugins declare from now on; called when the application starts and when plugins change."""
        self.worker.declared = Declared.of(plugins)
        if self.dispatcher is not None:
            self.worker.prepare()

    @property
    def declared(self) -> Declared:
        """What the enabled plugins declare."""
        return self.worker.declared

    def enqueue(
        self,
        ctx: Context,
        name: str,
        payload: Mapping[str, Any] = NOTHING,
        *,
        unique_key: str | None = None,
        serial_key: str | None = None,
        run_at: datetime | None = None,
        system: str = "",
    ) -> int:
        """As `gigacore.jobs.enqueue`, with the priority and the attempts that the job declares."""
        job = self.declared.jobs.get(name, name)
        return queue.enqueue(
            ctx, job, payload, unique_key=unique_key, serial_key=serial_key, run_at=run_at, system=system
        )

    def start(self, mode: Mode | Callable[[Worker], Dispatcher] = "embedded", threads: int = 2) -> None:
        """Starts the dispatcher; the tables must exist."""
        self.host.database.after_commit.append(self.wake)
        if mode == "none":
            self.worker.prepare()
            return
        if callable(mode):
            self.dispatcher = mode(self.worker)
        else:
            inline = mode == "inline"
            self.dispatcher = InlineDispatcher(self.worker) if inline else EmbeddedDispatcher(self.worker, threads)
        self.dispatcher.start()

    def wake(self) -> None:
        """Tells the dispatcher that something was committed."""
        if self.dispatcher is not None:
            self.dispatcher.wake()

    def run_pending(self) -> int:
        """Runs what is due in this thread until nothing is left; returns how many steps were made."""
        return self.worker.run_pending()

    def stop(self, timeout: float = 30) -> bool:
        """Lets running jobs end; True when they did in time."""
        if self.wake in self.host.database.after_commit:
            self.host.database.after_commit.remove(self.wake)
        dispatcher, self.dispatcher = self.dispatcher, None
        done = True if dispatcher is None else dispatcher.stop(timeout)
        self.worker.leave()
        return done
