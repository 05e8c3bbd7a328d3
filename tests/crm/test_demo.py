"""The demo: believable, complete, the same each time."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.access import users
from gigacore.crm import demo
from gigacore.crm.demo_people import Cast
from gigacore.data import activities
from gigacore.entity.contacts import check_email, check_phone

pytestmark = pytest.mark.slow_on_postgres

ENTITIES = ("company", "contact", "lead", "opportunity", "task", "note", "pipeline")


def everything(crm: Crm, entity: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    with crm.system("count the demo") as ctx:
        while True:
            page = records.page(ctx, entity, records.ListRequest(limit=200, cursor=cursor, sort=("id",)))
            items += page.items
            cursor = page.next
            if cursor is None:
                return items


@pytest.fixture
def filled(crm: Crm) -> Crm:
    with crm.system("presenter") as ctx:
        presenter = users.create(ctx, "presenter@example.test", "Camille Martin", None, "manager")
    demo.fill(crm, "fr", presenter=presenter)
    return crm


def test_the_presenter_has_open_work(filled: Crm) -> None:
    for entity in ("crm.task", "crm.opportunity"):
        owners = [item["owner_id"]["label"] for item in everything(filled, entity) if item["owner_id"]]
        assert owners.count("Camille Martin") == demo.HANDED_OVER


def test_it_tells_a_believable_story(filled: Crm) -> None:
    found = {name: everything(filled, f"crm.{name}") for name in ENTITIES}
    assert len(found["company"]) >= 60
    assert len(found["contact"]) >= 200
    assert len(found["lead"]) == 150
    assert len(found["opportunity"]) >= 80
    assert [one["labels"]["fr"] for one in found["pipeline"]] == ["Ventes", "Renouvellements"]

    leads = found["lead"]
    assert set(Counter(lead["status"] for lead in leads)) == {status for status, _ in demo.LEADS}
    valued = [lead for lead in leads if lead["amount"]]
    assert len(leads) > len(valued) > 100
    assert all(lead["company_name"] for lead in valued)
    assert {lead["email_note"] for lead in leads} == {None, "missing", "duplicate"}
    assert len({lead["owner_id"]["id"] for lead in leads}) == len(demo.STAFF)
    assert {lead["visibility"] for lead in leads} == {"private", "read", "write"}
    assert all((lead["closed_at"] is not None) == (lead["status"] in ("won", "lost")) for lead in leads)
    now = filled.clock.now()
    assert min(lead["created_at"] for lead in leads) < now - timedelta(days=90)
    assert max(lead["created_at"] for lead in leads) <= now

    assert {one["amount"].currency for one in found["opportunity"] if one["amount"]} >= {"EUR", "USD", "CHF", "GBP"}
    assert {one["status"] for one in found["task"]} == {"open", "done"}
    due = {(one["due_at"].date() - now.date()).days for one in found["task"]}
    assert min(due) < 0 < max(due)
    assert 0 in due
    with filled.system("history of the demo") as ctx:
        assert records.totals(ctx, "crm.opportunity", "amount").missing == ()
        old = found["opportunity"][0]
        visits = records.get(ctx, "crm.opportunity", old["id"])["stage_visits"]
        assert all(visit["days"] and visit["days"] > 0.5 for visit in visits[:-1])
        contacted = next(lead for lead in leads if lead["status"] == "qualified")
        assert activities.timeline(ctx, "crm.lead", contacted["id"])
        assert {user.roles for user in users.all_users(ctx)} == {("manager",), ("user",)}


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_same_language_gives_the_same_people(lang: str) -> None:
    casts = [Cast(lang), Cast(lang)]
    people = [[cast.person(cast.company()[0]) for _ in range(300)] for cast in casts]
    assert people[0] == people[1]
    assert len({person.email for person in people[0]}) == 300
    for person in people[0]:
        assert check_email(person.email) == person.email
        assert check_phone(person.phone) == person.phone
