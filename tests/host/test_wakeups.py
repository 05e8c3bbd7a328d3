"""Processes tell each other of commits, by PostgreSQL or Redis; a broken channel heals, and nothing depends on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm, records
from gigacore.live import Live as GigaLive
from gigacore.live import LiveEvent
from gigacore.testing.databases import Databases, settings
from host_app import live
from host_app.live import Live
from host_app.wakeups import Wakeups
from tests.jobs.brokers import Redis, wait_for


class Postgres:
    """The channel of a database; it breaks when the server ends the listening connection."""

    def __init__(self, url: str) -> None:
        self.url, self.redis_url = url, ""

    def cut(self) -> None:
        engine = sa.create_engine(self.url)
        listening = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%' OR query = 'SELECT 1' AND state = 'idle'"
        )
        with engine.begin() as connection:
            assert connection.execute(listening).all()
        engine.dispose()

    def mend(self) -> None:
        """It takes connections again at once."""


class BesideSqlite:
    """A Redis of the test's own; it breaks when the server is killed."""

    def __init__(self, url: str, server: Redis) -> None:
        self.url, self.redis_url, self.server = url, server.url, server

    def cut(self) -> None:
        self.server.kill()

    def mend(self) -> None:
        self.server.start()


@pytest.fixture(params=[
    pytest.param("postgres", marks=pytest.mark.postgres), pytest.param("redis", marks=pytest.mark.peer),
])  # fmt: skip
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    kind = "postgres" if request.param == "postgres" else "sqlite"
    databases: Databases = request.getfixturevalue(f"{kind}_databases")
    url = databases.ready()
    if kind == "postgres":
        yield Postgres(url)
    else:
        server = Redis(tmp_path)
        server.start()
        yield BesideSqlite(url, server)
        server.kill()
    databases.drop(url)


@pytest.fixture
def two(site: Any, tmp_path: Path) -> Iterator[tuple[Crm, Crm]]:
    given = replace(settings(site.url, tmp_path), redis_url=site.redis_url)
    with Crm(given, plugins=()) as one, Crm(given, plugins=()) as other:
        yield one.start(), other.start()


def write(crm: Crm) -> None:
    with crm.system("a commit") as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Martin"})


def test_commits_elsewhere_are_heard_until_the_channel_breaks_and_after_it_heals(
    site: Any, two: tuple[Crm, Crm]
) -> None:
    here, elsewhere = two
    heard = threading.Event()
    listening, telling = Wakeups.of(here, heard.set), Wakeups.of(elsewhere)
    listening.start()
    wait_for(lambda: listening.healthy, 10, "hearing oneself")
    write(elsewhere)
    assert not heard.wait(0.3), "the control: nobody told it"
    telling.start()
    write(here)
    assert not heard.wait(0.3), "one's own commits wake nobody twice"
    write(elsewhere)
    assert heard.wait(10)
    site.cut()
    wait_for(lambda: not listening.healthy, 20, "noticing the break")
    write(elsewhere)
    site.mend()
    wait_for(lambda: listening.healthy, 20, "healing")
    heard.clear()
    write(elsewhere)
    assert heard.wait(10)
    listening.stop()
    telling.stop()


def test_a_page_hears_of_another_process_without_looking(
    site: Any, two: tuple[Crm, Crm], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = two
    for name in ("LOOK_SECONDS", "CALM_SECONDS"):
        monkeypatch.setattr(live, name, 60.0)
    pages, told = Live(here), Wakeups.of(elsewhere)
    heard = Wakeups.of(here, pages.wake)
    stream = pages.open(1, frozenset({"list:crm.lead"}))
    assert stream is not None
    heard.start()
    told.start()
    wait_for(lambda: heard.healthy, 10, "hearing oneself")
    write(elsewhere)
    assert stream.waiting.get(timeout=10) == ("list", {"topic": "list:crm.lead"})
    for one in (heard, told, pages):
        one.stop()


def test_a_message_reaches_the_pages_of_another_process_once(site: Any, two: tuple[Crm, Crm]) -> None:
    _, elsewhere = two
    pages = [Live(one) for one in two]
    bridges = [Wakeups.of(crm, shown.wake, shown.deliver) for crm, shown in zip(two, pages, strict=True)]
    streams = [shown.open(1, frozenset()) for shown in pages]
    for bridge in bridges:
        bridge.start()
    for bridge in bridges:
        wait_for(lambda bridge=bridge: bridge.healthy, 10, "hearing oneself")
    kind = LiveEvent(name="voip.ringing", label="A phone rings")
    elsewhere.live = GigaLive(lambda: [kind], elsewhere.live.carriers)
    elsewhere.live.send(1, kind.name, {"from": "+33 1 23 45 67 89"})
    elsewhere.live.send(2, kind.name, {"from": "for somebody else"})
    for stream in streams:
        assert stream is not None
        assert stream.waiting.get(timeout=10) == ("live", {"kind": kind.name, "data": {"from": "+33 1 23 45 67 89"}})
    for one in (*bridges, *pages):
        one.stop()
    assert [stream.waiting.qsize() for stream in streams if stream] == [0, 0]


def test_more_news_than_can_be_told_one_by_one_reaches_every_page(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BATCH", 3)
    pages = Live(crm)
    stream = pages.open(1, frozenset({"record:crm.lead:1"}))
    assert stream is not None
    with crm.system("many at once") as ctx:
        for number in range(5):
            records.create(ctx, "crm.lead", {"last_name": f"Martin {number}"})
    assert stream.waiting.get(timeout=10) == ("record", {"topic": "record:crm.lead:1"})
    pages.stop()
