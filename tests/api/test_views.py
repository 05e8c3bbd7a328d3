"""Saved views and exports over the API."""

from __future__ import annotations

import io

import pytest
import python_calamine

from gigacore import Crm
from host_app import exports
from tests.api.conftest import Api, New, People

PATH = "/crm/leads/views"
LYON = {"field": "city", "op": "eq", "value": "Lyon"}


def names(caller: Api) -> list[str]:
    return [one["name"] for one in caller("GET", PATH).get_json()["items"]]


def test_a_view_is_kept_shared_changed_chosen_and_removed(people: People) -> None:
    sent = {"name": "Lyon", "filter": LYON, "sort": "-amount", "fields": ["city", "amount"], "kind": "cards"}
    made = people.admin.make(PATH, sent)
    assert {name: made[name] for name in sent} == sent
    assert (made["shared"], made["owner"]["id"], made["team"]) == ("private", people.admin.user_id, None)
    assert names(people.ann) == []
    changed = people.admin("PATCH", f"{PATH}/{made['id']}", {"shared": "all", "name": "In Lyon"})
    assert (changed.status_code, changed.get_json()["name"]) == (200, "In Lyon")
    assert names(people.ann) == ["In Lyon"]
    assert not people.ann("GET", f"{PATH}/{made['id']}").get_json()["may_change"]
    assert people.ann("PATCH", f"{PATH}/{made['id']}", {"name": "Mine"}).status_code == 403
    assert people.ann("DELETE", f"{PATH}/{made['id']}").status_code == 403
    for wanted in (made["id"], "mine", "all"):
        assert people.ann("POST", f"{PATH}/actions/default", {"view": wanted}).status_code == 200
        assert people.ann("GET", PATH).get_json()["default"] == wanted
    assert people.admin("DELETE", f"{PATH}/{made['id']}").status_code == 204
    assert people.ann("GET", f"{PATH}/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": ""}, "name"), ({"name": 7}, "name"), ({"name": "A", "fields": "city"}, "fields"),
        ({"name": "A", "fields": ["nothing"]}, "fields"), ({"name": "A", "kind": "tree"}, "kind"),
        ({"name": "A", "filter": []}, "filter"), ({"name": "A", "colour": "red"}, "colour"),
        ({"name": "A", "shared": "team", "team": 999}, "team_id"),
    ],
)  # fmt: skip
def test_a_faulty_view_names_the_part_at_fault(people: People, sent: dict[str, object], field: str) -> None:
    refused = people.admin("POST", PATH, sent)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)
    assert names(people.admin) == []


def test_a_list_is_exported_as_either_file_and_a_long_one_by_a_job(
    crm: Crm, people: People, new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    new(people.admin, "crm.lead", last_name="Petit", city="Lyon")
    new(people.admin, "crm.lead", last_name="Blanc", city="Nice")
    wanted = {"format": "xlsx", "filter": LYON, "fields": ["last_name", "city"]}
    book = people.admin("POST", "/crm/leads/exports", wanted)
    sheet = python_calamine.load_workbook(io.BytesIO(book.data)).get_sheet_by_index(0)
    assert (book.status_code, sheet.to_python()[1:]) == (200, [["Petit", "Lyon"]])
    assert "Blanc" in people.admin("POST", "/crm/leads/exports", {"search": "blanc"}).get_data(as_text=True)
    assert people.admin("POST", "/crm/leads/exports", {"format": "pdf"}).status_code == 422
    for faulty in ({"fields": ["nothing"]}, {"fields": [""]}, {"sort": ["nothing"]}, {"filter": {"field": "nothing"}}):
        refused = people.admin("POST", "/crm/leads/exports", faulty)
        assert (refused.status_code, refused.content_type) == (422, "application/problem+json"), faulty
    assert people.ann("POST", "/crm/leads/exports", {}).status_code == 403
    monkeypatch.setattr(exports, "DIRECT", 0)
    later = people.admin("POST", "/crm/leads/exports", wanted)
    assert later.status_code == 202
    crm.jobs.run_pending()
    job = people.admin("GET", f"/core/jobs/{later.get_json()['job']}").get_json()
    file = people.admin.client.get(
        f"/files/{job['result']['file']}", headers={"Authorization": f"Bearer {people.admin.token}"}
    )
    assert file.data[:4] == b"PK\x03\x04"
