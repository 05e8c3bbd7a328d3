"""Every committed event reaches every interested consumer, in order where asked, and its effect happens once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore.context import Context
from gigacore.data.journal import Entry
from gigacore.data.tables import core_delivery
from gigacore.errors import Invalid
from gigacore.jobs import Consumer, relay
from gigacore.jobs.relay import Event
from tests.jobs.conftest import SALES, Host, Plugin


class Listener:
    """A consumer that remembers events and fails for chosen records."""

    def __init__(self) -> None:
        self.seen: list[tuple[int | None, int | None]] = []
        self.failing: set[int] = set()

    def __call__(self, ctx: Context, event: Event) -> None:
        if event.record_id in self.failing:
            raise RuntimeError("listener is down")
        self.seen.append((event.record_id, event.version))


def happen(host: Host, name: str, *records: tuple[int, int]) -> None:
    entity, verb = name.rsplit(".", 1)
    with host.database.unit_of_work(SALES) as ctx:
        entries = [Entry(entity, verb, record, None, version, ["status"], {}) for record, version in records]
        host.database.journal.write(ctx.session.connection(), ctx, entries)


def listener(host: Host, **options: Any) -> tuple[Listener, Any]:
    heard = Listener()
    consumer = Consumer("demo.listen", ("crm.lead.*",), heard, **options)
    return heard, host.worker(Plugin("demo", consumers=[consumer]))


def test_consumer_receives_only_what_it_asked_for(host: Host) -> None:
    heard, worker = listener(host)
    happen(host, "crm.lead.updated", (1, 2))
    happen(host, "crm.contact.updated", (5, 1))
    worker.run_pending()
    assert heard.seen == [(1, 2)]
    assert host.rows("state", "attempts", table="core_delivery") == [("done", 1)]


def test_event_carries_names_not_values(host: Host) -> None:
    events: list[Event] = []
    consumer = Consumer("demo.listen", ("*",), lambda ctx, event: events.append(event))
    worker = host.worker(Plugin("demo", consumers=[consumer]))
    happen(host, "crm.lead.updated", (1, 2))
    worker.run_pending()
    [event] = events
    assert (event.name, event.fields, event.actor_id, event.depth) == ("crm.lead.updated", ("status",), 7, 0)


def test_event_of_a_rolled_back_transaction_is_not_delivered(host: Host) -> None:
    heard, worker = listener(host)
    with pytest.raises(Invalid), host.database.unit_of_work(SALES) as ctx:
        host.database.journal.write(ctx.session.connection(), ctx, [Entry("crm.lead", "updated", 1)])
        raise Invalid
    assert worker.run_pending() == 0
    assert heard.seen == []


def test_events_of_one_transaction_are_delivered_in_one(host: Host) -> None:
    contexts: set[int] = set()
    consumer = Consumer("demo.listen", ("*",), lambda ctx, event: contexts.add(id(ctx)))
    worker = host.worker(Plugin("demo", consumers=[consumer]))
    happen(host, "crm.lead.created", *[(number, 1) for number in range(30)])
    worker.run_pending()
    assert len(contexts) == 1
    assert {row[0] for row in host.rows("state", table="core_delivery")} == {"done"}


def test_one_failing_event_does_not_hold_back_those_of_its_transaction(host: Host) -> None:
    heard, worker = listener(host)
    heard.failing = {2}
    happen(host, "crm.lead.created", (1, 1), (2, 1), (3, 1))
    worker.run_pending()
    assert heard.seen[-2:] == [(1, 1), (3, 1)]
    assert sorted(row[0] for row in host.rows("state", table="core_delivery")) == ["done", "done", "new"]


def test_each_consumer_has_its_own_delivery(host: Host) -> None:
    first, second = Listener(), Listener()
    first.failing = {1}
    consumers = [Consumer("demo.one", ("crm.lead.*",), first), Consumer("demo.two", ("crm.lead.*",), second)]
    worker = host.worker(Plugin("demo", consumers=consumers))
    happen(host, "crm.lead.updated", (1, 2))
    worker.run_pending()
    assert second.seen == [(1, 2)]
    assert sorted(host.rows("consumer", "state", table="core_delivery")) == [("demo.one", "new"), ("demo.two", "done")]


def test_ordered_consumer_waits_for_the_earlier_event_of_the_same_record(host: Host) -> None:
    heard, worker = listener(host, ordered=True)
    heard.failing = {1}
    happen(host, "crm.lead.updated", (1, 2), (1, 3), (2, 1))
    worker.run_pending()
    assert heard.seen == [(2, 1)]
    heard.failing = set()
    host.clock.advance(timedelta(seconds=10))
    worker.run_pending()
    assert heard.seen == [(2, 1), (1, 2), (1, 3)]


def test_unordered_consumer_does_not_wait(host: Host) -> None:
    heard, worker = listener(host)
    heard.failing = {1}
    happen(host, "crm.lead.updated", (1, 2), (2, 1))
    worker.run_pending()
    assert heard.seen == [(2, 1)]


def test_dead_letter_after_the_last_attempt_and_replay(host: Host) -> None:
    heard, worker = listener(host, attempts=3, ordered=True)
    heard.failing = {1}
    happen(host, "crm.lead.updated", (1, 2), (1, 3))
    for _ in range(10):
        worker.run_pending()
        host.clock.advance(timedelta(hours=30))
    assert [row[0] for row in host.rows("state", table="core_delivery")] == ["dead", "dead"]
    heard.failing = set()
    [first, _] = host.rows("event_id", table="core_delivery")
    with host.database.unit_of_work(SALES) as ctx:
        assert relay.replay(ctx, first[0], "demo.listen")  # type: ignore[arg-type]
    worker.run_pending()
    assert heard.seen == [(1, 2)]


def test_effect_of_a_worker_that_lost_its_lease_is_rolled_back(host: Host) -> None:
    def steal(ctx: Context, event: Event) -> None:
        ctx.session.connection().execute(sa.update(core_delivery).values(lease="stolen", attempts=77))

    worker = host.worker(Plugin("demo", consumers=[Consumer("demo.listen", ("*",), steal)]))
    happen(host, "crm.lead.updated", (1, 1))
    worker.run_pending(limit=1)
    assert host.rows("state", "attempts", table="core_delivery") == [("running", 1)]
    host.clock.advance(timedelta(minutes=2))
    with host.database.begin() as connection:
        assert [
            one.attempts
            for one in relay.claim(connection, host.clock.now(), worker.lease, worker.declared.consumers["demo.listen"])
        ] == [2]


def test_consumer_runs_one_step_deeper_with_the_events_correlation(host: Host) -> None:
    found: list[tuple[int, str, str]] = []
    consumer = Consumer(
        "demo.listen", ("*",), lambda ctx, event: found.append((ctx.depth, ctx.correlation_id, event.correlation_id))
    )
    worker = host.worker(Plugin("demo", consumers=[consumer]))
    happen(host, "crm.lead.updated", (1, 1))
    worker.run_pending()
    [(depth, own, of_event)] = found
    assert depth == 1
    assert own == of_event


def test_old_events_are_forgotten_once_nobody_waits(host: Host) -> None:
    heard, worker = listener(host)
    heard.failing = {2}
    happen(host, "crm.lead.updated", (1, 1), (2, 1))
    worker.run_pending()
    with host.database.begin() as connection:
        assert relay.purge(connection, host.clock.now() + timedelta(days=1)) == 1
    assert host.rows("record_id", table="core_outbox") == [(2,)]
