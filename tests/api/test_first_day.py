"""A salesperson's first day over the API, from an empty installation to a scored, edited lead."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from urllib.parse import quote

import pytest

from gigacore import Crm, Plugin
from tests.api.conftest import People

scoring = pytest.importorskip("gigacore_lead_scoring")

HEADINGS = "Account Id,First Name,Last Name,Company,Phone 1,Email 1,Website,Source,Notes\n"


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [scoring.plugin]


def the_file(count: int) -> bytes:
    """A file as a trade fair hands it out: accents, quotes, a byte order mark."""
    said = '"Said ""yes"""'
    rows = [
        f'A{n:04},Zoé,Müller{n},"Atelier {n % 7}, S.A.",+33 1 23 45 {n % 90:02} 10,z{n}@example.test,,Website,{said}\n'
        for n in range(count)
    ]
    return ("\ufeff" + HEADINGS + "".join(rows)).encode()


def test_the_first_day_of_a_salesperson(crm: Crm, people: People) -> None:
    # The administrator brings in the file of the trade fair, without mapping anything by hand.
    headers = {"Authorization": f"Bearer {people.admin.token}"}
    form = {"file": (io.BytesIO(the_file(120)), "fair.csv")}
    answer = people.admin.client.post("/api/v1/crm/leads/imports", data=form, headers=headers)
    crm.jobs.run_pending()
    done = people.admin("GET", answer.headers["Location"].removeprefix("/api/v1")).get_json()
    assert (done["created"], done["failed"]) == (120, 0), done

    # Filtering, sorting and paging through what came in.
    page = people.admin("GET", "/crm/leads?limit=50&sort=last_name&fields=last_name,company_name").get_json()
    assert (len(page["items"]), page["count"]) == (50, {"value": 120, "exact": True})
    tree = {
        "all": [
            {"field": "company_name", "op": "starts", "value": "atelier 3"},
            {"field": "email", "op": "empty", "value": False},
        ]
    }
    found = people.admin("GET", f"/crm/leads?filter={quote(json.dumps(tree))}").get_json()["items"]
    assert found
    assert {item["company_name"] for item in found} == {"Atelier 3, S.A."}

    # A lead goes to Ann, who opens and edits it, and meets a colleague's change on the way.
    lead = found[0]
    path = f"/crm/leads/{lead['id']}"
    given = people.admin("PATCH", path, {"owner_id": people.ann.user_id}, If_Match=f'"{lead["version"]}"')
    assert given.get_json()["owner_id"]["label"] == "Ann"
    seen = people.ann("GET", path)
    people.admin("PATCH", path, {"city": "Lyon"}, If_Match=seen.headers["ETag"])
    change = {"amount": {"amount": "12000", "currency": "EUR"}, "priority": "high"}
    assert people.ann("PATCH", path, change, If_Match=seen.headers["ETag"]).status_code == 412
    edited = people.ann("PATCH", path, change, If_Match=people.ann("GET", path).headers["ETag"]).get_json()
    assert (edited["city"], edited["amount"]["amount"]) == ("Lyon", "12000.00")

    # A field of one's own, filled in and filtered by at once.
    field = {"entity": "crm.lead", "key": "x_stand", "kind": "choice", "label": "Stand", "indexed": True}
    field |= {"choices": [{"key": "hall_1", "label": "Hall 1"}, {"key": "hall_2", "label": "Hall 2"}]}
    assert people.admin("POST", "/core/custom-fields", field).status_code == 201
    marked = people.ann("PATCH", path, {"x_stand": "hall_2"}, If_Match="*")
    assert marked.status_code == 200, marked.get_data(as_text=True)
    assert [item["id"] for item in people.ann("GET", "/crm/leads?x_stand=hall_2").get_json()["items"]] == [lead["id"]]
    assert people.ann("PATCH", path, {"x_stand": "hall_9"}, If_Match="*").status_code == 422

    # The plugin has scored it meanwhile; the score can be read, filtered and sorted by, but not written.
    crm.jobs.run_pending()
    score = people.ann("GET", path).get_json()["lead_scoring"]["score"]
    assert 0 <= score <= 100
    ranked = people.admin("GET", "/crm/leads?sort=-lead_scoring.score&limit=5&fields=last_name,lead_scoring.score")
    assert ranked.status_code == 200, ranked.get_data(as_text=True)
    scores = [item["lead_scoring"]["score"] for item in ranked.get_json()["items"]]
    assert scores == sorted(scores, reverse=True)
    assert people.ann("PATCH", path, {"lead_scoring": {"score": 100}}, If_Match="*").status_code == 422

    # Won: locked for everybody until somebody may reopen it. Nobody else saw any of it.
    assert people.ann("PATCH", path, {"status": "won"}, If_Match="*").status_code == 200
    assert people.admin("PATCH", path, {"city": "Nice"}, If_Match="*").status_code == 409
    assert people.ben("GET", path).status_code == 404
