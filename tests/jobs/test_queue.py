"""Jobs exist when their transaction commits, run at least once, and end in one of the known states."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore.context import Context, system_actor
from gigacore.errors import Invalid, Misuse, NotFound
from gigacore.jobs import Job, Schedule, cancel, core_job, retry
from gigacore.jobs import enqueue as put_job
from gigacore.jobs.run import JobRun, Retry
from gigacore.jobs.worker import EmbeddedDispatcher, InlineDispatcher
from tests.jobs.conftest import SALES, Host, Plugin

Enqueue = Callable[..., int]


class Recorder:
    """A handler that remembers its payloads and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.seen: list[Any] = []
        self.failures = failures

    def __call__(self, ctx: Context, payload: Any) -> dict[str, int]:
        self.seen.append(dict(payload))
        if len(self.seen) <= self.failures:
            raise RuntimeError("not now")
        return {"seen": len(self.seen)}


def test_job_runs_and_keeps_its_result(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder()
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work", {"lead": 1})
    assert worker.run_pending() == 1
    assert handler.seen == [{"lead": 1}]
    assert host.rows("state", "result", "attempts") == [("done", {"seen": 1}, 1)]


def test_job_of_a_rolled_back_transaction_does_not_exist(host: Host) -> None:
    from gigacore.jobs import enqueue as put

    with pytest.raises(Invalid), host.database.unit_of_work(SALES) as ctx:
        put(ctx, "demo.work", system="test")
        raise Invalid
    assert host.rows("id") == []


def test_effects_and_the_done_mark_commit_together(host: Host, enqueue: Enqueue) -> None:
    def handler(ctx: Context, payload: Any) -> None:
        ctx.session.connection().execute(sa.update(core_job).where(core_job.c.id == 1).values(reason="written"))
        raise RuntimeError("after the write")

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work")
    worker.run_pending()
    assert host.rows("state", "reason") == [("queued", "test")]


def test_failure_is_retried_later_and_later(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder(failures=2)
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work")
    worker.run_pending()
    host.clock.advance(timedelta(seconds=9))
    assert worker.run_pending() == 0
    host.clock.advance(timedelta(seconds=1))
    assert worker.run_pending() == 1
    host.clock.advance(timedelta(seconds=40))
    worker.run_pending()
    assert host.rows("state", "attempts") == [("done", 3)]


def test_poison_job_is_a_dead_letter_after_five_attempts_and_can_be_revived(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder(failures=5)
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    number = enqueue("demo.work")
    for _ in range(8):
        worker.run_pending()
        host.clock.advance(timedelta(hours=2))
    assert len(handler.seen) == 5
    [(state, error)] = host.rows("state", "error")
    assert state == "dead"
    assert "not now" in str(error)
    with host.database.unit_of_work(SALES) as ctx:
        retry(ctx, number)
    worker.run_pending()
    assert host.rows("state") == [("done",)]


def test_a_job_that_kills_its_worker_is_a_dead_letter_too(host: Host, enqueue: Enqueue) -> None:
    from gigacore.jobs import queue

    worker = host.worker(Plugin("demo", [Job("demo.work", Recorder())]))
    enqueue("demo.work")
    for _ in range(5):
        with host.database.begin() as connection:
            assert queue.claim(connection, host.clock.now(), worker.lease, ["demo"], "victim")
        host.clock.advance(timedelta(minutes=2))
        worker.keep()
    assert worker.run_pending() == 0
    assert host.rows("state", "attempts") == [("dead", 5)]


def test_a_refusal_is_not_tried_again(host: Host, enqueue: Enqueue) -> None:
    def handler(ctx: Context, payload: Any) -> None:
        raise Invalid

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work")
    worker.run_pending()
    assert host.rows("state", "attempts") == [("dead", 1)]


def test_handler_chooses_its_own_pause(host: Host, enqueue: Enqueue) -> None:
    def handler(ctx: Context, payload: Any) -> None:
        raise Retry(timedelta(minutes=30))

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work")
    worker.run_pending()
    assert host.rows("state", "run_at") == [("queued", host.clock.now() + timedelta(minutes=30))]


def test_unique_key_lets_one_wait_but_not_one_that_already_runs(host: Host, enqueue: Enqueue) -> None:
    first = enqueue("demo.work", {"n": 1}, unique_key="score:1")
    assert enqueue("demo.work", {"n": 2}, unique_key="score:1") == first

    def handler(ctx: Context, payload: Any) -> None:
        from gigacore.jobs import enqueue as put

        if payload["n"] == 1:
            put(ctx, "demo.work", {"n": 3}, unique_key="score:1", system="test")

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    worker.run_pending()
    assert host.rows("payload", "state") == [({"n": 1}, "done"), ({"n": 3}, "done")]


def test_failed_unique_job_gives_way_to_the_younger_one(host: Host, enqueue: Enqueue) -> None:
    from gigacore.jobs import queue

    worker = host.worker(Plugin("demo", [Job("demo.work", Recorder())]))
    enqueue("demo.work", unique_key="k")
    with host.database.begin() as connection:
        claimed = queue.claim(connection, host.clock.now(), worker.lease, ["demo"], "w")
    assert claimed
    enqueue("demo.work", unique_key="k")
    with host.database.begin() as connection:
        queue.fail(connection, claimed, host.clock.now(), "boom", timedelta(0))
    assert host.rows("state") == [("cancelled",), ("queued",)]


def test_serial_jobs_run_in_order_even_when_the_first_is_postponed(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder(failures=1)
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work", {"n": 1}, serial_key="s")
    enqueue("demo.work", {"n": 2}, serial_key="s")
    enqueue("demo.work", {"n": 3})
    worker.run_pending()
    host.clock.advance(timedelta(seconds=10))
    worker.run_pending()
    assert [one["n"] for one in handler.seen] == [1, 3, 1, 2]


def test_priority_and_time_decide_the_order(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder()
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work", {"n": "later"}, run_at=host.clock.now() + timedelta(hours=1))
    enqueue("demo.work", {"n": "now"})
    worker.run_pending()
    host.clock.advance(timedelta(hours=1))
    worker.run_pending()
    assert [one["n"] for one in handler.seen] == ["now", "later"]


def test_job_of_a_disabled_plugin_is_parked_and_taken_up_again(host: Host, enqueue: Enqueue) -> None:
    enqueue("demo.work")
    host.worker(Plugin("other")).run_pending()
    assert host.rows("state", "attempts") == [("parked", 0)]
    handler = Recorder()
    assert host.worker(Plugin("demo", [Job("demo.work", handler)])).run_pending() == 1
    assert handler.seen == [{}]


def test_what_newer_code_enqueued_is_parked_by_older_code_and_runs_on_newer(host: Host, enqueue: Enqueue) -> None:
    """F30. The control is the last line: who knows the payload's form runs it."""
    newer = Job("demo.work", Recorder(), version=2)
    with host.database.unit_of_work(SALES) as ctx:
        for _ in range(2):  # of one transaction: they would run together
            put_job(ctx, newer, {"form": "new"}, system="test")
        put_job(ctx, "demo.nothing", {}, system="test")
    old = Recorder()
    worker = host.worker(Plugin("demo", [Job("demo.work", old)]))
    worker.run_pending()
    assert host.rows("state", "attempts") == [("parked", 0)] * 3
    assert "payload version 2" in str(host.rows("error")[0][0])
    assert old.seen == []
    host.worker(Plugin("demo", [newer, Job("demo.nothing", Recorder())])).run_pending()
    assert host.rows("state") == [("done",)] * 3


def test_waiting_job_is_cancelled_and_unknown_one_is_not_found(host: Host, enqueue: Enqueue) -> None:
    number = enqueue("demo.work")
    with host.database.unit_of_work(SALES) as ctx:
        assert cancel(ctx, number) == "cancelled"
        with pytest.raises(NotFound):
            cancel(ctx, 99)
    assert host.worker(Plugin("demo", [Job("demo.work", Recorder())])).run_pending() == 0


def test_long_job_reports_progress_and_stops_when_asked(host: Host, enqueue: Enqueue) -> None:
    def handler(run: JobRun, payload: Any) -> None:
        for step in range(5):
            if step == 3:
                with host.database.unit_of_work(SALES) as ctx:
                    cancel(ctx, run.id)
            with run.unit_of_work() as ctx:
                run.log(ctx, f"step {step}")
                run.checkpoint(ctx, step, 5)

    worker = host.worker(Plugin("demo", [Job("demo.work", handler, long=True)]))
    enqueue("demo.work")
    worker.run_pending()
    [(state, done, total, log)] = host.rows("state", "progress_done", "progress_total", "log")
    assert (state, done, total) == ("cancelled", 2, 5)
    assert "step 2" in str(log)


def test_worker_that_lost_its_lease_leaves_no_effects(host: Host, enqueue: Enqueue) -> None:
    def handler(ctx: Context, payload: Any) -> None:
        ctx.session.connection().execute(
            sa.update(core_job).where(core_job.c.id == 1).values(worker="somebody else", reason="written")
        )

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    enqueue("demo.work")
    worker.run_pending()
    [(state, owner, reason)] = host.rows("state", "worker", "reason")
    assert (state, reason) == ("running", "test")
    assert str(owner).startswith(worker.name)


def test_job_without_a_person_behind_it_is_refused(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder()
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    with host.database.unit_of_work(system_actor("link")) as ctx:
        from gigacore.jobs import enqueue as put

        put(ctx, "demo.work")
    with host.database.begin() as connection:
        connection.execute(sa.update(core_job).values(actor_kind="link"))
    worker.run_pending()
    assert host.rows("state") == [("dead",)]
    assert handler.seen == []


def test_malformed_job_is_refused_when_it_is_enqueued(enqueue: Enqueue) -> None:
    with pytest.raises(Misuse):
        enqueue("Demo!")
    with pytest.raises(Misuse):
        enqueue("demo.work", {"text": "x" * 300_000})


def test_four_threads_run_each_job_once(host: Host, enqueue: Enqueue) -> None:
    seen: list[int] = []
    lock = threading.Lock()

    def handler(ctx: Context, payload: Any) -> None:
        with lock:
            seen.append(payload["n"])

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    from gigacore.jobs import enqueue as put

    with host.database.unit_of_work(SALES) as ctx:
        for number in range(120):
            put(ctx, "demo.work", {"n": number}, system="test", serial_key=f"s{number % 3}" if number % 2 else None)
    threads = [threading.Thread(target=worker.run_pending) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    worker.run_pending()
    assert sorted(seen) == list(range(120))
    serial = [number for number in seen if number % 2 and number % 3 == 1]
    assert serial == sorted(serial)


def put_many(host: Host, count: int, **options: Any) -> None:
    from gigacore.jobs import enqueue as put

    with host.database.unit_of_work(SALES) as ctx:
        for number in range(count):
            put(ctx, "demo.work", {"n": number}, system="test", **options)


def test_jobs_of_one_transaction_run_in_one(host: Host, enqueue: Enqueue) -> None:
    contexts: list[int] = []
    worker = host.worker(Plugin("demo", [Job("demo.work", lambda ctx, payload: contexts.append(id(ctx)))]))
    put_many(host, 20)
    enqueue("demo.work", {"n": "of another transaction"})
    assert worker.run_pending() == 2
    assert len(contexts) == 21
    assert len(set(contexts[:20])) == 1
    assert set(host.rows("state", "attempts")) == {("done", 1)}


def test_a_failing_job_lets_the_others_of_its_transaction_end(host: Host) -> None:
    ran: list[int] = []

    def handler(ctx: Context, payload: Any) -> None:
        ran.append(payload["n"])
        if payload["n"] == 2:
            raise RuntimeError("not this one")

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    put_many(host, 4)
    worker.run_pending()
    assert ran == [0, 1, 2, 0, 1, 2, 3], "together until the fault, then each by itself"
    for _ in range(8):
        host.clock.advance(timedelta(hours=2))
        worker.run_pending()
    assert host.rows("state", "attempts") == [("done", 2), ("done", 2), ("dead", 5), ("done", 2)]


def test_jobs_that_are_tried_once_or_in_order_run_alone(host: Host) -> None:
    worker = host.worker(Plugin("demo", [Job("demo.work", Recorder())]))
    put_many(host, 3, serial_key="s")
    assert worker.run_pending() == 3
    apart = host.worker(Plugin("demo", [Job("demo.work", Recorder(), together=1)]))
    put_many(host, 3)
    assert apart.run_pending() == 3


def test_embedded_dispatcher_is_woken_and_stops(host: Host, enqueue: Enqueue) -> None:
    ran = threading.Event()

    def handler(ctx: Context, payload: Any) -> None:
        ran.set()

    worker = host.worker(Plugin("demo", [Job("demo.work", handler)]))
    dispatcher = EmbeddedDispatcher(worker, poll=30)
    dispatcher.start()
    time.sleep(0.2)
    enqueue("demo.work")
    dispatcher.wake()
    assert ran.wait(5)
    assert dispatcher.stop(10)


def test_a_long_job_lets_the_worker_stop_and_goes_on_later(host: Host, enqueue: Enqueue) -> None:
    begun, steps = threading.Event(), list[int]()

    def handler(run: JobRun, payload: Any) -> None:
        while len(steps) < 1000:
            run.between_steps()
            steps.append(len(steps))
            begun.set()
            time.sleep(0.01)

    worker = host.worker(Plugin("demo", [Job("demo.work", handler, long=True)]))
    enqueue("demo.work")
    dispatcher = EmbeddedDispatcher(worker)
    dispatcher.start()
    dispatcher.wake()
    assert begun.wait(10)
    assert dispatcher.stop(10)
    assert host.rows("state", "attempts") == [("queued", 0)]
    assert len(steps) < 1000


def test_inline_dispatcher_runs_what_was_committed(host: Host, enqueue: Enqueue) -> None:
    handler = Recorder()
    dispatcher = InlineDispatcher(host.worker(Plugin("demo", [Job("demo.work", handler)])))
    dispatcher.start()
    enqueue("demo.work", {"n": 1})
    dispatcher.wake()
    assert handler.seen == [{"n": 1}]


def test_schedule_enqueues_once_however_late_it_is(host: Host) -> None:
    handler = Recorder()
    schedule = Schedule("demo.nightly", "demo.work", cron="0 3 * * *", payload={"n": 1}, timezone="Europe/Paris")
    worker = host.worker(Plugin("demo", [Job("demo.work", handler)], schedules=[schedule]))
    worker.keep()
    assert worker.run_pending() == 0
    host.clock.advance(timedelta(days=3))
    worker.keep()
    worker.keep()
    worker.run_pending()
    assert handler.seen == [{"n": 1}]
    [(next_at,)] = host.rows("next_at", table="core_schedule")
    assert str(next_at) == "2026-11-25 02:00:00+00:00"


def test_schedule_that_is_declared_no_more_is_dropped(host: Host) -> None:
    schedule = Schedule("demo.often", "demo.work", every=timedelta(minutes=5))
    host.worker(Plugin("demo", [Job("demo.work", Recorder())], schedules=[schedule]))
    host.worker(Plugin("other"))
    assert len(host.rows("name", table="core_schedule")) == 1
    host.worker(Plugin("demo", [Job("demo.work", Recorder())]))
    assert host.rows("name", table="core_schedule") == []
