"""A job acts with the rights that its person has when it runs, not when it was enqueued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, Plugin, records
from gigacore.access import users
from gigacore.context import Context
from gigacore.jobs import Job, core_job, enqueue


def make_lead(ctx: Context, payload: Any) -> int:
    """The job of the test plugin: it writes as its actor."""
    return records.create(ctx, "crm.lead", {"last_name": payload["name"]}).id


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin("visits", jobs=[Job("visits.make_lead", make_lead)], package="tests")]


def states(crm: Crm) -> list[tuple[Any, ...]]:
    with crm.database.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(core_job.c.state, core_job.c.actor_name))]


def put(crm: Crm, actor: Actor) -> None:
    with crm.unit_of_work(actor) as ctx:
        enqueue(ctx, "visits.make_lead", {"name": "Lee"})


def test_a_job_writes_as_the_person_who_asked_for_it(crm: Crm, make_user: Any) -> None:
    ann = make_user("user", name="Ann")
    put(crm, ann)
    crm.jobs.run_pending()
    assert states(crm) == [("done", "Ann")]
    with crm.read(ann) as ctx:
        [lead] = records.page(ctx, "crm.lead", records.ListRequest()).items
    assert lead["owner_id"]["id"] == ann.user_id


def test_a_person_who_was_deactivated_meanwhile_changes_nothing(crm: Crm, make_user: Any) -> None:
    ann = make_user("user")
    put(crm, ann)
    with crm.system("test") as ctx:
        users.set_active(ctx, ann.user_id, False)
    crm.jobs.run_pending()
    assert states(crm)[0][0] == "dead"


def test_a_role_that_was_taken_away_meanwhile_counts_no_more(crm: Crm, make_user: Any) -> None:
    ann = make_user("user")
    put(crm, ann)
    with crm.system("test") as ctx:
        users.set_roles(ctx, ann.user_id, [])
    crm.jobs.run_pending()
    assert states(crm)[0][0] == "dead"


def test_a_disabled_plugin_parks_its_jobs_and_takes_them_up_again(crm: Crm, make_user: Any) -> None:
    ann = make_user("user")
    put(crm, ann)
    crm.disable("visits")
    crm.jobs.worker.prepare()
    assert crm.jobs.run_pending() == 0
    assert states(crm)[0][0] == "parked"
    crm.enable("visits")
    crm.jobs.worker.prepare()
    crm.jobs.run_pending()
    assert states(crm)[0][0] == "done"


def test_embedded_workers_run_what_was_committed_and_stop(crm: Crm, make_user: Any) -> None:
    ann = make_user("user")
    crm.jobs.start("embedded")
    put(crm, ann)
    assert wait(lambda: states(crm)[0][0] == "done")
    assert crm.jobs.stop()


def wait(condition: Any) -> bool:
    import time

    for _ in range(100):
        if condition():
            return True
        time.sleep(0.05)
    return False
