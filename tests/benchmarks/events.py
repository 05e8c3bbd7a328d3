"""How many events a second go from commit to the end of a rule, and how soon an open page hears of a change.

`python -m tests.benchmarks.events [URL of an empty PostgreSQL database]`; without it SQLite is measured alone. Redis
must be installed for Celery. All processes run on this machine, so compare runs, not machines.
"""

from __future__ import annotations

import http.client
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import records
from gigacore.access import tokens, users
from gigacore.automation.tables import core_rule_run
from gigacore.testing.databases import prepare
from host_app import broker
from host_app.wakeups import Wakeups
from tests.jobs.brokers import Redis, wait_for
from tests.jobs.sites import Site, free_port, site_on

LEADS = 500
CHANGES = 100


def runs(site: Site) -> int:
    """Rule runs that are done."""
    with site.crm.database.connect() as connection:
        done = sa.select(sa.func.count()).select_from(core_rule_run).where(core_rule_run.c.state == "done")
        return int(connection.scalar(done) or 0)


def events_a_second(site: Site) -> dict[str, float]:
    """One writer as fast as it can; each lead is one event that starts a rule of two steps."""
    actor, begun = site.crm.actor(site.owner), time.monotonic()
    for number in range(LEADS):
        with site.crm.unit_of_work(actor) as ctx:
            records.create(ctx, "crm.lead", {"last_name": f"Martin {number}"})
    written = time.monotonic() - begun
    wait_for(lambda: runs(site) >= LEADS, 600, "the end of all rules")
    return {
        "written_a_second": round(LEADS / written, 1),
        "end_to_end_a_second": round(LEADS / (time.monotonic() - begun), 1),
    }


class Page(threading.Thread):
    """An open page: notes when it hears of the list of leads."""

    def __init__(self, site: Site, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.connection.request("GET", "/live?topic=list:crm.lead", headers={"Authorization": f"Bearer {token}"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.heard: list[float] = []

    def await_more(self, than: int) -> None:
        wait_for(lambda: len(self.heard) > than, 20, "the event")

    def run(self) -> None:
        for line in self.answer:
            if line.startswith(b"event: list"):
                self.heard.append(time.monotonic())


def delays(page: Page, change: Any) -> dict[str, float]:
    """Milliseconds from the end of a change to the event."""
    found = []
    for number in range(CHANGES):
        before = len(page.heard)
        change(number)
        done = time.monotonic()
        page.await_more(before)
        found.append(max(0.0, page.heard[before] - done) * 1000)
        time.sleep(0.03)
    ordered = sorted(found)
    return {"p50_ms": round(statistics.median(ordered), 1), "p95_ms": round(ordered[int(CHANGES * 0.95)], 1)}


@contextmanager
def another_process(site: Site, *, wakes: bool = True) -> Iterator[Any]:
    """Changes committed in this process, which the web process hears of by the channel, if there is one."""
    wakeups, actor = Wakeups.of(site.crm), site.crm.actor(site.owner)
    if wakes:
        wakeups.start()

    def change(number: int) -> None:
        with site.crm.unit_of_work(actor) as ctx:
            records.create(ctx, "crm.lead", {"last_name": f"Durand {number}"})

    yield change
    wakeups.stop()


def live(site: Site) -> dict[str, Any]:
    """One web process with a page open; the changes come from it, or from elsewhere."""
    port = free_port()
    site.serve(port, "--no-worker")
    with site.crm.system("a reader") as ctx:
        token = tokens.create(ctx, users.create(ctx, "reader@example.test", "Rita", None, "super_admin"), "test")
    page = Page(site, port, token)
    page.start()
    time.sleep(2)

    def here(number: int) -> None:
        assert site.call(port, "POST", "/crm/leads", {"last_name": f"Martin {number}"})[0] == 201

    found = {"same process": delays(page, here)}
    with another_process(site) as change:
        found["another process"] = delays(page, change)
    return found


def measure(url: str, folder: Path, *, celery: bool) -> dict[str, Any]:
    prepare(url)
    redis = Redis(folder)
    if celery:
        redis.start()
    variables = {"GIGA_BROKER_URL": redis.url, "GIGA_BROKER_QUEUE": "bench"} if celery else {}
    with site_on(url, folder, **variables) as site:
        if celery:
            site.start("celery", "worker", "--pool", "prefork", "--concurrency", "2")
            site.crm.jobs.start(
                broker.dispatcher(replace(site.crm.settings, broker_url=redis.url, broker_queue="bench"))
            )
            time.sleep(10)
        else:
            site.crm.jobs.start("embedded")
        figures: dict[str, Any] = {"events": events_a_second(site)}
        site.crm.jobs.stop()
        for process in list(site.running):
            site.kill(process)
        site.variables.pop("GIGA_BROKER_URL", None)
        figures["live"] = live(site)
    redis.kill()
    return figures


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print("SQLite, embedded worker:", measure(f"sqlite:///{folder}/bench.sqlite3", Path(folder), celery=False))
    for url in arguments:
        with tempfile.TemporaryDirectory() as folder:
            print("PostgreSQL, Celery on Redis:", measure(url, Path(folder), celery=True))


if __name__ == "__main__":
    main(sys.argv[1:])
