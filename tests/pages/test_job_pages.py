"""The job monitor: backlog and age, a job's page, dead deliveries played again, schedules; each by permission."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm
from gigacore.data.tables import core_delivery, core_outbox
from gigacore.errors import Invalid
from gigacore.jobs import Consumer, Job, core_job, core_schedule, enqueue
from gigacore.messages import msg
from tests.pages.conftest import Visitor

MONITOR = "/settings/jobs"


def _refuse(run: Any, payload: Any) -> None:
    raise Invalid.of("email", msg("This is not an e-mail address."))


def _break(run: Any, payload: Any) -> None:
    raise RuntimeError("the printer burns")


@pytest.fixture
def broken(crm: Crm) -> int:
    """A job that was given up; its number."""
    job = Job("core.breaks", _break, label="Print", attempts=1)
    crm.jobs.worker.declared = replace(crm.jobs.declared, jobs={**crm.jobs.declared.jobs, job.name: job})
    with crm.system("test") as ctx:
        number = enqueue(ctx, job)
    crm.jobs.run_pending()
    return number


def state(crm: Crm, number: int) -> str:
    with crm.database.connect() as connection:
        return str(connection.scalar(sa.select(core_job.c.state).where(core_job.c.id == number)))


def test_a_job_given_up_is_found_read_and_tried_again(crm: Crm, root: Visitor, broken: int) -> None:
    page = root.get(f"{MONITOR}?state=dead&name=core.breaks").get_data(as_text=True)
    assert "Print" in page
    assert "the printer burns" in page
    assert f'href="{MONITOR}/{broken}"' not in root.get(f"{MONITOR}?state=done").get_data(as_text=True)
    one = root.get(f"{MONITOR}/{broken}").get_data(as_text=True)
    assert "Traceback" in one
    assert "hx-trigger" not in one.partition('id="job"')[2][:200]
    assert root.post(f"{MONITOR}/{broken}/retry", {}).status_code == 303
    assert state(crm, broken) == "queued"
    assert 'hx-trigger="every 2s"' in root.get(f"{MONITOR}/{broken}").get_data(as_text=True)
    root.post(f"{MONITOR}/{broken}/cancel", {})
    assert state(crm, broken) == "cancelled"


def test_who_started_it_is_told_why_in_their_language(crm: Crm, root: Visitor, visit: Any, broken: int) -> None:
    reader: Visitor = visit("user", "fr")
    job = Job("core.refuses", _refuse, label="Mail notifications", attempts=1)
    crm.jobs.worker.declared = replace(crm.jobs.declared, jobs={**crm.jobs.declared.jobs, job.name: job})
    with crm.unit_of_work(crm.actor(reader.user_id)) as ctx:
        number = enqueue(ctx, job)
    crm.jobs.run_pending()
    for _ in range(2):
        with crm.system("clock") as ctx:
            enqueue(ctx, "core.tell_failures")
        crm.jobs.run_pending()
    page = reader.get(f"{MONITOR}/{number}").get_data(as_text=True)
    assert ("Ce n’est pas une adresse e-mail." in page, "Traceback" in page) == (True, False)
    told = reader.get("/notifications").get_data(as_text=True)
    assert told.count("« Notifications par e-mail » a échoué".replace("« ", "«\u00a0").replace(" »", "\u00a0»")) == 1
    assert "This is not an e-mail address." in root.get(f"{MONITOR}/{number}").get_data(as_text=True)
    assert "abandonné" not in root.get("/notifications").get_data(as_text=True)


def test_jobs_of_others_take_the_right(crm: Crm, root: Visitor, visit: Any, broken: int) -> None:
    user = visit("user")
    for path in ("", "/deliveries", "/schedules"):
        assert user.get(f"{MONITOR}{path}").status_code == 403
    assert user.get(f"{MONITOR}/{broken}").status_code == 404
    assert user.post(f"{MONITOR}/{broken}/retry", {}).status_code == 404
    assert user.post(f"{MONITOR}/deliveries/replay", {"consumer": "core.hooks"}).status_code == 403
    assert MONITOR not in user.get("/settings").get_data(as_text=True)
    assert state(crm, broken) == "dead"
    assert MONITOR in root.get("/settings?q=schedules").get_data(as_text=True)


def test_parked_jobs_say_which_plugin_is_off(crm: Crm, root: Visitor) -> None:
    with crm.system("test") as ctx:
        number = enqueue(ctx, "gone.work")
    crm.jobs.worker.prepare()
    assert state(crm, number) == "parked"
    page = root.get(f"{MONITOR}?state=parked").get_data(as_text=True)
    assert "The plugin gone is switched off" in page


def test_an_event_given_up_is_delivered_again_with_one_click(crm: Crm, root: Visitor) -> None:
    heard: list[str] = []

    def handle(ctx: Any, event: Any) -> None:
        if not heard:
            heard.append("")
            raise RuntimeError("deaf")
        heard.append(event.name)

    consumer = Consumer("core.listens", ("crm.lead.created",), handle, attempts=1)
    consumers = {**crm.jobs.declared.consumers, consumer.name: consumer}
    crm.jobs.worker.declared = replace(crm.jobs.declared, consumers=consumers)
    crm.database.journal.interested = lambda name, rules: (consumer.name,) if consumer.wants(name) else ()
    root.get("/crm/leads/new")
    root.post("/crm/leads/new", {"last_name": "Ada"})
    waiting = root.get(f"{MONITOR}/deliveries").get_data(as_text=True)
    assert "core.listens" in waiting
    crm.jobs.run_pending()
    page = root.get(f"{MONITOR}/deliveries").get_data(as_text=True)
    assert "RuntimeError: deaf" in page
    event = re.findall(r'name="event" value="([^"]+)"', page)[0]
    assert root.post(f"{MONITOR}/deliveries/replay", {"consumer": "core.listens", "event": "x"}).status_code == 404
    root.post(f"{MONITOR}/deliveries/replay", {"consumer": "core.listens", "event": event})
    crm.jobs.run_pending()
    assert heard == ["", "crm.lead.created"]
    with crm.database.connect() as connection:
        found = connection.scalars(
            sa.select(core_delivery.c.state)
            .join(core_outbox, core_outbox.c.id == core_delivery.c.event_id)
            .where(core_delivery.c.consumer == "core.listens")
        ).all()
    assert found == ["done"]


def test_a_schedule_is_switched_off_and_on_and_run_at_once(crm: Crm, root: Visitor) -> None:
    crm.jobs.worker.prepare()
    page = root.get(f"{MONITOR}/schedules").get_data(as_text=True)
    assert "core.mail_digest" in page
    with crm.database.connect() as connection:
        one = connection.execute(sa.select(core_schedule).where(core_schedule.c.name == "core.mail_digest")).one()
    at = f"{MONITOR}/schedules/{one.id}"
    root.post(at, {"wish": "off"})
    assert "switched off" in root.get(f"{MONITOR}/schedules").get_data(as_text=True)
    root.post(at, {"wish": "on"})
    root.post(at, {"wish": "run"})
    assert root.post(at, {"wish": "other"}).status_code == 404
    with crm.database.connect() as connection:
        jobs = connection.execute(sa.select(core_job.c.reason).where(core_job.c.name == one.job)).scalars().all()
        later = connection.execute(sa.select(core_schedule).where(core_schedule.c.id == one.id)).one()
    assert jobs == ["schedule core.mail_digest"]
    assert later.enabled
    assert later.next_at > crm.clock.now()


def test_the_times_of_a_schedule_are_changed_in_words(crm: Crm, root: Visitor, visit: Any) -> None:
    crm.jobs.worker.prepare()

    def stored() -> Any:
        with crm.database.connect() as connection:
            return connection.execute(sa.select(core_schedule).where(core_schedule.c.name == "core.backup")).one()

    at = f"{MONITOR}/schedules/{stored().id}/edit"
    assert visit("user").get(at).status_code == 403
    assert 'value="4"' in root.get(at).get_data(as_text=True)
    sent = {"pace": "weekdays", "at": "7h30", "timezone": "Europe/Paris"}
    assert root.post(at, sent).location == f"{MONITOR}/schedules"
    assert (stored().cron, stored().every_seconds, stored().timezone) == ("30 7 * * 1-5", None, "Europe/Paris")
    assert stored().next_at > crm.clock.now()
    listed = root.get(f"{MONITOR}/schedules").get_data(as_text=True)
    assert "Monday to Friday at 07:30 (Europe/Paris)" in listed
    crm.jobs.worker.prepare()  # a start leaves them
    assert stored().cron == "30 7 * * 1-5"
    for wrong, name in (
        ({"pace": "daily", "at": "late", "timezone": "UTC"}, "f-at"),
        ({"pace": "daily", "at": "7:00", "timezone": "Mars/Base"}, "f-timezone"),
        ({"pace": "cron", "cron": "61 * * * *", "timezone": "UTC"}, "f-cron"),
        ({"pace": "cron", "cron": "0 0 30 2 *", "timezone": "UTC"}, "f-cron"),
        ({"pace": "days", "count": "999", "timezone": "UTC"}, "f-count"),
    ):
        answer = root.post(at, wrong)
        assert answer.status_code == 422
        assert f'id="{name}-p"' in answer.get_data(as_text=True)
    assert stored().cron == "30 7 * * 1-5"


def test_runs_of_schedules_that_went_well_are_left_out_until_asked_for(crm: Crm, root: Visitor, broken: int) -> None:
    crm.jobs.start("none")
    with crm.database.begin() as connection:
        due = sa.update(core_schedule).where(core_schedule.c.name == "core.tell_failures")
        connection.execute(due.values(next_at=crm.clock.now()))
    crm.jobs.worker.keep()
    crm.jobs.run_pending()
    link = re.compile(rf'<th scope="row"><a href="{MONITOR}/(\d+)">([^<]+)<')
    page = root.get(MONITOR).get_data(as_text=True)
    assert [label for _, label in link.findall(page)] == ["Print"]
    shown = re.search(r'href="([^"]+)">Show them \((\d+)\)', page)
    assert shown
    assert int(shown[2]) >= 1
    for path in (shown[1].replace("&amp;", "&"), f"{MONITOR}?name=core.tell_failures"):
        assert "Tell of failed tasks" in [label for _, label in link.findall(root.get(path).get_data(as_text=True))]
