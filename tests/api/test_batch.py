"""Several requests in one call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Digest, People


def batch(people: People, *requests: Any) -> list[dict[str, Any]]:
    answer = people.ann("POST", "/batch", {"requests": list(requests)})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(answer.get_json()["responses"])


def test_requests_run_in_order_each_on_its_own(people: People) -> None:
    create = {"method": "POST", "path": "/api/v1/crm/leads", "body": {"last_name": "Petit"}}
    wrong = {"method": "POST", "path": "/api/v1/crm/leads", "body": {"unknown": 1}}
    made, refused, listed = batch(people, create, wrong, {"method": "GET", "path": "/api/v1/crm/leads?sort=last_name"})
    assert (made["status"], refused["status"], listed["status"]) == (201, 422, 200)
    assert [item["id"] for item in listed["body"]["items"]] == [made["body"]["id"]]
    path = made["headers"]["Location"]
    change = {
        "method": "PATCH",
        "path": path,
        "body": {"city": "Lyon"},
        "headers": {"If-Match": made["headers"]["ETag"]},
    }
    first, second, gone = batch(
        people, change, change, {"method": "DELETE", "path": path, "headers": {"If-Match": "*"}}
    )
    assert (first["status"], second["status"], gone["status"]) == (200, 412, 204)


def test_each_request_meets_its_own_policy(people: People) -> None:
    foreign = people.ben.make("/crm/leads", {"last_name": "Secret"})
    hidden, denied = batch(
        people,
        {"method": "GET", "path": f"/api/v1/crm/leads/{foreign['id']}"},
        {"method": "GET", "path": "/api/v1/core/custom-fields"},
    )
    assert (hidden["status"], denied["status"]) == (404, 403)


@pytest.mark.parametrize(
    "request_",
    [
        1, {}, {"method": "TRACE", "path": "/api/v1/me"}, {"method": "GET", "path": "/crm/leads"},
        {"method": "POST", "path": "/api/v1/batch", "body": {"requests": []}},
        {"method": "POST", "path": "/api/v1/%62atch", "body": {"requests": []}},
        {"method": ["GET"], "path": "/api/v1/me"},
        {"method": "GET", "path": "//evil/api/v1/me"},
        {"method": "GET", "path": "/api/v1/me", "headers": {"Authorization": "Bearer x"}},
        {"method": "GET", "path": "/api/v1/me", "headers": {"If-Match": "a\r\nX: y"}},
        {"method": "GET", "path": "/api/v1/me", "x": 1},
    ],
)  # fmt: skip
def test_a_faulty_request_stops_the_batch_before_it_begins(people: People, digest: Digest, request_: Any) -> None:
    before = digest()
    create = {"method": "POST", "path": "/api/v1/crm/leads", "body": {"last_name": "Petit"}}
    assert people.ann("POST", "/batch", {"requests": [create, request_]}).status_code == 422
    assert digest() == before


def test_a_batch_is_bounded(people: People) -> None:
    one = {"method": "GET", "path": "/api/v1/me"}
    assert people.ann("POST", "/batch", {"requests": [one] * 51}).status_code == 413
    assert people.nobody("POST", "/batch", {"requests": [one]}).status_code == 401
