"""`giga celery`: workers that a broker wakes, and the clock that wakes them now and then."""

from __future__ import annotations

import click

from host_app import logs
from host_app.broker import celery_app
from host_app.installation import Installation, pass_installation


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
    app.worker_main(["worker", "-P", pool, "-c", str(concurrency), "-l", "WARNING", "--without-gossip",
                     "--without-mingle"])  # fmt: skip


@celery.command()
@pass_installation
def beat(installation: Installation) -> None:
    """Wake a worker every ten seconds; workers without it look by themselves."""
    celery_app(installation.settings).Beat(scheduler_cls="celery.beat:Scheduler", loglevel="WARNING").run()
