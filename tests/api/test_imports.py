"""Imports over the API: a file becomes a job whose outcome can be read."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gigacore import Crm
from tests.api.conftest import Api, Digest, People

CSV = """First Name,Last Name,Company,Email 1
Zoé,Petit,Atelier Bleu,zoe@example.test
Léa,Blanc,Nord SA,lea@example.test
"""


def send(caller: Api, text: str | bytes, *, settings: Any = None, entity: str = "crm/leads") -> TestResponse:
    raw = text if isinstance(text, bytes) else text.encode()
    form: dict[str, Any] = {"file": (io.BytesIO(raw), "leads.csv")}
    if settings is not None:
        form["settings"] = settings if isinstance(settings, str) else json.dumps(settings)
    headers = {"Authorization": f"Bearer {caller.token}"}
    return caller.client.post(f"/api/v1/{entity}/imports", data=form, headers=headers)


def outcome(crm: Crm, caller: Api, answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 202, answer.get_data(as_text=True)
    crm.jobs.run_pending()
    found = caller("GET", answer.headers["Location"].removeprefix("/api/v1"))
    assert found.status_code == 200
    return dict(found.get_json())


def test_a_file_is_imported_and_its_outcome_read(crm: Crm, people: People) -> None:
    done = outcome(crm, people.admin, send(people.admin, CSV))
    assert (done["state"], done["created"], done["failed"], done["errors"]) == ("done", 2, 0, [])
    names = {item["last_name"] for item in people.admin("GET", "/crm/leads").get_json()["items"]}
    assert names == {"Petit", "Blanc"}
    listed = people.admin("GET", "/crm/leads/imports").get_json()["items"]
    assert [one["id"] for one in listed] == [done["id"]]


def test_a_file_imported_twice_adds_nothing(crm: Crm, people: People) -> None:
    outcome(crm, people.admin, send(people.admin, CSV))
    again = outcome(crm, people.admin, send(people.admin, CSV))
    assert (again["created"], again["skipped"]) == (0, 2)


def test_the_mapping_can_be_given(crm: Crm, people: People) -> None:
    text = "a;b\nPetit;Lyon\n"
    settings = {"mapping": {"a": "last_name", "b": "city"}, "options": {"duplicates": "update"}}
    done = outcome(crm, people.admin, send(people.admin, text, settings=settings))
    assert done["created"] == 1
    assert people.admin("GET", "/crm/leads").get_json()["items"][0]["city"] == "Lyon"


def test_the_file_may_be_the_body_itself(crm: Crm, people: People) -> None:
    headers = {"Authorization": f"Bearer {people.admin.token}"}
    answer = people.admin.client.post("/api/v1/crm/leads/imports", data=CSV, content_type="text/csv", headers=headers)
    assert outcome(crm, people.admin, answer)["created"] == 2


def test_a_draft_waits(crm: Crm, people: People) -> None:
    drafted = outcome(crm, people.admin, send(people.admin, CSV, settings={"start": False}))
    assert (drafted["state"], drafted["created"]) == ("draft", 0)


def test_faulty_rows_are_named_and_the_others_imported(crm: Crm, people: People) -> None:
    text = CSV + "Max,Noir,Sud SA,this is no address\n"
    done = outcome(crm, people.admin, send(people.admin, text))
    assert (done["created"], done["failed"]) == (2, 1)
    [fault] = done["errors"]
    assert fault["column"] == "Email 1"
    assert fault["message"]


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (bytes(range(256)) * 100, None),
        ("", None),
        (CSV, "{"),
        (CSV, "[]"),
        (CSV, {"unknown": 1}),
        (CSV, {"mapping": {"nothing": "last_name"}}),
        (CSV, {"mapping": {"Company": "version"}}),
        (CSV, {"mapping": []}),
        (CSV, {"options": {"duplicates": "nonsense"}}),
        (CSV, {"options": {"unknown": 1}}),
        (CSV, {"options": {"key": "nothing"}}),
        (CSV, {"dialect": {"encoding": "nothing"}}),
    ],
    ids=range(12),
)
def test_a_bad_file_or_setting_is_refused(people: People, text: str | bytes, settings: Any) -> None:
    answer = send(people.admin, text, settings=settings)
    assert answer.status_code in (400, 422), answer.get_data(as_text=True)
    assert people.admin("GET", "/crm/leads").get_json()["items"] == []


def test_without_the_right_nothing_is_stored(people: People, digest: Digest) -> None:
    before = digest()
    assert send(people.none, CSV).status_code == 403
    assert send(Api(people.nobody.client, "nonsense"), CSV).status_code == 401
    assert digest() == before


def test_somebody_else_s_import_is_not_found(crm: Crm, people: People) -> None:
    done = outcome(crm, people.admin, send(people.admin, CSV))
    for caller in (people.max, people.ann):
        assert caller("GET", f"/crm/leads/imports/{done['id']}").status_code in (403, 404)
    assert people.admin("GET", f"/crm/companies/imports/{done['id']}").status_code == 404


def test_a_file_must_be_sent(people: People) -> None:
    headers = {"Authorization": f"Bearer {people.admin.token}"}
    post = people.admin.client.post
    assert post("/api/v1/crm/leads/imports", json={}, headers=headers).status_code == 415
    form = {"settings": "{}"}
    answer = post("/api/v1/crm/leads/imports", data=form, content_type="multipart/form-data", headers=headers)
    assert answer.status_code == 422
