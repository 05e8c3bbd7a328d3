"""Celery's broker doubles, forgets and goes away, in front of real processes; the database stays the queue."""

from __future__ import annotations

import os
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore import records
from gigacore.automation.tables import core_rule_run
from gigacore.jobs import core_job
from gigacore.webhooks import outgoing
from host_app import broker
from tests.jobs.brokers import Redis, wait_for
from tests.jobs.sites import Site, free_port, site_on
from tests.webhooks.test_receivers import HEAD, peer
from tests.webhooks.test_webhooks import subscribe

pytestmark = [pytest.mark.peer, pytest.mark.slow]
# Ten minutes are the promise; the same code runs in less time, and by hand in all of it.
OUTAGE = float(os.environ.get("GIGA_TEST_OUTAGE", "20"))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def site(database_url: str, tmp_path: Path, redis: Redis) -> Iterator[Site]:
    variables = {"GIGA_BROKER_URL": redis.url, "GIGA_BROKER_QUEUE": "outage"}
    with site_on(database_url, tmp_path, **variables) as found:
        yield found


def runs(site: Site) -> int:
    with site.crm.database.connect() as connection:
        done = sa.select(sa.func.count()).select_from(core_rule_run).where(core_rule_run.c.state == "done")
        return int(connection.scalar(done) or 0)


def test_a_broker_that_is_away_for_long_delays_work_and_stops_no_request(site: Site, redis: Redis) -> None:
    """F13, G4: flushed, then killed; requests go on as before, and each rule runs within thirty seconds."""
    port, made, late = free_port(), 0, []
    times: dict[str, list[float]] = {"with": [], "without": []}
    site.serve(port)
    site.start("celery", "worker", "--pool", "prefork", "--concurrency", "2")

    def create(when: str) -> None:
        nonlocal made
        begun = time.monotonic()
        status, body = site.call(port, "POST", "/crm/leads", {"last_name": f"Martin {made}"})
        times[when].append((time.monotonic() - begun) * 1000)
        assert status == 201, body
        made += 1

    create("with")
    wait_for(lambda: runs(site) == made, 60, "the first rule")
    for _ in range(20):
        create("with")
    redis.flush()
    create("with")
    wait_for(lambda: runs(site) == made, 30, "what was flushed")
    redis.kill()
    until = time.monotonic() + OUTAGE
    while time.monotonic() < until:
        create("without")
        late.append(wait_for(lambda: runs(site) == made, 30, "a rule without the broker"))
        time.sleep(1)
    redis.start()
    create("with")
    back = wait_for(lambda: runs(site) == made, 30, "a rule with the broker back")
    middle = {name: round(statistics.median(found)) for name, found in times.items()}
    print(f"\naway for {OUTAGE:.0f} s: {len(late)} leads, at most {max(late):.1f} s late, back after {back:.1f} s, "
          f"median answer in ms {middle}")  # fmt: skip


def test_without_a_sweeper_nothing_runs_while_the_broker_is_away(site: Site, redis: Redis) -> None:
    """The control: who only waits for messages waits for ever."""
    redis.kill()
    site.crm.jobs.start(broker.dispatcher(replace(site.crm.settings, broker_url=redis.url)))
    with site.crm.unit_of_work(site.crm.actor(site.owner)) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Martin"})
    time.sleep(15)
    assert runs(site) == 0
    site.crm.jobs.stop()


@pytest.mark.parametrize("claimed", [True, False], ids=["guard", "control"])
def test_a_running_job_that_celery_delivers_again_has_one_effect(site: Site, redis: Redis, claimed: bool) -> None:
    """F14: the message of a job comes again while it runs, as after a visibility time-out that is too short."""
    called: list[float] = []

    def slowly(made: socket.socket) -> None:
        called.append(time.monotonic())
        time.sleep(4)
        made.sendall(HEAD + b"Content-Length: 0\r\n\r\n")

    crm, settings = site.crm, replace(site.crm.settings, broker_url=redis.url, broker_queue="outage")
    publish = broker.publisher(broker.transport(settings))
    with peer(slowly) as port:
        subscribe(crm, crm.actor(site.owner), f"http://127.0.0.1:{port}/")
        site.start("celery", "worker", "--pool", "threads", "--concurrency", "4")
        with crm.unit_of_work(crm.actor(site.owner)) as ctx:
            records.create(ctx, "crm.lead", {"last_name": "Martin"})
        wait_for(lambda: called, 60, "the call")
        job = core_job.c
        with crm.database.begin() as connection:
            number = connection.scalar(sa.select(job.id).where(job.name == outgoing.JOB))
            if not claimed:
                connection.execute(sa.update(core_job).where(job.id == number).values(state="queued"))
        for _ in range(5):
            publish(broker.RUN, number)
        wait_for(lambda: not site.open(), 60, "the end")
    assert len(called) == (1 if claimed else 2)
