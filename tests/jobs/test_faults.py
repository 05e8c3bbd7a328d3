"""Faults of the surroundings, one test each, and beside each guard a control that shows what it guards against.

| fault | what happens | test |
|---|---|---|
| F1 | `kill -9` of the web process while it writes | `test_endurance`, `test_processes` |
| F2 | `kill -9` of a worker with a job in hand | `test_kill`, `test_endurance`, `test_processes` |
| F3 | `kill -9` between a call outside and the note of its result | `test_killed_between_...` |
| F13 | the broker is flushed, killed, away for long | `test_broker` |
| F14 | Celery delivers a running job again | `test_broker` |
| F15 | messages from outside doubled, parallel, out of order | `test_messages_from_outside_...` |
| F16 | a receiver that is slow, hangs, answers 500, 429, half, 1 GB, nonsense, a wrong certificate | `test_receivers` |
| F17 | clocks that jump or differ, summer time | `test_clocks` |
| F21 | a job that always fails, or kills its worker | `test_poison_...` |
| F29 | two schedulers, two migrators at once | `test_two_...` |
| F30 | a payload from newer code | `test_queue.test_what_newer_code_enqueued_...` |
| F33 | SIGTERM under load | `test_processes` |
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigacore import Actor, Crm, Plugin, mail, outbound
from gigacore import records as crm_records
from gigacore.access.vault import Vault
from gigacore.context import Context
from gigacore.jobs import Job, Schedule, core_job, schedules
from gigacore.mail.tables import core_mail
from gigacore.testing.databases import Databases
from gigacore.testing.databases import settings as crm_settings
from gigacore.webhooks import InboundSource, Message
from tests.jobs.conftest import Host, open_database
from tests.jobs.conftest import Plugin as Declares
from tests.jobs.endure import fork
from tests.webhooks.conftest import KEY, Receiver, receiver
from tests.webhooks.test_webhooks import lead, subscribe

__all__ = ["receiver"]
ROOT = Path(__file__).parents[2]
Enqueue = Callable[..., int]
KILLED = 137


def die(crm: Crm, body: Callable[[], object]) -> None:
    """Run it in a process of its own, which must be killed by what it does."""
    crm.engine.dispose()

    def child() -> None:
        crm.engine.dispose(close=False)
        body()

    assert os.waitstatus_to_exitcode(os.waitpid(fork(child), 0)[1]) == KILLED


def go_on(crm: Crm) -> None:
    """A new worker, after the lease of the killed one."""
    with crm.database.begin() as connection:
        connection.execute(sa.update(core_job).where(core_job.c.state == "running").values(lease_until=crm.clock.now()))
    time.sleep(0.01)
    crm.jobs.worker.keep()
    crm.jobs.run_pending()


class Posted:
    """A mail server that keeps what it gets, and kills whoever handed it over while it is told to."""

    def __init__(self, file: Path) -> None:
        self.file, self.deadly = file, True

    def send(self, mail: Any) -> None:
        with self.file.open("a") as file:
            file.write(f"{mail.id}\n")
        if self.deadly:
            os._exit(KILLED)

    def got(self) -> list[str]:
        return self.file.read_text().split()


@pytest.mark.parametrize("noted", [True, False], ids=["guard", "control"])
def test_killed_between_handing_a_mail_over_and_noting_it(crm: Crm, admin: Actor, tmp_path: Path, noted: bool) -> None:
    """F3 without a key on the other side: sent once, state unknown. Without the note before the call it goes twice."""
    server = Posted(tmp_path / "posted")
    vars(crm)["mail_sender"] = server
    with crm.unit_of_work(admin) as ctx:
        mail.send(ctx, "a@example.test", "Hello", "Bonjour")
    die(crm, crm.jobs.run_pending)
    server.deadly = False
    with crm.database.begin() as connection:
        assert connection.scalar(sa.select(core_mail.c.state)) == "sending"
        if not noted:
            connection.execute(sa.update(core_mail).values(state="queued"))
    go_on(crm)
    with crm.database.connect() as connection:
        state = connection.scalar(sa.select(core_mail.c.state))
    assert (state, len(server.got())) == (("unknown", 1) if noted else ("sent", 2))


def test_killed_between_telling_a_web_hook_and_noting_it(
    crm: Crm, admin: Actor, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3 with a key: the receiver is told again under the same id, by which it knows that it was told."""
    crm.webhooks.rule, crm.webhooks.vault = outbound.OutboundRule.of(("127.0.0.1",)), Vault(KEY)
    subscribe(crm, admin, receiver.url)
    crm.start()
    crm.webhooks.rule, crm.webhooks.vault = outbound.OutboundRule.of(("127.0.0.1",)), Vault(KEY)
    with crm.unit_of_work(admin) as ctx:
        crm_records.create(ctx, "crm.lead", {"last_name": "Martin"})
    call = outbound.call

    def last_words(*given: Any, **options: Any) -> None:
        call(*given, **options)
        os._exit(KILLED)

    with monkeypatch.context() as dying:
        dying.setattr(outbound, "call", last_words)
        die(crm, crm.jobs.run_pending)
    go_on(crm)
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(ids) == 2
    assert len(set(ids)) == 1


class Provider:
    """A payment provider: its messages are hints, and it says how things stand when it is asked."""

    def __init__(self) -> None:
        self.state = "open"
        self.trusting = False

    def handle(self, ctx: Context, message: Message) -> None:
        state = message.json()["state"] if self.trusting else self.state
        request = crm_records.ListRequest(fields=("id",))
        for item in crm_records.page(ctx, "crm.lead", request).items:
            crm_records.update(ctx, "crm.lead", item["id"], {"city": state})


PROVIDER = Provider()
SESSION = ["open", "authorised", "paid", "refunded"]
ORDERS = st.lists(st.sampled_from(range(4)), min_size=8, max_size=8).filter(lambda order: set(order) == {0, 1, 2, 3})


class TestMessages:
    """F15, G8."""

    @pytest.fixture
    def plugins(self) -> list[Plugin]:
        source = InboundSource("pay", lambda raw, headers: None, lambda raw, headers: json.loads(raw)["id"],
                               PROVIDER.handle)  # fmt: skip
        return [Plugin("pay", inbound=[source])]

    def play(self, crm: Crm, order: list[int], run: str) -> list[bool]:
        """The recorded session in this order, with its repetitions."""
        news = []
        PROVIDER.state = SESSION[-1]
        for number in order:
            body = json.dumps({"id": f"{run}-{number}", "state": SESSION[number]}).encode()
            with crm.system("message") as ctx:
                news.append(crm.webhooks.receive(ctx, "pay", "main", {}, body))
            crm.jobs.run_pending()
        return news

    def city(self, crm: Crm, admin: Actor) -> str:
        with crm.read(admin) as ctx:
            return str(crm_records.page(ctx, "crm.lead", crm_records.ListRequest()).items[0]["city"])

    @pytest.mark.slow
    def test_messages_from_outside_in_any_order_end_in_one_state(self, crm: Crm, admin: Actor) -> None:
        lead(crm, admin)
        runs = iter(range(10**6))

        @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(order=ORDERS)
        def played(order: list[int]) -> None:
            news = self.play(crm, order, f"run{next(runs)}")
            assert sum(news) == 4, "each message is new once"
            assert self.city(crm, admin) == "refunded"

        played()

    def test_a_message_that_is_believed_depends_on_the_order(self, crm: Crm, admin: Actor) -> None:
        """The control of the one above: who takes the message for the truth ends where the last one says."""
        lead(crm, admin)
        PROVIDER.trusting = True
        try:
            self.play(crm, [3, 2, 1, 0], "control")
        finally:
            PROVIDER.trusting = False
        assert self.city(crm, admin) == "open"

    def test_messages_from_outside_in_parallel_arrive_once(self, crm: Crm, admin: Actor) -> None:
        lead(crm, admin)
        body, news, together = json.dumps({"id": "one", "state": "paid"}).encode(), [], threading.Barrier(6)

        def arrive() -> None:
            together.wait()
            with crm.system("message") as ctx:
                news.append(crm.webhooks.receive(ctx, "pay", "main", {}, body))

        threads = [threading.Thread(target=arrive) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(news) == [False] * 5 + [True]
        crm.jobs.run_pending()
        with crm.database.connect() as connection:
            about = sa.select(sa.func.count()).where(core_job.c.name == "core.inbox")
            assert connection.scalar(about) == 1


@pytest.mark.slow
def test_poison_jobs_end_as_dead_letters_and_the_queue_goes_on(host: Host, enqueue: Enqueue) -> None:
    """F21: one job always raises, one kills its worker; both end after five attempts, and the others run meanwhile."""
    url, _, schema = host.url.partition("|")
    poison = enqueue("demo.raise"), enqueue("demo.kill")
    good = [enqueue("demo.work", {"n": number}) for number in range(100)]

    def fail(ctx: Context, payload: Any) -> None:
        raise RuntimeError("poison")

    jobs = [
        Job("demo.work", lambda ctx, payload: None),
        Job("demo.raise", fail, backoff=timedelta(0)),
        Job("demo.kill", lambda ctx, payload: os._exit(KILLED)),
    ]
    killed = 0
    while killed < 10 and os.waitstatus_to_exitcode(os.waitpid(fork(lambda: work_in(host, url, schema, jobs)), 0)[1]):
        killed += 1
        host.clock.advance(timedelta(minutes=2))
    assert killed == 5
    states = dict(host.rows("id", "state"))  # type: ignore[arg-type]
    attempts = dict(host.rows("id", "attempts"))  # type: ignore[arg-type]
    assert [(states[one], attempts[one]) for one in poison] == [("dead", 5)] * 2
    assert {states[one] for one in good} == {"done"}


def work_in(host: Host, url: str, schema: str, jobs: list[Job]) -> None:
    """A worker process at the moment at which the test stands."""
    there = Host(open_database(url, schema, host.clock), host.clock, host.url)
    worker = there.worker(Declares("demo", jobs))
    worker.keep()
    worker.run_pending()


@pytest.mark.parametrize("claimed", [True, False], ids=["guard", "control"])
def test_two_schedulers_start_a_job_once(host: Host, monkeypatch: pytest.MonkeyPatch, claimed: bool) -> None:
    """F29. Without the claim by the schedule's present time each of them starts it."""
    schedule = Schedule("demo.often", "demo.work", every=timedelta(minutes=5))
    workers = [host.worker(Declares("demo", [Job("demo.work", lambda ctx, payload: None)], schedules=[schedule]))
               for _ in range(4)]  # fmt: skip
    host.clock.advance(timedelta(minutes=6))
    with host.database.connect() as connection:
        [row] = connection.execute(sa.select(schedules.core_schedule)).all()
    if not claimed:
        monkeypatch.setattr(schedules, "fire", start_by_itself)
    together, started = threading.Barrier(4), []

    def tick(worker: Any) -> None:
        together.wait()
        with host.database.begin() as connection:
            started.append(schedules.fire(connection, row, worker.declared.jobs["demo.work"], host.clock.now()))

    threads = [threading.Thread(target=tick, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(host.rows("id")) == (1 if claimed else 4)


def start_by_itself(connection: sa.Connection, row: Any, job: Job, now: Any) -> int:
    """As a scheduler that asks nobody."""
    alone = SimpleNamespace(**dict(row._mapping) | {"name": f"{row.name}-{threading.get_ident()}"})
    return schedules.start(connection, alone, job, now)  # type: ignore[arg-type]


@pytest.mark.slow
def test_two_migrators_at_once_leave_one_finished_database(databases: Databases, tmp_path: Path) -> None:
    """F29: both end well, or one says why it could not; the database is at the code's version and works."""
    url = databases.empty()
    command = [sys.executable, "-c", "from host_app.cli import main; main()", "db", "upgrade"]
    variables = os.environ | {"GIGA_DATABASE_URL": url, "GIGA_DATA_DIR": str(tmp_path)}
    started = [
        subprocess.Popen(command, env=variables, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    said = [(process.communicate(timeout=180)[0], process.returncode) for process in started]
    assert [code for _, code in said] == [0, 0], said
    with Crm(crm_settings(url, tmp_path), plugins=()) as crm:
        crm.start()
        with crm.system("afterwards") as ctx:
            crm_records.create(ctx, "crm.lead", {"last_name": "Martin"})
    databases.drop(url)
