"""Celery as a transport: a message only wakes a worker for a job, which it then claims in the database.

A message that is lost, late or doubled changes nothing: every worker process also looks into the database itself.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from gigacore import Crm
from gigacore.errors import Unavailable
from gigacore.jobs.worker import EmbeddedDispatcher, Worker
from gigacore.messages import msg
from gigacore.settings import Settings
from host_app import logs
from host_app.wakeups import Wakeups

if TYPE_CHECKING:
    from celery import Celery

RUN: Final = "giga.run"
DELIVER: Final = "giga.deliver"
SWEEP: Final = "giga.sweep"
SWEEP_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 5.0
MOST: Final = 200
# A message that found no worker in that time is worth nothing: the sweeper has been there.
EXPIRES: Final = 60
TIMEOUT: Final = 3
log: Final = logging.getLogger("host_app.broker")


class Publish(Protocol):
    """Hands one message to the broker; raises what the broker's client raises."""

    def __call__(self, task: str, *arguments: object) -> None:
        """Publish it."""


def transport(settings: Settings) -> Celery:
    """The Celery application of `settings`, without tasks. Raises Unavailable without Celery or a broker's address."""
    try:
        from celery import Celery  # the extra `worker`
    except ImportError as error:
        raise Unavailable(
            msg("Celery is not installed."), fix=msg("Install the extra: pip install 'gigacore[worker]'.")
        ) from error
    if not settings.broker_url:
        raise Unavailable(msg("No broker is named."), fix=msg("Set GIGA_BROKER_URL, e.g. redis://127.0.0.1:6379/0."))
    app = Celery("giga", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=settings.broker_queue,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        broker_connection_timeout=TIMEOUT,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings.broker_url),
        worker_hijack_root_logger=False,
        beat_schedule={SWEEP: {"task": SWEEP, "schedule": SWEEP_SECONDS, "options": {"expires": EXPIRES}}},
    )
    return app


def _transport_options(url: str) -> dict[str, Any]:
    options: dict[str, Any] = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
    if url.startswith("redis"):
        options |= {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT * 10}
    return options


def publisher(app: Celery) -> Publish:
    """Publishing through `app`; after a failure the next message opens a new connection."""

    def publish(task: str, *arguments: object) -> None:
        try:
            app.send_task(task, args=arguments, expires=EXPIRES, retry=False, ignore_result=True)
        except Exception:
            app.close()  # a flushed broker has forgotten the queue: it is declared again on a new connection
            raise

    return publish


class BrokerDispatcher:
    """Wakes workers elsewhere after each commit, from a thread of its own, so that no request waits for the broker.

    With `sweeps`, in worker processes, the database is looked at every ten seconds as well, whatever the broker does,
    and the worker's leases and schedules are kept.
    """

    def __init__(self, worker: Worker, publish: Publish, *, sweeps: bool = False) -> None:
        self.worker = worker
        self.publish = publish
        self.sweeper = EmbeddedDispatcher(worker, threads=2, poll=SWEEP_SECONDS) if sweeps else None
        self._news = threading.Event()
        self._ended = threading.Event()
        self._told: dict[int, float] = {}
        self._thread = threading.Thread(target=self._work, name="giga-publisher", daemon=True)

    def start(self) -> None:
        """Prepares the tables and starts the threads."""
        if self.sweeper is not None:
            self.sweeper.start()
        else:
            self.worker.prepare()
        self._thread.start()

    def wake(self) -> None:
        """Tells the thread that something was committed; never blocks."""
        self._news.set()

    def stop(self, timeout: float = 30) -> bool:
        """Ends the threads; what was not published is found by the sweepers."""
        self._ended.set()
        self._news.set()
        self._thread.join(min(timeout, 2 * TIMEOUT))
        return self.sweeper is None or self.sweeper.stop(timeout)

    def look(self) -> int:
        """Publishes what is due and was not published a moment ago; returns how many messages."""
        now = time.monotonic()
        self._told = {job: at for job, at in self._told.items() if now - at < AGAIN_SECONDS}
        jobs, consumers = self.worker.waiting(MOST)
        fresh = [job for job in jobs if job not in self._told]
        if consumers:
            self.publish(DELIVER)
        for job in fresh:
            self.publish(RUN, job)
            self._told[job] = now
        return len(fresh) + bool(consumers)

    def _work(self) -> None:
        while not self._ended.is_set():
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the broker or the database is away: workers sweep by themselves
                log.warning("workers could not be woken: %s", error)
                self._ended.wait(PAUSE_SECONDS)


def dispatcher(settings: Settings, *, sweeps: bool = False) -> Callable[[Worker], BrokerDispatcher]:
    """What `crm.jobs.start` takes to leave the work to Celery workers. Raises Unavailable."""
    publish = publisher(transport(settings))
    return lambda worker: BrokerDispatcher(worker, publish, sweeps=sweeps)


class Running:
    """The CRM of one Celery worker process; opened in each child, for connections do not survive a fork."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._crm: Crm | None = None
        self._wakeups: Wakeups | None = None
        self._pid = 0

    @property
    def crm(self) -> Crm:
        """The started CRM, with its sweeper."""
        with self._lock:
            if self._crm is None or self._pid != os.getpid():
                crm: Crm = Crm(self.settings).start()
                crm.jobs.start(dispatcher(self.settings, sweeps=True))
                self._wakeups = Wakeups.of(crm)
                self._wakeups.start()
                self._crm, self._pid = crm, os.getpid()
            return self._crm

    def open(self, **_given: object) -> None:
        """Open it now, so that the sweeper runs before the first message comes."""
        _crm = self.crm

    def open_unless_forking(self, sender: Any, **_given: object) -> None:
        """Open it in a worker whose pool runs tasks in this very process."""
        if "prefork" not in sender.pool_cls.__module__:
            self.open()

    def close(self, **_given: object) -> None:
        """Let running jobs end."""
        if self._crm is not None and self._wakeups is not None and self._pid == os.getpid():
            self._wakeups.stop()
            self._crm.close()
        self._crm = None


def celery_app(settings: Settings) -> Celery:
    """The Celery application with its tasks, for workers and beat. Raises Unavailable."""
    app = transport(settings)
    from celery import signals

    if settings.log == "json":  # Celery would set the level and the form of its own
        signals.setup_logging.connect(lambda **_given: logs.configure(settings), weak=False)
    running = Running(settings)
    signals.worker_process_init.connect(running.open, weak=False)
    signals.worker_process_shutdown.connect(running.close, weak=False)
    signals.worker_init.connect(running.open_unless_forking, weak=False)
    signals.worker_shutdown.connect(running.close, weak=False)

    def run(job: int) -> None:
        running.crm.jobs.worker.run_one(job)

    def deliver() -> None:
        worker = running.crm.jobs.worker
        while worker.deliver():
            pass

    def sweep() -> None:
        worker = running.crm.jobs.worker
        worker.keep()
        running.crm.jobs.wake()

    for name, task in ((RUN, run), (DELIVER, deliver), (SWEEP, sweep)):
        app.task(name=name)(task)
    return app
