"""What monitors see, who may see it, and one id from a request to everything that follows from it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from gigacore import Crm
from gigacore.data.tables import core_audit, core_outbox
from gigacore.jobs import Consumer, Job, core_job, enqueue
from gigacore.plugins import Plugin
from gigacore.plugins.histories import core_history
from host_app import create_app
from host_app.logs import JsonLines
from tests.api.conftest import KEYS, People


def follow(ctx: Any, event: Any) -> None:
    enqueue(ctx, "watch.done", system="test")


@pytest.fixture
def plugins() -> list[Plugin]:
    consumer = Consumer("watch.leads", ("crm.lead.created",), follow)
    return [Plugin("watch", jobs=[Job("watch.done", lambda ctx, payload: None)], consumers=[consumer])]


def test_liveness_and_readiness(crm: Crm, people: People) -> None:
    ask = people.nobody.client.get
    assert ask("/healthz").get_json() == {"status": "ok"}
    assert ask("/readyz").get_json() == {"status": "ready", "database": "ok", "migrations": "ok", "worker": "late"}
    assert ask("/readyz?worker=1").status_code == 503
    crm.jobs.worker.keep()
    assert ask("/readyz?worker=1").get_json()["worker"] == "ok"
    with crm.database.system_connection("test") as connection:
        connection.exec_driver_sql(f"UPDATE {core_history().version_table} SET version_num = '0001'")
    assert ask("/readyz").get_json()["migrations"] == "differ"


def test_metrics_are_for_the_token_or_those_who_see_the_queue(app: Flask, crm: Crm, people: People) -> None:
    people.ann.make("/crm/leads", {"last_name": "Martin"})
    assert people.nobody.client.get("/metrics").status_code == 401
    refused = people.ann.client.get("/metrics", headers={"Authorization": f"Bearer {people.ann.token}"})
    assert refused.status_code == 403
    text = people.root.client.get("/metrics", headers={"Authorization": f"Bearer {people.root.token}"}).get_data(True)
    assert 'giga_requests_total{kind="api",method="POST",status="2xx"} 1' in text
    assert 'giga_deliveries{consumer="watch.leads",state="new"} 1' in text
    assert 'giga_jobs{state="dead"} 0' in text
    other = create_app(crm, replace(crm.settings, **KEYS, metrics_token="scrape-me")).test_client()
    assert other.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).status_code == 200
    assert other.get("/metrics", headers={"Authorization": "Bearer guess"}).status_code == 401


def test_one_id_leads_from_the_request_to_audit_event_job_and_log(
    crm: Crm, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    crm.enable("watch")
    with caplog.at_level(logging.INFO):
        answers = [people.ann("POST", "/crm/leads", {"last_name": n}, X_Request_ID="order-77") for n in ("A", "B")]
        crm.jobs.run_pending()
    assert {answer.headers["X-Request-ID"] for answer in answers} == {"order-77"}
    found = []
    with crm.database.connect() as connection:
        for table, where in (
            (core_audit, core_audit.c.entity == "crm.lead"),
            (core_outbox, core_outbox.c.name == "crm.lead.created"),
            (core_job, core_job.c.name == "watch.done"),
        ):
            found.append(set(connection.execute(sa.select(table.c.correlation_id).where(where)).scalars()))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2, "two requests of one id are two chains, or a rule would run for the first alone"
    assert all(one.startswith("order-77.") for one in found[0])
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if hasattr(record, "fields")]
    (request, *_), (job, *_) = (
        [x for x in lines if x["logger"] == name] for name in ("host_app.request", "gigacore.jobs")
    )
    assert (request["correlation_id"], request["status"], request["actor_id"]) == ("order-77", 201, people.ann.user_id)
    assert request["route"].endswith("/leads") or "<" in request["route"]
    assert job["correlation_id"] in found[0]
    assert job["outcome"] == "done"


def test_an_id_that_could_forge_a_log_line_is_replaced(people: People) -> None:
    answer = people.ann("GET", "/me", X_Request_ID="a b {}")
    assert len(answer.headers["X-Request-ID"]) == 32
