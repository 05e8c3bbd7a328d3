"""F17: clocks that jump or differ between machines, and summer time: nothing is lost, waits, or runs twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import gigacore.clock
from gigacore import Crm, Plugin
from gigacore.clock import FixedClock, SharedClock, SystemClock
from gigacore.ids import uuid7_floor
from gigacore.jobs import Consumer, Job, Schedule, enqueue, queue
from gigacore.jobs.schedules import next_time
from gigacore.testing.databases import Databases, settings
from tests.jobs.conftest import Host
from tests.jobs.conftest import Plugin as Declares
from tests.jobs.test_relay import happen

AHEAD = timedelta(minutes=5)


class Ahead:
    """A machine whose clock is five minutes ahead."""

    def now(self) -> datetime:
        return datetime.now(UTC) + AHEAD


PLUGIN = Plugin("demo", jobs=[Job("demo.work", lambda ctx, payload: None, system="test")])


@pytest.fixture
def url(postgres_databases: Databases) -> Iterator[str]:
    found = postgres_databases.ready()
    yield found
    postgres_databases.drop(found)


@pytest.mark.postgres
@pytest.mark.parametrize("shared", [True, False], ids=["guard", "control"])
def test_a_machine_that_is_ahead_takes_no_running_job(url: str, tmp_path: Path, shared: bool) -> None:
    """Machines on one PostgreSQL go by its clock. By its own, one of them believes that the lease is over."""
    here = Crm(settings(url, tmp_path), plugins=[PLUGIN]).start()
    here.enable("demo")
    elsewhere = Crm(settings(url, tmp_path), plugins=[PLUGIN], clock=None if shared else Ahead())
    if isinstance(elsewhere.clock, SharedClock):
        elsewhere.clock.set(datetime.now(UTC) + AHEAD)
    elsewhere.start()
    with here, elsewhere:
        with here.system("a job") as ctx:
            enqueue(ctx, "demo.work", system="test")
        with here.database.begin() as connection:
            claimed = queue.claim(connection, here.clock.now(), timedelta(minutes=1), ["demo"], "here")
        assert claimed is not None
        elsewhere.jobs.worker.keep()
        taken = elsewhere.jobs.run_pending()
        with here.database.begin() as connection:
            assert queue.finish(connection, claimed, here.clock.now(), None) == shared
    assert bool(taken) != shared


def test_a_shared_clock_does_not_jump_and_events_follow_it(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    server = datetime.now(UTC) - AHEAD
    clock, own = SharedClock(), SystemClock()
    clock.set(server)

    class Jumped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(days=1)

    monkeypatch.setattr(gigacore.clock, "datetime", Jumped)
    assert abs(clock.now() - server) < timedelta(minutes=1)
    assert abs(own.now() - server) > timedelta(hours=23), "the control: the machine's own clock does"
    host.database.clock = clock
    floor, ceiling = uuid7_floor(server - timedelta(minutes=1)), uuid7_floor(server + timedelta(minutes=1))
    assert floor < host.database.journal.new_id() < ceiling
    host.database.clock = own
    assert host.database.journal.new_id() > ceiling


JUMPS = [
    (timedelta(hours=-1), True),
    (timedelta(hours=1), True),
    (timedelta(days=-1), True),
    (timedelta(hours=-1), False),
]


@pytest.mark.parametrize(("jump", "bounded"), JUMPS, ids=["an hour back", "an hour on", "a day back", "control"])
def test_after_a_jump_everything_goes_on_at_once(
    host: Host, enqueue: Callable[..., int], monkeypatch: pytest.MonkeyPatch, jump: timedelta, bounded: bool
) -> None:
    """On SQLite, where the machine's own clock is the only one: what waits runs, and what a dead worker held, too.

    Without a bound on leases, what it held waits until the clock has come to where it was.
    """
    if not bounded:
        monkeypatch.setattr(queue, "LONGEST_LEASE", timedelta(days=1000))
    seen: list[str] = []
    plugin = Declares(
        "demo",
        [Job("demo.work", lambda ctx, payload: seen.append("job"))],
        [Consumer("demo.hear", ("crm.lead.*",), lambda ctx, event: seen.append("event"), ordered=True)],
    )
    worker = host.worker(plugin)
    enqueue("demo.work")
    with host.database.begin() as connection:
        assert queue.claim(connection, host.clock.now(), worker.lease, ["demo"], "a worker that dies")
    enqueue("demo.work")
    happen(host, "crm.lead.created", (1, 1))
    host.clock.advance(jump)
    worker.keep()
    worker.run_pending()
    assert sorted(seen) == (["event", "job", "job"] if bounded else ["event", "job"])


CRONS = [
    ("30 2 * * *", datetime(2026, 3, 28, tzinfo=UTC), 4),  # at 2:30 there is no 29 March in Paris
    ("30 2 * * *", datetime(2026, 10, 24, tzinfo=UTC), 4),  # and 25 October has two of it
    ("0 3 29 2 *", datetime(2028, 2, 27, tzinfo=UTC), 1),
]


@pytest.mark.parametrize(("cron", "start", "runs"), CRONS)
def test_a_schedule_runs_once_a_day_in_summer_time_too(host: Host, cron: str, start: datetime, runs: int) -> None:
    host.clock = host.database.clock = FixedClock(start)
    seen: list[datetime] = []
    schedule = Schedule("demo.nightly", "demo.work", cron=cron, timezone="Europe/Paris")
    jobs = [Job("demo.work", lambda ctx, payload: seen.append(ctx.now))]
    worker = host.worker(Declares("demo", jobs, schedules=[schedule]))
    for _ in range(4 * 48):
        worker.keep()
        worker.run_pending()
        host.clock.advance(timedelta(minutes=30))
    assert len(seen) == runs


def test_a_clock_that_goes_back_over_a_schedule_does_not_repeat_it(host: Host) -> None:
    seen: list[datetime] = []
    schedule = Schedule("demo.daily", "demo.work", cron="30 12 * * *")
    jobs = [Job("demo.work", lambda ctx, payload: seen.append(ctx.now))]
    worker = host.worker(Declares("demo", jobs, schedules=[schedule]))
    for step in (timedelta(minutes=31), timedelta(hours=-1), timedelta(hours=1)):
        host.clock.advance(step)
        worker.keep()
        worker.run_pending()
    assert len(seen) == 1
    assert next_time("30 12 * * *", None, "UTC", host.clock.now()) > host.clock.now()
