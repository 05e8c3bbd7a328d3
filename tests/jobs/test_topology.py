"""The deployment of docs/deployment.md on this machine: two web processes, worker, Celery, beat, PostgreSQL, Redis."""

from __future__ import annotations

import contextlib
import email
import http.client
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.access import tokens, users
from gigacore.jobs import core_job, core_schedule
from gigacore.testing.databases import Databases
from tests.jobs.brokers import Redis, wait_for
from tests.jobs.sites import Site, free_port, site_on
from tests.webhooks.conftest import Receiver, receiver
from tests.webhooks.test_webhooks import subscribe

__all__ = ["receiver"]
pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.postgres]
SCHEDULE = "core.mail_digest"
WELCOME = {
    "entity": "crm.lead",
    "trigger": {"kind": "core.created"},
    "steps": [{"do": "core.send_mail", "with": {"subject": "Welcome {{ record.last_name }}", "text": "Hello"}}],
}


@pytest.fixture
def site(postgres_databases: Databases, tmp_path: Path) -> Iterator[Site]:
    url, redis = postgres_databases.ready(), Redis(tmp_path)
    redis.start()
    variables = {
        "GIGA_BROKER_URL": redis.url,
        "GIGA_BROKER_QUEUE": "topology",
        "GIGA_REDIS_URL": redis.url,
        "GIGA_LOG": "json",
    }
    with site_on(url, tmp_path, **variables) as found:
        yield found
    redis.kill()
    postgres_databases.drop(url)


class Page(threading.Thread):
    """Somebody who has a page open at a web process."""

    def __init__(self, site: Site, port: int, topic: str) -> None:
        super().__init__(daemon=True)
        with site.crm.system("a reader") as ctx:
            token = tokens.create(ctx, users.create(ctx, "rita@example.test", "Rita", None, "super_admin"), "test")
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.connection.request("GET", f"/live?topic={topic}", headers={"Authorization": f"Bearer {token}"})
        self.answer, self.heard = self.connection.getresponse(), 0
        assert self.answer.status == 200

    def run(self) -> None:
        """Listen until the process ends the stream."""
        with contextlib.closing(self.connection), self.answer:
            for line in self.answer:
                self.heard += line.startswith(b"event: list")


def at_once(site: Site, ports: list[int]) -> None:
    """All processes at the same moment, as after a reboot."""
    starting = [threading.Thread(target=site.serve, args=(port,)) for port in ports]
    for thread in starting:
        thread.start()
    site.start("worker")
    site.start("celery", "worker", "--concurrency", "2")
    site.start("celery", "beat")
    for thread in starting:
        thread.join()


def about(site: Site, request: str) -> str:
    """What all processes logged under the id of a request."""
    lines = [line for file in site.folder.glob("*.log") for line in file.read_text().splitlines()]
    return "\n".join(line for line in lines if f'"correlation_id":"{request}' in line)


def fired(site: Site) -> list[str]:
    """The states of the jobs that the schedule started."""
    about = sa.select(core_job.c.state).where(core_job.c.unique_key == f"schedule:{SCHEDULE}")
    with site.crm.database.connect() as connection:
        return list(connection.scalars(about))


def test_a_salespersons_flow_over_two_web_processes(site: Site, receiver: Receiver) -> None:
    crm, (one, two) = site.crm, (free_port(), free_port())
    with crm.unit_of_work(crm.actor(site.owner)) as ctx:
        crm.automation.switch(ctx, crm.automation.create(ctx, "Welcome", WELCOME).id, active=True)
    subscribe(crm, crm.actor(site.owner), receiver.url)
    at_once(site, [one, two])
    assert len(site.running) == 5
    page = Page(site, two, "list:crm.lead")
    page.start()

    # A lead comes in at one process: the page at the other hears, the rule writes a mail, the receiver is told.
    person = {"last_name": "Martin", "first_name": "Zoé", "email": "zoe@example.test", "company_name": "Atelier"}
    status, lead = site.call(one, "POST", "/crm/leads", person, X_Request_ID="trace-me")
    assert status == 201, lead
    wait_for(lambda: page.heard, 20, "the live event")
    wait_for(lambda: list((site.folder / "mail").glob("*.eml")), 40, "the mail")
    [written] = (site.folder / "mail").glob("*.eml")
    assert email.message_from_bytes(written.read_bytes())["To"].endswith("zoe@example.test")
    wait_for(lambda: receiver.got, 40, "the web hook")

    # One id leads from the request to the job and to the receiver.
    assert receiver.got[0][0]["X-Correlation-ID"].startswith("trace-me.")
    wait_for(lambda: '"job":"core.send_hook"' in about(site, "trace-me"), 10, "the line of the job")

    # It is converted at the other process, and its opportunity is followed at the first.
    status, done = site.call(two, "POST", f"/crm/leads/{lead['id']}/actions/convert", {}, If_Match="*")
    assert status == 200, done
    status, found = site.call(one, "GET", "/crm/contacts?last_name=Martin")
    assert (status, len(found["items"])) == (200, 1)
    status, tasks = site.call(two, "GET", "/crm/tasks?limit=50")
    assert [task["title"] for task in tasks["items"]].count("rule Martin") == 1

    # A schedule is fired once, although five processes look.
    with crm.database.begin() as connection:
        mine = sa.update(core_schedule).where(core_schedule.c.name == SCHEDULE)
        connection.execute(mine.values(next_at=crm.clock.now()))
    wait_for(lambda: "done" in fired(site), 40, "the schedule")
    time.sleep(6)
    assert fired(site) == ["done"]
    wait_for(lambda: not site.open(), 60, "the end of all work")
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert all(process.poll() is None for process in site.running), site.said()
    for process in list(site.running):
        site.kill(process, signal.SIGTERM)
    page.join(30)
    assert not page.is_alive()
