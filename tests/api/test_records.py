"""The generic routes: list, read, create, change, delete, actions, bulk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
import pytest

from gigacore import Crm, records
from gigacore.access import users
from tests.api.conftest import Digest, New, People, Statements


def lead(people: People, **more: Any) -> dict[str, Any]:
    return people.ann.make("/crm/leads", {"last_name": "Dupont", "company_name": "Atelier Bleu"} | more)


def test_a_record_is_created_read_changed_and_deleted(people: People) -> None:
    made = lead(people, email="d.dupont@example.test", amount={"amount": "12.5", "currency": "EUR"})
    assert made["amount"] == {"amount": "12.50", "currency": "EUR"}
    assert made["owner_id"]["id"] == people.ann.user_id
    path = f"/crm/leads/{made['id']}"
    read = people.ann("GET", path)
    assert read.status_code == 200
    assert read.headers["ETag"] == f'"{made["version"]}"'
    changed = people.ann("PATCH", path, {"city": "Lyon"}, If_Match=read.headers["ETag"])
    assert changed.get_json()["city"] == "Lyon"
    assert changed.headers["ETag"] != read.headers["ETag"]
    assert people.ann("DELETE", path, If_Match=changed.headers["ETag"]).status_code == 204
    assert people.ann("GET", path).status_code == 404


def test_creation_says_where_the_record_is(people: People) -> None:
    answer = people.ann("POST", "/crm/companies", {"name": "Boulangerie Émile"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/crm/companies/{answer.get_json()['id']}"
    assert answer.headers["ETag"]


def test_times_are_iso_8601_in_utc(people: People) -> None:
    made = lead(people, next_action_at="2026-03-01T10:00:00+02:00")
    assert made["next_action_at"] == "2026-03-01T08:00:00Z"
    assert datetime.fromisoformat(made["created_at"]).utcoffset().total_seconds() == 0


def test_child_rows_are_part_of_the_record(people: People) -> None:
    made = people.ann.make(
        "/crm/contacts",
        {
            "first_name": "Zoé",
            "last_name": "Petit",
            "emails": [{"email": "zoe@example.test"}, {"email": "z@example.test"}],
        },
    )
    assert [row["email"] for row in made["emails"]] == ["zoe@example.test", "z@example.test"]
    kept = [{"id": made["emails"][1]["id"], "email": "z@example.test"}]
    path = f"/crm/contacts/{made['id']}"
    changed = people.ann("PATCH", path, {"emails": kept}, If_Match=f'"{made["version"]}"').get_json()
    assert [row["id"] for row in changed["emails"]] == [made["emails"][1]["id"]]


def test_references_carry_a_label_and_hide_what_is_foreign(people: People) -> None:
    company = people.ben.make("/crm/companies", {"name": "Secret GmbH"})
    contact = people.root.make("/crm/contacts", {"first_name": "A", "last_name": "B", "company_id": company["id"]})
    shown = people.root("GET", f"/crm/contacts/{contact['id']}").get_json()
    assert shown["company_id"] == {"id": company["id"], "label": "Secret GmbH"}
    people.root("PATCH", f"/crm/contacts/{contact['id']}", {"owner_id": people.ann.user_id}, If_Match="*")
    hidden = people.ann("GET", f"/crm/contacts/{contact['id']}").get_json()["company_id"]
    assert hidden == {"id": company["id"], "label": None, "hidden": True}
    expanded = people.ann("GET", f"/crm/contacts/{contact['id']}?expand=company_id")
    assert expanded.status_code == 200
    assert "Secret" not in expanded.get_data(as_text=True)


def test_no_reference_wherever_it_stands_names_what_is_hidden_or_unknown(people: People, digest: Digest) -> None:
    hidden = people.ben.make("/crm/companies", {"name": "Secret GmbH", "visibility": "private"})["id"]
    person = {"first_name": "A", "last_name": "B"}
    own = people.ann.make("/crm/contacts", person)["id"]
    before = digest()
    for number in (hidden, 999_999):
        for body in ({"company_id": number}, {"companies": [{"company_id": number}]}):
            answers = (
                people.ann("POST", "/crm/contacts", person | body),
                people.ann("PATCH", f"/crm/contacts/{own}", body, If_Match="*"),
            )
            assert [answer.status_code for answer in answers] == [422, 422], body
            field = "company_id" if "company_id" in body else "companies.0.company_id"
            assert [answer.get_json()["errors"][0]["field"] for answer in answers] == [field, field]
    assert digest() == before


def test_a_reference_that_stands_already_may_stay_though_it_is_hidden(people: People) -> None:
    company = people.ben.make("/crm/companies", {"name": "Secret GmbH", "visibility": "private"})["id"]
    person = {"first_name": "A", "last_name": "B", "company_id": company, "companies": [{"company_id": company}]}
    contact = people.root.make("/crm/contacts", person | {"owner_id": people.ann.user_id})
    row = contact["companies"][0]["id"]
    same = {"company_id": company, "companies": [{"id": row, "company_id": company, "job_title": "Buyer"}]}
    answer = people.ann("PATCH", f"/crm/contacts/{contact['id']}", same, If_Match="*")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.get_json()["companies"][0]["company_id"] == {"id": company, "label": None, "hidden": True}


def test_tags_made_on_the_spot_are_told_apart_and_not_made_twice(people: People) -> None:
    first = lead(people, tags=["C++", "C#", "日本", "中国", "Brand new", "brand-NEW", "  "])["tags"]
    again = lead(people, tags=["中国", "BRAND NEW", "c#"])["tags"]
    assert len(set(first)) == 5
    assert again == [first[3], first[4], first[1]]
    lists = {one["name"]: one["choices"] for one in people.ann("GET", "/core/choice-lists").get_json()["items"]}
    labels = {choice["key"]: choice["label"] for choice in lists["crm.tag"]}
    assert [labels[key] for key in first] == ["C++", "C#", "日本", "中国", "Brand new"]


def test_references_expand_to_depth_two_and_no_further(people: People) -> None:
    company = people.ann.make("/crm/companies", {"name": "Nord SA"})
    contact = people.ann.make("/crm/contacts", {"first_name": "A", "last_name": "B", "company_id": company["id"]})
    path = f"/crm/contacts/{contact['id']}"
    assert people.ann("GET", f"{path}?expand=company_id").get_json()["company_id"]["name"] == "Nord SA"
    for bad in ("company_id.owner_id.team_id", "nothing", "first_name"):
        assert people.ann("GET", f"{path}?expand={bad}").status_code == 422, bad


def test_a_list_filters_sorts_and_pages(people: People) -> None:
    for number in range(7):
        lead(people, last_name=f"Nom{number}", city="Lyon" if number % 2 else "Nantes")
    filtered = people.ann("GET", "/crm/leads?city=lyon&sort=-last_name").get_json()
    assert [item["last_name"] for item in filtered["items"]] == ["Nom5", "Nom3", "Nom1"]
    assert filtered["count"] == {"value": 3, "exact": True}
    seen, cursor = [], ""
    for _ in range(10):
        page = people.ann("GET", f"/crm/leads?sort=last_name&limit=2{cursor}").get_json()
        seen += [item["last_name"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [f"Nom{number}" for number in range(7)]


def test_a_list_takes_a_filter_tree_and_a_choice_of_fields(people: People) -> None:
    lead(people, city="Lyon", priority="high")
    lead(people, city="Nantes")
    tree = orjson.dumps({"any": [{"field": "city", "op": "starts", "value": "ly"}]}).decode()
    answer = people.ann("GET", "/crm/leads?fields=city&filter=" + tree).get_json()
    assert [item["city"] for item in answer["items"]] == ["Lyon"]
    assert set(answer["items"][0]) <= {"id", "city", "version"}


def test_a_list_tells_what_changed_since(people: People) -> None:
    first = lead(people)
    since = first["updated_at"]
    assert len(people.ann("GET", f"/crm/leads?updated_since={since}").get_json()["items"]) == 1
    assert people.ann("GET", "/crm/leads?updated_since=2100-01-01T00:00:00Z").get_json()["items"] == []


def test_a_list_shows_nobody_what_is_foreign(people: People) -> None:
    lead(people)
    people.ben.make("/crm/leads", {"last_name": "Autre"})
    assert people.ann("GET", "/crm/leads").get_json()["count"]["value"] == 1
    assert people.root("GET", "/crm/leads").get_json()["count"]["value"] == 2


@pytest.mark.parametrize(
    "query",
    [
        "unknown=1", "sort=unknown", "fields=unknown", "limit=0", "limit=201", "limit=x", "limit=١", "cursor=nonsense",
        "filter={", "filter=[]", 'filter={"field":"unknown","op":"eq","value":1}', "expand=unknown",
        'filter={"field":"last_name","op":"pg_sleep","value":"x"}', "updated_since=yesterday",
        "updated_since=2026-01-01",
        "limit=1&limit=2", "id=x", "version=1.5", 'filter={"field":"last_name","op":"eq","value":"a%00b"}',
        "last_name=a%00",
        'filter={"field":"last_name","field":"city","op":"eq","value":1}', "sort=last_name;DROP", "created_at=x",
    ],
)  # fmt: skip
def test_bad_parameters_are_named_and_refused(people: People, query: str) -> None:
    answer = people.root("GET", f"/crm/leads?{query}")
    assert answer.status_code in (400, 422), answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == 400 or answer.get_json()["errors"] or answer.get_json()["detail"]


def test_a_stale_version_is_refused(people: People) -> None:
    made = lead(people)
    path, first = f"/crm/leads/{made['id']}", f'"{made["version"]}"'
    assert people.ann("PATCH", path, {"city": "Lyon"}, If_Match=first).status_code == 200
    stale = people.ann("PATCH", path, {"city": "Nice"}, If_Match=first)
    assert stale.status_code == 412
    assert stale.get_json()["current"] == made["version"] + 1
    assert people.ann("DELETE", path, If_Match=first).status_code == 412
    assert people.ann("GET", path).get_json()["city"] == "Lyon"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_must_name_a_version(people: People, method: str) -> None:
    path = f"/crm/leads/{lead(people)['id']}"
    assert people.ann(method, path, {}).status_code == 428
    for tag in ("nonsense", 'W/"1"', '"x"', '""', '"99999999999999999999"'):
        assert people.ann(method, path, {}, If_Match=tag).status_code == 412, tag


def test_an_action_runs_and_a_locked_record_says_why(people: People) -> None:
    made = lead(people)
    path = f"/crm/leads/{made['id']}"
    won = people.ann("PATCH", path, {"status": "won"}, If_Match="*")
    assert won.status_code == 200, won.get_data(as_text=True)
    locked = people.ann("PATCH", path, {"city": "Lyon"}, If_Match="*")
    assert locked.status_code == 409
    assert locked.get_json()["code"] == "locked"
    assert people.ann("POST", f"{path}/actions/reopen", {}).status_code == 403
    reopened = people.max("POST", f"{path}/actions/reopen", {})
    assert reopened.status_code == 200, reopened.get_data(as_text=True)
    assert people.ann("PATCH", path, {"city": "Lyon"}, If_Match="*").status_code == 200


def test_a_record_given_out_of_sight_is_written_all_the_same(people: People) -> None:
    made = people.root.make("/crm/leads", {"last_name": "Petit", "owner_id": people.max.user_id})
    change = {"owner_id": people.ben.user_id, "team_id": None, "visibility": "private"}
    answer = people.max("PATCH", f"/crm/leads/{made['id']}", change, If_Match="*")
    if answer.status_code == 200:
        assert answer.get_json() == {"id": made["id"], "label": None, "hidden": True}
        assert people.ben("GET", f"/crm/leads/{made['id']}").status_code == 200
    else:
        assert answer.status_code == 403, "or the role does not reach that far"
        assert people.max("GET", f"/crm/leads/{made['id']}").status_code == 200


def test_an_unknown_action_is_not_found(people: People) -> None:
    path = f"/crm/leads/{lead(people)['id']}/actions/nothing"
    assert people.root("POST", path, {}).status_code == 404


def test_many_records_change_at_once(people: People) -> None:
    ids = [lead(people)["id"] for _ in range(3)]
    answer = people.admin("POST", "/crm/leads/actions/update", {"ids": ids, "params": {"city": "Lyon"}})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert sorted(answer.get_json()["done"]) == ids
    by_filter = {"filter": {"field": "city", "op": "eq", "value": "Lyon"}}
    assert sorted(people.admin("POST", "/crm/leads/actions/delete", by_filter).get_json()["done"]) == ids
    assert people.admin("GET", "/crm/leads").get_json()["items"] == []


def test_above_a_hundred_records_a_job_changes_them(crm: Crm, people: People) -> None:
    actor = crm.actor(people.admin.user_id)
    with crm.unit_of_work(actor) as ctx:
        records.create_many(ctx, "crm.company", [{"name": f"C{n}"} for n in range(120)])
    everything = {"filter": {"field": "name", "op": "starts", "value": "C"}, "params": {"city": "Lyon"}}
    answer = people.admin("POST", "/crm/companies/actions/update", everything)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert answer.get_json()["count"] == 120
    assert people.admin("GET", "/crm/companies?city=Lyon").get_json()["count"]["value"] == 0
    crm.jobs.run_pending()
    assert people.admin("GET", "/crm/companies?city=Lyon").get_json()["count"]["value"] == 120


@pytest.mark.parametrize(
    "body",
    [{}, {"ids": [1], "filter": {}}, {"ids": "1"}, {"ids": [True]}, {"ids": [1], "x": 1}, {"ids": [1], "params": []}],
)
def test_a_selection_is_checked(people: People, body: Any) -> None:
    assert people.root("POST", "/crm/leads/actions/delete", body).status_code == 422


@pytest.mark.parametrize(
    ("action", "params", "status"),
    [
        ("nothing", {}, 404),
        ("update", {"nothing": 1}, 422),
        ("update", {"amount": "12"}, 422),
        ("update", {"version": 7}, 422),
        ("add", {"tags": 5}, 422),
        ("add", {"tags": [{"a": 1}]}, 422),
        ("add", {"amount": ["x"]}, 422),
        ("add", {"nothing": ["x"]}, 422),
        ("won", {"nothing": 1}, 422),
    ],
)
def test_what_can_succeed_on_no_record_is_refused_as_a_whole(
    people: People, digest: Digest, action: str, params: Any, status: int
) -> None:
    number = lead(people)["id"]
    before = digest()
    answer = people.admin("POST", f"/crm/leads/actions/{action}", {"ids": [number], "params": params})
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert {error["field"] for error in answer.get_json().get("errors", ())} <= set(params)
    assert digest() == before


def test_a_list_costs_three_statements_at_most_and_a_creation_seven(
    crm: Crm, people: People, statements: Statements
) -> None:
    company = people.ann.make("/crm/companies", {"name": "Nord SA"})
    for number in range(5):
        people.ann.make("/crm/contacts", {"first_name": "A", "last_name": f"B{number}", "company_id": company["id"]})
        lead(people, city="Lyon")
    for path in ("/crm/leads?city=Lyon&sort=-created_at&limit=2", "/crm/contacts?sort=last_name&limit=2"):
        people.ann("GET", path)  # whether somebody sees few records is asked once a minute
        with statements() as seen:
            assert people.ann("GET", path).status_code == 200
        assert len(seen) <= (3 if "leads" in path else 4), seen
    with statements() as seen:
        lead(people, email="anna@example.test")
    assert len(seen) <= (7 if crm.engine.dialect.name == "sqlite" else 4), "\n\n".join(seen)


def test_creating_answers_what_reading_answers(crm: Crm, people: People, new: New) -> None:
    for spec in crm.registry.entities.values():
        made = new(people.ann if spec.owned else people.root, spec.name)
        caller = people.ann if spec.owned else people.root
        assert caller("GET", f"/{spec.api_path}/{made['id']}").get_json() == made


def test_a_new_name_is_shown_at_once(crm: Crm, people: People) -> None:
    number = lead(people)["id"]
    assert people.ann("GET", f"/crm/leads/{number}").get_json()["owner_id"]["label"] == "Ann"
    people.ann("GET", f"/crm/leads/{number}")
    with crm.unit_of_work(crm.actor(people.root.user_id)) as ctx:
        assert records.get(ctx, "crm.lead", number)["owner_id"]["label"] == "Ann"
        users.change(ctx, people.ann.user_id, {"name": "Anne"})
        assert records.get(ctx, "crm.lead", number)["owner_id"]["label"] == "Anne"
    assert people.ann("GET", f"/crm/leads/{number}").get_json()["owner_id"]["label"] == "Anne"
