"""`giga celery`: workers that a broker wakes, and the clock that wakes them now and then."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

import click

from host_app import logs
from host_app.broker import celery_app
from host_app.installation import Installation, pass_installation

log: Final = logging.getLogger("host_app.broker")


@click.group()
def celery() -> None:
    """Run jobs by Celery; the database stays the queue, the broker of GIGA_BROKER_URL only wakes workers."""


@celery.command()
@click.option("--concurrency", default=2, show_default=True, type=click.IntRange(1, 200), help="Jobs at a time.")
@click.option("--pool", type=click.Choice(["prefork", "threads", "solo"]), default="prefork", show_default=True,
              help="Processes, threads, or one at a time.")  # fmt: skip
@pass_installation
def worker(installation: Installation, concurrency: int, pool: str) -> None:
    """Run jobs and event deliveries until stopped."""
    settings = installation.checked_settings()
    logs.configure(settings)
    app = celery_app(settings)
    from celery.concurrency import get_implementation

    running = app.Worker(
        pool_cls=get_implementation(pool),
        concurrency=concurrency,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
    )
    running.start()
    if running.exitcode and not asked_to_end():
        begin_again()


def asked_to_end() -> bool:
    """Whether a signal ended the worker of this process."""
    from celery.worker import state

    return state.should_stop is not None or state.should_terminate is not None


def begin_again() -> None:
    """Replace this process by a new one: Celery gives up where the broker goes away with messages in its hand."""
    log.warning("the worker ended by itself and begins again")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the very command that runs here


@celery.command()
@pass_installation
def beat(installation: Installation) -> None:
    """Wake a worker every ten seconds; workers without it look by themselves."""
    celery_app(installation.settings).Beat(scheduler_cls="celery.beat:Scheduler", loglevel="WARNING").run()
