"""Celery only wakes workers: doubled, lost and late messages, and a broker that is gone, change no result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm
from gigacore.automation.tables import core_rule_run
from gigacore.jobs import core_job
from gigacore.settings import Settings
from host_app import broker
from tests.automation.conftest import Rules, put
from tests.jobs.brokers import RABBIT, Redis, answers, giga, wait_for

pytestmark = pytest.mark.peer


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    if request.param == "redis":
        return str(request.getfixturevalue("redis").url)
    if not answers(5672):
        pytest.skip("no RabbitMQ listens on 127.0.0.1:5672")
    return RABBIT


class Site:
    """A web process's side of an installation, and the environment of its workers."""

    def __init__(self, crm: Crm, admin: Actor, folder: Path, url: str) -> None:
        self.crm, self.rules = crm, Rules(crm, admin)
        self.folder, self.queue = folder, f"giga-test-{uuid4().hex[:8]}"
        self.settings = Settings(broker_url=url, broker_queue=self.queue)
        self.rules.on("core.created", [put(city="{{ record.last_name }}ville")])
        self.variables = {
            "GIGA_DATABASE_URL": crm.engine.url.render_as_string(hide_password=False),
            "GIGA_DATA_DIR": str(folder / "data"), "GIGA_BROKER_URL": url, "GIGA_BROKER_QUEUE": self.queue,
        }  # fmt: skip
        (folder / "data").mkdir()

    def create(self) -> int:
        from gigacore import records

        with self.crm.unit_of_work(self.rules.actor) as ctx:
            return records.create(ctx, "crm.lead", {"last_name": "Martin"}).id

    def runs(self) -> int:
        with self.crm.database.connect() as connection:
            done = sa.select(sa.func.count()).select_from(core_rule_run).where(core_rule_run.c.state == "done")
            return int(connection.scalar(done) or 0)


def test_a_message_wakes_a_worker_and_doubles_change_nothing(
    crm: Crm, admin: Actor, tmp_path: Path, broker_url: str
) -> None:
    site = Site(crm, admin, tmp_path, broker_url)
    app = broker.transport(site.settings)
    crm.jobs.start(broker.dispatcher(site.settings))
    with giga(tmp_path, "celery", "worker", "--pool", "threads", **site.variables):
        site.create()
        wait_for(lambda: site.runs() == 1, 30, "the first rule run")
        delays = []
        for number in range(2, 8):
            site.create()
            delays.append(wait_for(lambda number=number: site.runs() == number, 20, "a rule run"))
        with crm.database.connect() as connection:
            jobs = list(connection.execute(sa.select(core_job.c.id).where(core_job.c.state == "done")).scalars())
        for job in [*jobs, *jobs, 10**9]:
            broker.publisher(app)(broker.RUN, job)
        site.create()
        wait_for(lambda: site.runs() == 8, 20, "a rule run")
    crm.jobs.stop()
    with crm.database.connect() as connection:
        tried = list(connection.execute(sa.select(core_job.c.attempts).where(core_job.c.id.in_(jobs))).scalars())
    print(f"\ncommit to rule done: median {sorted(delays)[3] * 1000:.0f} ms, worst {max(delays) * 1000:.0f} ms")
    assert site.runs() == 8
    assert tried
    assert set(tried) == {1}


@pytest.mark.slow
def test_without_the_broker_nothing_is_lost(crm: Crm, admin: Actor, tmp_path: Path, redis: Redis) -> None:
    site = Site(crm, admin, tmp_path, redis.url)
    crm.jobs.start(broker.dispatcher(site.settings))
    with giga(tmp_path, "celery", "worker", "--pool", "prefork", **site.variables):
        site.create()
        wait_for(lambda: site.runs() == 1, 30, "the first rule run")
        redis.flush()
        site.create()
        flushed = wait_for(lambda: site.runs() == 2, 30, "the run after a flush")
        redis.kill()
        site.create()
        down = wait_for(lambda: site.runs() == 3, 30, "the run without a broker")
        redis.start()
        site.create()
        back = wait_for(lambda: site.runs() == 4, 30, "the run with the broker back")
    crm.jobs.stop()
    print(f"\nafter a flush {flushed:.1f} s, without broker {down:.1f} s, after its return {back:.1f} s")
