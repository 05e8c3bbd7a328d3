"""Workers: one step is one delivery batch or one job; dispatchers decide in which thread and when steps are made."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gigacore.data import audit
from gigacore.errors import GigaError
from gigacore.jobs import heartbeat, queue, relay, schedules
from gigacore.jobs.declare import Consumer, Job, Schedule
from gigacore.jobs.run import Host, JobRun, attempt, attempt_together
from gigacore.values import dataclass

LEASE: Final = timedelta(seconds=60)
POLL_SECONDS: Final = 2.0
KEEP_SECONDS: Final = 5.0
log: Final = logging.getLogger("gigacore.jobs")


class Declares(Protocol):
    """The part of a plugin's manifest that workers read."""

    @property
    def name(self) -> str:
        """The plugin's name."""

    @property
    def jobs(self) -> Iterable[Job]:
        """Its jobs."""

    @property
    def schedules(self) -> Iterable[Schedule]:
        """Its schedules."""

    @property
    def consumers(self) -> Iterable[Consumer]:
        """Its consumers of events."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that the enabled plugins declare for workers."""

    plugins: frozenset[str]
    jobs: Mapping[str, Job]
    consumers: Mapping[str, Consumer]
    schedules: tuple[Schedule, ...]
    _wanted: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, plugins: Iterable[Declares]) -> Declared:
        """Collects the declarations of enabled plugins."""
        found = list(plugins)
        return cls(
            frozenset(plugin.name for plugin in found),
            MappingProxyType({job.name: job for plugin in found for job in plugin.jobs}),
            MappingProxyType({one.name: one for plugin in found for one in plugin.consumers}),
            tuple(one for plugin in found for one in plugin.schedules),
        )

    @property
    def long_jobs(self) -> list[str]:
        """The names of the jobs that may take long: those that talk to others, and those of many steps."""
        return [name for name, job in self.jobs.items() if job.long]

    def interested(self, event: str) -> tuple[str, ...]:
        """The consumers of an event of that name; the outbox writes a delivery for each. Asked in every write."""
        if event not in self._wanted:
            self._wanted[event] = tuple(name for name, one in self.consumers.items() if one.wants(event))
        return self._wanted[event]


@dataclass(slots=True, eq=False)
class Worker:
    """Claims and runs jobs and deliveries on behalf of `host`; safe to share between threads."""

    host: Host
    declared: Declared
    name: str = field(default_factory=heartbeat.own_name)
    lease: timedelta = LEASE
    running: set[JobRun] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)
    beaten_at: datetime | None = None

    def run_pending(self, limit: int = 10_000) -> int:
        """Runs what is due until nothing is left, in this thread; returns how many steps."""
        steps = 0
        while steps < limit and self.step():
            steps += 1
        return steps

    def step(self, *, short: bool = False) -> bool:
        """Delivers one batch of events or runs one job; `short` = none that may take long. False = nothing is due."""
        return self.deliver(short=short) or self.run_one(short=short)

    def run_one(self, only: int | None = None, *, short: bool = False) -> bool:
        """Runs the next job, or the one numbered `only` if it is due. False = nothing is."""
        besides = self.declared.long_jobs if short else ()
        if not self.declared.jobs and not self.declared.plugins:
            return False
        database, now = self.host.database, self.host.clock.now()
        with database.connect() as connection:
            if not queue.due(connection, now, self.declared.plugins, only=only, besides=besides):
                return False
        with database.begin() as connection:
            claimed = queue.claim(connection, now, self.lease, self.declared.plugins, self.name, only, besides)
            if claimed is None:
                return False
            job = self.declared.jobs.get(claimed.name)
            room = 0 if job is None or job.long or claimed.version > job.version else job.together - 1
            alike = queue.claim_alike(connection, claimed, now, self.lease, room)
        if job is not None and alike:
            attempt_together(self.host, [claimed, *alike], job, self.running)
        else:
            attempt(self.host, claimed, job, self.running, self.stopping)
        return True

    def deliver(self, *, short: bool = False) -> bool:
        """Delivers a batch of events; `short` = not to consumers that may take long. False = nothing is due."""
        consumers = [name for name, one in self.declared.consumers.items() if not (short and one.long)]
        if not consumers:
            return False
        database, now = self.host.database, self.host.clock.now()
        with database.connect() as connection:
            waiting = relay.waiting_consumers(connection, now, sorted(consumers))
        delivered = [self.deliver_to(self.declared.consumers[name]) for name in waiting]
        return any(delivered)

    def deliver_to(self, consumer: Consumer) -> bool:
        """Delivers a batch to one consumer; what the lease does not cover any more goes back."""
        started = self.host.clock.now()
        with self.host.database.begin() as connection:
            batch = relay.claim(connection, started, self.lease, consumer)
        for run in relay.together(batch):
            if relay.deliver_together(self.host, consumer, run):
                continue
            for held in run:
                if self.host.clock.now() - started > self.lease / 2:
                    relay.release(self.host, [held])
                else:
                    relay.deliver(self.host, consumer, held)
        return bool(batch)

    def waiting(self, limit: int) -> tuple[list[int], list[str]]:
        """The jobs that are due, and the consumers that have deliveries to take: whom to wake for what."""
        now = self.host.clock.now()
        with self.host.database.connect() as connection:
            jobs = queue.due(connection, now, self.declared.plugins, limit=limit)
            return jobs, relay.waiting_consumers(connection, now, sorted(self.declared.consumers))

    def keep(self) -> None:
        """Shows a sign of life, extends leases, frees those of dead workers, fires schedules, seals the audit."""
        now = self.host.clock.now()
        database = self.host.database
        if heartbeat.is_due(self.beaten_at, now):
            with database.begin() as connection:
                heartbeat.beat(connection, self.name, now)
                queue.take_up(connection, self.declared.plugins)  # what older code laid aside may be known here
            self.beaten_at = now
        for run in list(self.running):
            with database.begin() as connection:
                run.lost = not queue.extend(connection, run.claimed, now + self.lease)
        with database.connect() as connection:  # a look costs no write lock
            due = queue.has_expired(connection, now) or schedules.is_due(connection, now)
            unsealed = audit.is_due(connection)
        if due:
            with database.begin() as connection:
                queue.sweep(connection, now)
                schedules.tick(connection, dict(self.declared.jobs), self.declared.plugins, now)
        if unsealed:
            with database.begin() as connection:
                audit.seal(connection, now)

    def leave(self) -> None:
        """Takes the sign of life back; called once nothing runs any more. A database that is away is no matter."""
        if self.beaten_at is not None:
            try:
                with self.host.database.begin() as connection:
                    heartbeat.leave(connection, self.name)
            except (SQLAlchemyError, GigaError) as error:
                log.warning("a worker ended without saying so: %s", error)
            self.beaten_at = None

    def show(self) -> None:
        """Shows that a server lives here, which leaves the work to others."""
        now = self.host.clock.now()
        if heartbeat.is_due(self.beaten_at, now):
            with self.host.database.begin() as connection:
                heartbeat.beat(connection, self.name, now, heartbeat.SERVER)
            self.beaten_at = now

    def prepare(self) -> None:
        """Brings schedules and parked jobs in line with the enabled plugins; called once at start."""
        with self.host.database.begin() as connection:
            queue.park(connection, self.declared.plugins)
            schedules.sync(connection, self.declared.schedules, self.declared.plugins, self.host.clock.now())


class Dispatcher(Protocol):
    """Decides in which thread, or in which process, a worker makes its steps."""

    def start(self) -> None:
        """Begins; the tables exist."""

    def wake(self) -> None:
        """Something was committed; called in the thread that committed, so it must not block."""

    def stop(self, timeout: float = 30) -> bool:
        """Ends; True when everything ended in time."""


class InlineDispatcher:
    """Runs what is due right after each commit, in the thread that committed; for tests and scripts."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._busy = threading.local()

    def wake(self) -> None:
        """Runs everything that is due, unless this very thread does so already."""
        if getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            self.worker.run_pending()
        finally:
            self._busy.now = False

    def start(self) -> None:
        """Prepares the tables."""
        self.worker.prepare()

    def stop(self, timeout: float = 0) -> bool:
        """Nothing runs between commits."""
        return True


class EmbeddedDispatcher:
    """Worker threads inside the web process: woken after each commit, polling as a fall-back.

    Where there are several, the first takes only short work: a receiver that hangs, or an import, holds up the others.
    """

    def __init__(
        self, worker: Worker, threads: int = 2, poll: float = POLL_SECONDS, keep: float = KEEP_SECONDS
    ) -> None:
        self.worker = worker
        self.poll = poll
        self.keep_every = min(keep, worker.lease.total_seconds() / 3)
        self.stopping = worker.stopping
        self.stopping.clear()
        self._signal = threading.Condition()
        self._news = 0
        self._threads = [
            threading.Thread(
                target=self._work, args=(threads > 1 and number == 0,), name=f"giga-worker-{number}", daemon=True
            )
            for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._keep, name="giga-keeper", daemon=True))

    def start(self) -> None:
        """Prepares the tables and starts the threads."""
        self.worker.prepare()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Tells the threads that something was committed; cheap, never blocks."""
        with self._signal:
            self._news += 1
            self._signal.notify_all()

    def stop(self, timeout: float = 30) -> bool:
        """Lets running jobs end and stops; True when all threads ended in time. An unfinished job runs again later."""
        self.stopping.set()
        self.wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, short: bool) -> None:
        seen = -1
        while not self.stopping.is_set():
            with self._signal:
                if seen == self._news:
                    self._signal.wait(self.poll)
                seen = self._news
            self._drain(short)

    def _drain(self, short: bool) -> None:
        try:
            while not self.stopping.is_set() and self.worker.step(short=short):
                pass
        except OperationalError as error:
            self._trouble("the database does not answer: %s", error.orig)
        except Exception:  # a worker thread that dies would stop the queue in silence
            log.exception("worker step failed")
            self.stopping.wait(self.poll)

    def _keep(self) -> None:
        while not self.stopping.wait(self.keep_every):
            try:
                self.worker.keep()
            except OperationalError as error:
                self._trouble("leases could not be kept: %s", error.orig)
            except Exception:  # the keeper must outlive a bad schedule
                log.exception("keeping the queue failed")

    def _trouble(self, text: str, cause: object) -> None:
        log.warning(text, cause)
        self.stopping.wait(self.poll)
