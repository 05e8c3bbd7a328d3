"""Two records are made one after a look at what would happen, and are two again: the service, the API and the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.access import tokens
from gigacore.data import activities, links
from gigacore.errors import Conflict, Invalid
from tests.pages.conftest import Visitor, app, root, visit

__all__ = ["app", "root", "visit"]
COMPANIES = "/crm/companies"


@pytest.fixture
def twins(crm: Crm) -> Mapping[str, int]:
    with crm.system("two companies") as ctx:
        first = records.create(ctx, "crm.company", {"name": "Nord", "city": "Lille"})
        second = records.create(ctx, "crm.company", {"name": "Nord SA", "city": "Paris", "website": "https://nord.fr"})
        contact = records.create(
            ctx, "crm.contact", {"first_name": "Zo", "last_name": "Duran", "company_id": second.id}
        )
        later = records.create(ctx, "crm.contact", {"first_name": "Al", "last_name": "Petit", "company_id": second.id})
        links.link(ctx, second, later)
        activities.log(ctx, "crm.note", "Called", source=second, records=[second])
        return {"first": first.id, "second": second.id, "contact": contact.id, "later": later.id}


def company_of(ctx: Any, contact: int) -> int:
    number: int = records.get(ctx, "crm.contact", contact)["company_id"]["id"]
    return number


def test_a_plan_says_what_differs_and_what_moves(crm: Crm, twins: Mapping[str, int]) -> None:
    with crm.system("look") as ctx:
        found = records.merge_plan(ctx, "crm.company", twins["first"], twins["second"])
        assert {one.field.name for one in found.fields} >= {"name", "city", "website"}
        assert {str(what): count for what, count in found.moves} == {"Contacts": 2, "links": 1, "activities": 1}
        assert found.refusal is None
        assert records.merge_plan(ctx, "crm.company", twins["first"], twins["first"]).refusal is not None
    with pytest.raises(Invalid, match="no field nonsense"), crm.system("merge") as ctx:
        records.merge(ctx, "crm.company", twins["first"], twins["second"], take=["nonsense"])


def test_taken_back_everything_is_where_it_was_but_what_changed_since(crm: Crm, twins: Mapping[str, int]) -> None:
    first, second = twins["first"], twins["second"]
    with crm.system("merge") as ctx:
        records.merge(ctx, "crm.company", first, second, take=["city"])
        found = records.get(ctx, "crm.company", first)
        assert (found["name"], found["city"], found["website"]) == ("Nord", "Paris", "https://nord.fr")
    with crm.system("go on") as ctx:
        records.update(ctx, "crm.company", first, {"website": "https://new.fr"})
        elsewhere = records.create(ctx, "crm.company", {"name": "Elsewhere"}).id
        records.update(ctx, "crm.contact", twins["later"], {"company_id": elsewhere})
        change = next(c for c in history(ctx, first) if c.verb == "merged").id
    with crm.system("take it back") as ctx:
        done = records.unmerge(ctx, "crm.company", first, change)
        assert done.record.id == second
        assert [str(text) for text in done.left] == ["Website", "1 × Contacts"]
    with crm.system("look") as ctx:
        assert (company_of(ctx, twins["contact"]), company_of(ctx, twins["later"])) == (second, elsewhere)
        winner, back = records.get(ctx, "crm.company", first), records.get(ctx, "crm.company", second)
        assert (winner["city"], winner["website"]) == ("Lille", "https://new.fr")
        assert (back["name"], back["city"], back["website"]) == ("Nord SA", "Paris", "https://nord.fr")
        assert [one.record_id for one in links.links_of(ctx, records.load(ctx, "crm.company", second))] == [
            twins["later"]
        ]
        assert [one.title for one in activities.timeline(ctx, "crm.company", second)] == ["Called"]
        assert activities.timeline(ctx, "crm.company", first) == []
    with pytest.raises(Conflict, match="no longer in the trash"), crm.system("again") as ctx:
        records.unmerge(ctx, "crm.company", first, change)


def history(ctx: Any, number: int) -> Any:
    from gigacore.data import audit

    return audit.history(ctx.session.connection(), "crm.company", number, limit=20)


def test_over_the_api_it_is_an_action(crm: Crm, app: Any, make_user: Any, twins: Mapping[str, int]) -> None:
    first, second = twins["first"], twins["second"]
    client, path = app.test_client(), f"/api/v1/crm/companies/{first}"
    people = [make_user(role, name=f"T {role}").user_id for role in ("super_admin", ())]
    with crm.system("tokens") as ctx:
        ada, none = ({"Authorization": f"Bearer {tokens.create(ctx, one, 'test')}"} for one in people)
    plan = client.get(f"{path}/merge/{second}", headers=ada).get_json()
    assert (plan["refused"], {"what": "Contacts", "count": 2} in plan["moves"]) == (None, True)
    for body, headers, status in (
        ({"other": second}, none, 403),
        ({"other": first}, ada, 422),
        ({"other": 999}, ada, 404),
        ({"other": second, "take": "city"}, ada, 422),
        ({"other": second, "take": ["city"]}, ada, 200),
    ):
        assert client.post(f"{path}/actions/merge", json=body, headers=headers).status_code == status, body
    assert client.get(path, headers=ada).get_json()["city"] == "Paris"
    changes = client.get(f"{path}/changes", headers=ada).get_json()["items"]
    change = next(one["id"] for one in changes if one["verb"] == "merged")
    done = client.post(f"{path}/actions/unmerge", json={"change": change}, headers=ada)
    assert done.get_json() == {"id": second, "left": []}
    gone = f"/api/v1/crm/companies/{second}"
    etag = client.get(gone, headers=ada).headers["ETag"]
    assert client.post(f"{gone}/actions/erase", headers=ada).status_code == 428
    assert client.post(f"{gone}/actions/erase", headers=none | {"If-Match": etag}).status_code == 403
    assert client.post(f"{gone}/actions/erase", headers=ada | {"If-Match": etag}).status_code == 204
    assert client.get(gone, headers=ada).status_code == 404


def test_from_a_list_or_a_record_the_two_are_compared_first(root: Visitor, crm: Crm, twins: Mapping[str, int]) -> None:
    first, second = twins["first"], twins["second"]
    assert f"{COMPANIES}/{first}/merge" in root.get(f"{COMPANIES}/{first}").get_data(as_text=True)
    assert "Choose the record that goes" in root.get(f"{COMPANIES}/{first}/merge").get_data(as_text=True)
    assert root.get(f"{COMPANIES}/{first}/merge?other={first}").status_code == 422
    many = root.post(f"{COMPANIES}/bulk", {"action": "merge", "id": [str(first)]})
    assert (many.status_code, many.location) == (303, COMPANIES)
    there = root.post(f"{COMPANIES}/bulk", {"action": "merge", "id": [str(first), str(second)]}).location
    assert there == f"{COMPANIES}/{first}/merge?other={second}"
    page = root.get(there).get_data(as_text=True)
    for words in ("Lille", "Paris", "Contacts", "Keep the other one"):
        assert words in page
    answer = root.post(f"{COMPANIES}/{first}/merge", {"other": str(second), "take:city": "other", "take:name": "mine"})
    assert (answer.status_code, answer.location) == (303, f"{COMPANIES}/{first}")
    page = root.get(f"{COMPANIES}/{first}?tab=changes").get_data(as_text=True)
    assert "merged another record into this" in page
    undo = re.findall(rf"{COMPANIES}/{first}/changes/[0-9a-f-]+/undo", page)[0]
    assert root.post(undo, {}).status_code == 303
    assert root.get(f"{COMPANIES}/{second}").status_code == 200


def test_erasing_asks_first_and_takes_the_right(root: Visitor, visit: Any, twins: Mapping[str, int]) -> None:
    path = f"/crm/contacts/{twins['contact']}"
    assert f"{path}/erase" in root.get(path).get_data(as_text=True)
    assert "Nothing brings it back" in root.get(f"{path}/erase").get_data(as_text=True)
    somebody = visit("manager")
    assert somebody.get(f"{path}/erase").status_code in (403, 404)
    assert somebody.post(f"{path}/erase", {}).status_code in (303, 403, 404, 422)
    assert root.get(path).status_code == 200
    assert root.post(f"{path}/erase", {}).location == "/crm/contacts"
    assert root.get(path).status_code == 404
