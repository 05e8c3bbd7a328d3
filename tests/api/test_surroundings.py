"""What surrounds a record over the API: timeline, changes, shares, links, and why one may see it."""

from __future__ import annotations

import pytest

from tests.api.conftest import Digest, People


@pytest.fixture
def lead(people: People) -> str:
    """A private lead of the owner."""
    made = people.ann.make("/crm/leads", {"last_name": "Durand", "visibility": "private"})
    return f"/crm/leads/{made['id']}"


def test_a_shared_record_is_seen_until_the_share_is_taken_back(people: People, lead: str) -> None:
    other = people.ben
    assert other("GET", lead).status_code == 404
    added = people.ann("POST", f"{lead}/shares", {"user_id": other.user_id})
    assert added.status_code == 201
    assert added.get_json()["items"][0]["user"]["id"] == other.user_id
    assert other("GET", lead).status_code == 200
    assert other("GET", f"{lead}/shares").get_json()["items"][0]["verb"] == "view"
    assert people.ann("DELETE", f"{lead}/shares", {"user_id": other.user_id}).status_code == 204
    assert other("GET", lead).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {}, {"user_id": 1, "team_id": 1}, {"user_id": "1"}, {"nobody": 1}, {"user_id": 10**6},
        {"user_id": 1, "verb": "dance"},
    ],
)  # fmt: skip
def test_a_share_names_one_party_that_exists_and_a_verb_of_the_entity(
    people: People, lead: str, body: dict[str, object], digest: Digest
) -> None:
    before = digest()
    assert people.ann("POST", f"{lead}/shares", body).status_code == 422
    assert digest() == before


@pytest.mark.parametrize("part", ["timeline", "changes", "access", "shares", "links"])
def test_what_surrounds_a_hidden_record_is_hidden(people: People, lead: str, part: str) -> None:
    hidden, unknown = people.ben("GET", f"{lead}/{part}"), people.ben("GET", f"/crm/leads/424242/{part}")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.get_json()["detail"] == unknown.get_json()["detail"]


def test_changes_say_who_when_what_was_and_what_is(people: People, lead: str) -> None:
    etag = people.ann("GET", lead).headers["ETag"]
    assert people.ann("PATCH", lead, {"city": "Lyon"}, If_Match=etag).status_code == 200
    newest = people.ann("GET", f"{lead}/changes").get_json()["items"][0]
    assert newest["actor"]["id"] == people.ann.user_id
    assert newest["values"]["city"] == [None, "Lyon"]


def test_the_answer_says_which_right_decides(people: People, lead: str) -> None:
    found = people.ann("GET", f"{lead}/access?verbs=view,delete").get_json()
    assert found["view"]["allowed"] is True
    assert found["view"]["because"]
    assert set(found) == {"view", "delete"}


def test_a_link_is_read_from_both_ends_and_taken_away(people: People, lead: str) -> None:
    company = people.ann.make("/crm/companies", {"name": "Acme", "visibility": "private"})
    added = people.ann("POST", f"{lead}/links", {"entity": "crm.company", "id": company["id"], "kind": "part_of"})
    assert added.status_code == 201
    link = added.get_json()["items"][0]
    assert (link["label"], link["record"]["label"]) == ("Part of", "Acme")
    back = people.ann("GET", f"/crm/companies/{company['id']}/links").get_json()["items"][0]
    assert (back["label"], back["record"]["label"]) == ("Consists of", "Durand")
    assert people.ann("DELETE", f"{lead}/links/{link['id']}").status_code == 204
    assert people.ann("GET", f"{lead}/links").get_json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entity": "crm.nothing", "id": 1},
        {"entity": "crm.company", "id": "1"},
        {"entity": "crm.company", "id": 1, "kind": "x"},
    ],
)
def test_a_link_names_a_record_that_exists(people: People, lead: str, body: dict[str, object]) -> None:
    assert people.ann("POST", f"{lead}/links", body).status_code == 422


def test_a_record_that_is_hidden_from_the_caller_cannot_be_linked(people: People, lead: str) -> None:
    foreign = people.ben.make("/crm/companies", {"name": "Foreign", "visibility": "private"})
    answer = people.ann("POST", f"{lead}/links", {"entity": "crm.company", "id": foreign["id"]})
    assert answer.status_code == 404
