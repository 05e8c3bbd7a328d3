"""Whoever started a job follows it; whoever looks after the queue sees all of them and what went wrong."""

from __future__ import annotations

from gigacore import Crm
from gigacore.jobs import enqueue
from tests.api.conftest import People


def put(crm: Crm, user_id: int) -> int:
    """A job that is given up at once: what it is about does not exist."""
    with crm.unit_of_work(crm.actor(user_id)) as ctx:
        return enqueue(ctx, "core.bulk", {"entity": "crm.nothing", "action": "update", "ids": [1], "params": {}})


def test_a_bulk_change_of_many_is_followed_to_its_result(crm: Crm, people: People) -> None:
    ids = [people.ann.make("/crm/leads", {"last_name": f"Lee {n}"})["id"] for n in range(101)]
    accepted = people.ann("POST", "/crm/leads/actions/update", {"ids": ids, "params": {"priority": "high"}})
    assert accepted.status_code == 202
    path = f"/core/jobs/{accepted.get_json()['job']}"
    assert people.ann("GET", path).get_json()["state"] == "queued"
    crm.jobs.run_pending()
    job = people.ann("GET", path).get_json()
    assert (job["state"], job["progress_done"], job["result"]["changed"]) == ("done", 101, 101)
    assert "error" not in job


def test_others_do_not_learn_that_a_job_exists(crm: Crm, people: People) -> None:
    path = f"/core/jobs/{put(crm, people.ann.user_id)}"
    assert people.ben("GET", path).status_code == 404
    assert people.ben("POST", f"{path}/actions/cancel").status_code == 404
    assert people.ben("GET", "/core/jobs").get_json()["items"] == []
    assert people.ben("GET", "/core/jobs?everybody=1").status_code == 403


def test_ones_own_waiting_job_can_be_cancelled(crm: Crm, people: People) -> None:
    path = f"/core/jobs/{put(crm, people.ann.user_id)}"
    assert people.ann("POST", f"{path}/actions/cancel").get_json()["state"] == "cancelled"
    assert people.ann("POST", f"{path}/actions/retry").get_json()["state"] == "queued"


def test_the_dead_letters_of_everybody_are_seen_and_revived_by_administrators(crm: Crm, people: People) -> None:
    number = put(crm, people.ann.user_id)
    crm.jobs.run_pending()
    [job] = people.root("GET", "/core/jobs?everybody=1&state=dead").get_json()["items"]
    assert job["id"] == number
    assert "crm.nothing" in job["error"]
    assert people.root("POST", f"/core/jobs/{number}/actions/retry").get_json()["state"] == "queued"


def test_unknown_states_are_refused(people: People) -> None:
    assert people.ann("GET", "/core/jobs?state=asleep").status_code == 422
    assert people.ann("GET", "/core/jobs?nothing=1").status_code == 422


def test_schedules_are_given_other_times_by_those_who_look_after_the_queue(crm: Crm, people: People) -> None:
    crm.jobs.worker.prepare()
    found = {one["name"]: one for one in people.root("GET", "/core/schedules").get_json()["items"]}
    path = f"/core/schedules/{found['core.mail_digest']['id']}"
    assert people.ann("GET", "/core/schedules").status_code == 403
    assert people.ann("PATCH", path, {"enabled": False}).status_code == 403
    moved = people.root("PATCH", path, {"timezone": "Europe/Paris"}).get_json()
    assert (moved["cron"], moved["timezone"], moved["next_at"][11:16]) == ("0 7 * * *", "Europe/Paris", "06:00")
    often = people.root("PATCH", path, {"every_seconds": 600, "enabled": False}).get_json()
    assert (often["cron"], often["every_seconds"], often["enabled"]) == (None, 600, False)
    for wrong in ({"every_seconds": 5}, {"cron": "x"}, {"timezone": "Mars"}, {"name": "x"}, {"enabled": "no"}):
        assert people.root("PATCH", path, wrong).status_code == 422
