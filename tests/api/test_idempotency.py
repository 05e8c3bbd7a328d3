"""One key, one effect: replayed, in parallel, with another body, by another user."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.conftest import Api, People

BODY = {"last_name": "Dupont"}


def post(caller: Api, key: str, body: Any = None) -> TestResponse:
    return caller("POST", "/crm/leads", body or BODY, Idempotency_Key=key)


def count(caller: Api) -> int:
    return caller("GET", "/crm/leads").get_json()["count"]["value"]


def test_the_same_request_is_answered_again_and_done_once(people: People) -> None:
    first, second = post(people.ann, "k1"), post(people.ann, "k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.get_data() == first.get_data()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert count(people.ann) == 1


def test_the_control_without_a_key_there_are_two_effects(people: People) -> None:
    people.ann("POST", "/crm/leads", BODY)
    people.ann("POST", "/crm/leads", BODY)
    assert count(people.ann) == 2


def test_a_key_stands_for_one_request(people: People) -> None:
    post(people.ann, "k1")
    assert post(people.ann, "k1", {"last_name": "Autre"}).status_code == 422
    assert people.ann("POST", "/crm/companies", {"name": "X"}, Idempotency_Key="k1").status_code == 422
    assert count(people.ann) == 1


def test_another_user_s_key_is_another_key(people: People) -> None:
    mine, theirs = post(people.ann, "k1"), post(people.ben, "k1")
    assert mine.get_json()["id"] != theirs.get_json()["id"]
    assert "Idempotency-Replayed" not in theirs.headers


def test_a_refused_request_leaves_its_key_free(people: People) -> None:
    assert post(people.ann, "k1", {"last_name": 5}).status_code == 422
    assert post(people.ann, "k1").status_code == 201


def test_parallel_requests_with_one_key_have_one_effect(app: Flask, people: People) -> None:
    def send(_: Any) -> TestResponse:
        return app.test_client().post(
            "/api/v1/crm/leads",
            json=BODY,
            headers={"Authorization": f"Bearer {people.ann.token}", "Idempotency-Key": "k"},
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.get_json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert count(people.ann) == 1


def test_parallel_changes_of_one_version_have_one_winner(app: Flask, people: People) -> None:
    made = people.ann.make("/crm/leads", BODY)

    def send(number: int) -> TestResponse:
        headers = {"Authorization": f"Bearer {people.ann.token}", "If-Match": f'"{made["version"]}"'}
        return app.test_client().patch(f"/api/v1/crm/leads/{made['id']}", json={"city": f"C{number}"}, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "é"])
def test_a_key_must_be_plain(people: People, key: str) -> None:
    assert post(people.ann, key).status_code == 422
