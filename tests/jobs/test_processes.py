"""The real web process and the real worker, killed and ended under load, with HTTP clients in front of them."""

from __future__ import annotations

import random
import signal
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.data.tables import core_delivery, core_outbox
from gigacore.jobs import core_job
from gigacore.webhooks.tables import core_hook_delivery
from tests.jobs.brokers import free_port, wait_for
from tests.jobs.endure import Found, judge, lines
from tests.jobs.sites import Site, crowd, send_home, site_on
from tests.webhooks.conftest import Receiver, receiver
from tests.webhooks.test_webhooks import subscribe

__all__ = ["receiver"]
pytestmark = pytest.mark.slow
CYCLES = {"sqlite": 15, "postgresql": 5}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with site_on(database_url, tmp_path) as found:
        yield found


def told(site: Site) -> dict[str, int]:
    """The record of each message that a web hook was to bring."""
    about, event = core_hook_delivery.c, core_outbox.c
    pairs = sa.select(about.message_id, event.record_id).join(core_outbox, event.id == about.event_id)
    with site.crm.database.connect() as connection:
        return {message: int(record or 0) for message, record in connection.execute(pairs)}


def test_killed_web_processes_and_workers_lose_nothing_and_double_nothing(site: Site, receiver: Receiver) -> None:
    """F1, F2, G5: one lead per key, one task per lead, each message at the receiver under one id."""
    cycles = CYCLES[site.crm.engine.dialect.name]
    chance, port, ups = random.Random(cycles), free_port(), []
    subscribe(site.crm, site.crm.actor(site.owner), receiver.url)
    web, worker = site.serve(port, "--no-worker"), site.start("worker")
    clients = crowd(site, port, 3)
    for cycle in range(cycles):
        time.sleep(chance.uniform(0.1, 1.5))
        if cycle % 3:
            site.kill(web)
            begun = time.monotonic()
            web = site.serve(port, "--no-worker")
            ups.append(time.monotonic() - begun)
        else:
            site.kill(worker)
            worker = site.start("worker")
    send_home(clients)
    wait_for(lambda: not site.open(), 180, "the end of all work")
    figures = judge(
        replace(Found.read(site.crm), events=told(site)),
        lines(site.folder, "acknowledged-*"),
        [headers["webhook-id"] for headers, _ in receiver.got],
        ("rule",),
    )
    figures |= {"requests": sum(one.tries for one in clients), "ready_after_ms": round(statistics.median(ups) * 1000)}
    print(f"\nkill -9 of web and worker, {cycles} cycles: {figures}")
    assert [one.refused for one in clients] == [[]] * 3
    assert figures["leads"] > cycles
    assert {name: figures[name] for name in ("lost", "phantom", "double", "open")} == {
        "lost": 0, "phantom": 0, "double": 0, "open": 0,
    }  # fmt: skip


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["guard", "control"])
def test_what_was_accepted_is_answered_before_the_end(site: Site, how: signal.Signals) -> None:
    """F33: SIGTERM with forty requests in flight. A process that is killed leaves work half done instead."""
    port = free_port()
    web = site.serve(port, "--threads", "40")
    clients = crowd(site, port, 40, stubborn=False)
    time.sleep(3)
    begun = time.monotonic()
    site.kill(web, how)
    seconds = time.monotonic() - begun
    send_home(clients)
    with site.crm.database.system_connection("the names of leads") as connection:
        names = set(connection.execute(sa.text("SELECT last_name FROM crm_lead")).scalars())
        held = sa.select(sa.func.count()).where(core_job.c.state == "running")
        events = sa.select(sa.func.count()).where(core_delivery.c.state == "running")
        in_hand = int(connection.scalar(held) or 0) + int(connection.scalar(events) or 0)
    answered = set(lines(site.folder, "acknowledged-*"))
    figures = f"{len(answered)} answered, {len(names - answered)} not, {in_hand} in hand, {seconds:.1f} s"
    print(f"\n{how.name}: {figures}")
    assert not answered - names
    if how == signal.SIGTERM:
        assert (names - answered, in_hand) == (set(), 0)
        assert seconds < 30
    else:
        assert in_hand or names - answered
