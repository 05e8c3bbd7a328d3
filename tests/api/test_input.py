"""Bad input: a clear error, the right status, no change to the data, and the next request is fine."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from gigacore import Crm
from gigacore.access import users
from gigacore.data.door import SCOPED
from gigacore.entity import KINDS
from tests.api.conftest import Digest, People

WRONG = {
    "text": [1, True, {"a": 1}, ["x"]],
    "integer": ["1", 1.5, True, 2**70, {}],
    "money": [1, "12", {"amount": "x", "currency": "EUR"}, {"amount": "1", "currency": "euro"}, {"amount": 1}],
    "date": ["yesterday", 1, "2026-13-01", "2026-02-30"],
    "datetime": ["now", 1, "2026-01-31T09:00:00", "2026-01-31"],
    "boolean": ["true", 1, 0, {}],
    "email": ["nobody", "a@", 1],
    "url": ["javascript:alert(1)", "data:text/html,x", "//evil", 1],
    "ref": ["1", -1, 0, True, 1.5],
    "choice": ["nothing-like-this", 1],
    "enum": ["nothing-like-this", 1],
}


def test_every_field_refuses_the_wrong_type(crm: Crm, people: People, digest: Digest) -> None:
    before, tried = digest(), 0
    for entity in crm.registry.entities.values():
        for spec in entity.fields.values():
            lists = crm.registry.choice_lists
            if spec.readonly or "." in spec.name or (spec.choice_list and lists[spec.choice_list].open):
                continue
            for value in WRONG.get(spec.kind, []):
                answer = people.root("POST", f"/{entity.api_path}", {spec.name: value})
                assert answer.status_code == 422, (entity.name, spec.name, value)
                assert spec.name in {error["field"] for error in answer.get_json()["errors"]}
                tried += 1
    assert tried > 100
    assert digest() == before
    assert set(WRONG) <= set(KINDS)


HOSTILE = [
    ({"last_name": "x" * 1_000_000}, 422),
    ({"last_name": "a\x00b"}, 422),
    ({"unknown": 1}, 422),
    ({"last_name": "ok", "version": 7}, 422),
    ({}, 422),
    ({"last_name": None, "company_name": None, "email": None}, 422),
    ({"description": "x" * 5_000_000}, 413),
]


@pytest.mark.parametrize(("body", "status"), HOSTILE, ids=["1 MB", "NUL", "unknown", "owned", "empty", "nulls", "5 MB"])
def test_hostile_bodies_are_refused_and_leave_nothing(people: People, digest: Digest, body: Any, status: int) -> None:
    before = digest()
    answer = people.ann("POST", "/crm/leads", body)
    assert answer.status_code == status
    assert answer.get_json()["status"] == status
    assert digest() == before
    assert people.ann("POST", "/crm/leads", {"last_name": "Fine"}).status_code == 201


RAW = [
    b"{", b"", b"null", b"[]", b'"x"', b"5", b'{"last_name": NaN}', b'{"amount": {"amount": 1e400, "currency": "EUR"}}',
    b'{"last_name": "\\ud800"}', b'{"last_name": "\xff"}', b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"{" + b",".join(b'"k%d":1' % n for n in range(150_000)) + b"}", b'{"version": ' + b"9" * 5_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_hostile_json_is_answered_below_500(people: People, digest: Digest, raw: bytes) -> None:
    before = digest()
    headers = {"Authorization": f"Bearer {people.ann.token}"}
    answer = people.ann.client.post("/api/v1/crm/leads", data=raw, content_type="application/json", headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"
    assert digest() == before


PATHS = [
    "//", "/./", "/%00", "/crm/leads/%00", "/crm/leads/../leads", "/crm/leads/1%2f2", "/crm/leads/-1", "/crm/leads/0",
    "/crm/leads/99999999999999999999", "/crm/leads/2147483648", "/crm/leads/1.5", "/crm/nothing", "/nothing/leads",
    "/crm/leads/" + "9" * 8000, "/crm/" + "x" * 8000, "/crm/leads/%ff", "/crm/leads;DROP", "/crm/leads/1'--",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_odd_paths_are_not_found(people: People, path: str) -> None:
    answer = people.root("GET", path)
    assert answer.status_code in (404, 422)
    assert answer.content_type == "application/problem+json"


INJECTIONS = [
    "x'); SELECT pg_sleep(5)--",
    '"; DROP TABLE crm_lead; --',
    "last_name) OR (1=1",
    "${jndi}",
    "{{7*7}}",
    "%s%n",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_names_and_operators_never_reach_sql(people: People, text: str) -> None:
    import time
    from urllib.parse import quote

    tree = '{"field": "last_name", "op": %s, "value": "x"}'
    attempts = [f"sort={quote(text)}", f"fields={quote(text)}", f"{quote(text)}=1", f"expand={quote(text)}"]
    import json

    attempts.append("filter=" + quote(tree % json.dumps(text)))
    attempts.append("filter=" + quote(json.dumps({"field": text, "op": "eq", "value": 1})))
    for query in attempts:
        begun = time.monotonic()
        answer = people.root("GET", f"/crm/leads?{query}")
        assert answer.status_code == 422, query
        assert time.monotonic() - begun < 2
        for leak in ("sqlite", "psycopg", "SELECT crm", "Traceback", "/gigacore/"):
            assert leak not in answer.get_data(as_text=True)


def test_a_value_that_looks_like_sql_is_only_a_value(people: People) -> None:
    for text in INJECTIONS:
        people.ann.make("/crm/leads", {"last_name": text})
    found = people.ann("GET", "/crm/leads", None).get_json()
    assert sorted(item["last_name"] for item in found["items"]) == sorted(INJECTIONS)


def test_errors_speak_the_reader_s_language(crm: Crm, people: People) -> None:
    english = people.ann("POST", "/crm/leads", {"unknown": 1}).get_json()
    with crm.system("test") as ctx:
        users.change(ctx, people.ann.user_id, {"locale": "fr"})
    french = people.ann("POST", "/crm/leads", {"unknown": 1}).get_json()
    nobody = people.nobody("GET", "/crm/leads", Accept_Language="fr-FR,fr;q=0.9").get_json()
    assert english["title"] == "Not valid"
    assert french["title"] == "Non valide"
    assert french["errors"][0]["message"] != english["errors"][0]["message"]
    assert nobody["title"] == "Non connecté"
    company = people.ann.make("/crm/companies", {"name": "Nord SA"})["id"]
    people.ann.make("/crm/opportunities", {"title": "Audit", "company_id": company})
    refused = people.ann("DELETE", f"/crm/companies/{company}", If_Match="*").get_json()
    assert refused["detail"].endswith("Opportunités (1).")


def test_an_unexpected_error_tells_nothing_but_a_number(
    app: Flask, people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from host_app.api import records

    def broken(*_: Any) -> None:
        raise RuntimeError("the secret path /srv/giga and SELECT * FROM core_user")

    monkeypatch.setattr(records.records, "page", broken)
    answer = people.ann("GET", "/crm/leads")
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    assert "secret" not in text
    assert "Traceback" not in text
    assert answer.get_json()["instance"] in caplog.text


def test_a_table_that_went_while_the_server_ran_asks_for_a_restart(crm: Crm, people: People) -> None:
    with crm.engine.execution_options(**{SCOPED: True}).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE crm_note RENAME TO crm_note_away")
    answer = people.root("GET", "/crm/notes")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert "restart the server" in answer.get_json()["fix"]
