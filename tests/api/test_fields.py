"""A field that may not be read is unknown everywhere; one that may not be written stands in no schema."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from gigacore import Crm
from gigacore.access import roles
from gigacore.entity import FieldSpec
from tests.api.conftest import Api, Digest, New, People

CANARY = {"text": "Canary-7f3a", "longtext": "Canary-7f3a", "email": "canary-7f3a@example.test", "integer": 777_300_913}


def hide(crm: Crm, entity: str, field: str, *, read: bool = False) -> None:
    with crm.system("test rule") as ctx:
        roles.set_field_rule(ctx, "user", entity, field, read=read, write=False)


def candidates(crm: Crm) -> list[tuple[str, FieldSpec]]:
    """Plain fields with a value that can be recognised in any answer."""
    found = []
    for entity in crm.registry.entities.values():
        # What a computed field makes of its sources is a field of its own, with its own rule.
        sources = {name for spec in entity.fields.values() for name in spec.depends_on} | {entity.title}
        for spec in entity.fields.values():
            plain = not (spec.readonly or spec.required or spec.name in sources or "." in spec.name)
            roomy = spec.maximum is None and (spec.max_length or 100) >= 100
            if entity.owned and plain and roomy and spec.kind in CANARY:
                found.append((entity.name, spec))
    return found


def asked(spec: FieldSpec) -> list[str]:
    """Every way to learn about a field by asking for a list."""
    name, value = spec.name, CANARY[spec.kind]
    trees: list[Any] = [{"field": name, "op": op, "value": value} for op in ("eq", "ne", "in")]
    trees += [{"field": name, "op": "empty", "value": False}, {"not": {"field": name, "op": "eq", "value": value}}]
    trees += [{"any": [{"all": [{"field": name, "op": "eq", "value": value}]}]}]
    queries = [f"{name}={quote(str(value))}", f"sort={name}", f"sort=-{name}", f"fields={name}"]
    return queries + [f"filter={quote(json.dumps(tree))}" for tree in trees]


def test_an_unreadable_field_is_unknown_in_every_question_and_answer(crm: Crm, people: People, new: New) -> None:
    tried = 0
    for name, spec in candidates(crm)[::3]:
        entity = crm.registry.entity(name)
        made = new(people.ann, name, **{spec.name: CANARY[spec.kind]})
        record, listed = f"/{entity.api_path}/{made['id']}", f"/{entity.api_path}"
        assert str(CANARY[spec.kind]) in people.ann("GET", record).get_data(as_text=True), "the control sees it"
        hide(crm, name, spec.name)
        for query in asked(spec):
            answer = people.ann("GET", f"{listed}?{query}")
            assert answer.status_code == 422, (name, query)
        for path in (record, listed):
            answer = people.ann("GET", path)
            assert answer.status_code == 200
            assert spec.name not in keys_of(answer.get_json())
            assert str(CANARY[spec.kind]) not in answer.get_data(as_text=True)
        tried += 1
    assert tried > 5


def keys_of(body: dict[str, Any]) -> set[str]:
    return set(body["items"][0]) if "items" in body else set(body)


@pytest.mark.parametrize("read", [True, False])
def test_an_unwritable_field_is_refused(crm: Crm, people: People, digest: Digest, read: bool) -> None:
    made = people.ann.make("/crm/leads", {"last_name": "Petit"})
    hide(crm, "crm.lead", "city", read=read)
    before = digest()
    for method, path in (("POST", "/crm/leads"), ("PATCH", f"/crm/leads/{made['id']}")):
        answer = people.ann(method, path, {"last_name": "X", "city": "Lyon"}, If_Match="*")
        assert answer.status_code == 422
        assert "city" in {error["field"] for error in answer.get_json()["errors"]}
    assert digest() == before


def test_the_totals_of_a_list_are_those_without_the_hidden_records(people: People) -> None:
    people.ann.make("/crm/leads", {"last_name": "Petit", "city": "Lyon"})
    people.ben.make("/crm/leads", {"last_name": "Secret", "city": "Lyon"})
    for query in ("city=Lyon", "sort=city", "limit=1", quote_filter({"field": "last_name", "op": "ne", "value": "x"})):
        assert people.ann("GET", f"/crm/leads?{query}").get_json()["count"]["value"] == 1


def quote_filter(tree: Any) -> str:
    return "filter=" + quote(json.dumps(tree))


def test_a_path_over_a_hidden_record_finds_nothing(people: People) -> None:
    secret = people.ben.make("/crm/companies", {"name": "Secret GmbH", "visibility": "private"})
    contact = {"first_name": "A", "last_name": "B", "company_id": secret["id"]}
    made = people.root.make("/crm/contacts", contact)
    people.root("PATCH", f"/crm/contacts/{made['id']}", {"owner_id": people.ann.user_id}, If_Match="*")
    for tree in (
        {"field": "company_id.name", "op": "eq", "value": "Secret GmbH"},
        {"field": "company_id.name", "op": "starts", "value": "S"},
    ):
        assert people.ann("GET", f"/crm/contacts?{quote_filter(tree)}").get_json()["items"] == []
        assert len(people.root("GET", f"/crm/contacts?{quote_filter(tree)}").get_json()["items"]) == 1


def test_every_action_on_a_hidden_record_answers_like_an_unknown_one(
    crm: Crm, people: People, new: New, digest: Digest
) -> None:
    tried = 0
    for entity in crm.registry.entities.values():
        for action in crm.registry.actions.get(entity.name, {}) if entity.owned else ():
            number = new(people.ben, entity.name, visibility="private")["id"]
            before = digest()
            found = [people.ann("POST", f"/{entity.api_path}/{n}/actions/{action}", {}) for n in (number, 999_999)]
            assert found[0].status_code == found[1].status_code, (entity.name, action)
            assert found[0].status_code in (403, 404)
            if found[0].status_code == 404:
                assert found[0].get_data() == found[1].get_data()
            assert digest() == before
            tried += 1
    assert tried >= 3


@pytest.mark.parametrize("action", ["update", "delete"])
def test_work_in_bulk_leaves_hidden_records_alone(people: People, action: str) -> None:
    foreign = people.ben.make("/crm/leads", {"last_name": "Secret", "visibility": "private"})
    mine = people.max.make("/crm/leads", {"last_name": "Mine"})
    body = {"ids": [foreign["id"], mine["id"]], "params": {"city": "Lyon"} if action == "update" else {}}
    answer = people.max("POST", f"/crm/leads/actions/{action}", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.get_json()["done"] == [mine["id"]]
    assert people.ben("GET", f"/crm/leads/{foreign['id']}").get_json()["version"] == foreign["version"]


def test_no_answer_holds_a_secret(crm: Crm, people: People) -> None:
    import sqlalchemy as sa

    with crm.database.system_connection("test canaries") as connection:
        secrets = set(
            connection.scalars(sa.text("SELECT password_hash FROM core_user WHERE password_hash IS NOT NULL"))
        )
        secrets |= set(connection.scalars(sa.text("SELECT hash FROM core_token")))
    assert secrets
    paths = [
        "/me",
        "/me/tokens",
        "/core/entities",
        "/core/choice-lists",
        "/core/custom-fields",
        "/core/trash",
        "/openapi.json",
    ]
    paths += [f"/{entity.api_path}" for entity in crm.registry.entities.values()]
    for caller in (people.root, people.ann):
        for path in paths:
            text = caller("GET", path).get_data(as_text=True)
            assert not [secret for secret in secrets if secret in text], path


def test_a_token_never_reaches_further_than_its_scopes(crm: Crm, app: Any, people: People) -> None:
    from gigacore.access import tokens

    with crm.unit_of_work(crm.actor(people.root.user_id)) as ctx:
        raw = tokens.create(ctx, people.root.user_id, "narrow", scopes=["crm.lead.view"])
    narrow = Api(app.test_client(), raw)
    assert narrow("GET", "/crm/leads").status_code == 200
    assert narrow("POST", "/crm/leads", {"last_name": "A"}).status_code == 403
    assert narrow("GET", "/crm/contacts").status_code == 403
    assert narrow("POST", "/me/tokens", {"name": "wider"}).status_code == 403
