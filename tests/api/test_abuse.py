"""Abuse cases that follow from the registry: every route, every entity, every role, every server-owned column."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from gigacore import Crm
from gigacore.entity import EntitySpec
from gigacore.ids import uuid7
from host_app.context import host
from tests.api.conftest import Digest, New, People

OPEN = {"healthz"}
VERBS = {"view": "GET", "edit": "PATCH", "delete": "DELETE"}
EVIL_VALUES = [True, 1, "x", {"id": 1}, [1], None]


def addresses(app: Any) -> list[tuple[str, str]]:
    """Every API route with every method, with plausible arguments, once per entity where a path names one."""
    entities = list(host(app).crm.registry.entities.values())
    found = []
    for rule in app.url_map.iter_rules():
        if host(app).policies[rule.endpoint].anonymous or not rule.rule.startswith("/api/"):
            continue
        for entity in entities if "<plugin>" in rule.rule else entities[:1]:
            path = rule.rule.replace("<plugin>", entity.plugin).replace("<plural>", entity.plural)
            path = re.sub(r"<uuid:\w+>", str(uuid7()), path)
            path = re.sub(r"<int[^>]*>", "1", re.sub(r"<(action|key|name)>", "delete", path))
            found += [(method, path) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return found


def test_nobody_gets_401_everywhere_and_changes_nothing(app: Flask, people: People, digest: Digest) -> None:
    wanted = addresses(app)
    assert len(wanted) > 40
    before = digest()
    client = app.test_client()
    for method, path in wanted:
        for headers in ({}, {"Authorization": "Bearer giga_nonsense"}, {"Authorization": "Basic eDp5"}):
            response = client.open(path, method=method, json={"name": "x"}, headers=headers)
            assert response.status_code == 401, (method, path, headers)
            assert response.headers["WWW-Authenticate"]
    assert digest() == before


def test_the_control_somebody_gets_an_answer_on_the_same_routes(app: Flask, people: People) -> None:
    answered = {
        people.root(m, p.removeprefix("/api/v1"), {}).status_code for m, p in addresses(app) if "/docs" not in p
    }
    assert 401 not in answered
    assert not {status for status in answered if status >= 500}


def entity_names(crm: Any) -> list[EntitySpec]:
    return [entity for entity in crm.registry.entities.values() if not entity.hidden]


def ask(caller: Any, verb: str, entity: EntitySpec, number: int) -> Any:
    path, body = f"/{entity.api_path}/{number}", {text_field(entity): f"changed {uuid7()}"} if verb == "edit" else None
    return caller(VERBS[verb], path, body, If_Match="*")


def text_field(entity: EntitySpec) -> str:
    return next(f.name for f in entity.fields.values() if f.kind in ("text", "longtext") and not f.readonly)


def test_a_hidden_record_answers_like_an_unknown_one(crm: Crm, people: People, new: New, digest: Digest) -> None:
    for entity in entity_names(crm):
        if not entity.owned:
            continue
        number = new(people.ann, entity.name, visibility="private")["id"]
        before = digest()
        for verb in VERBS:
            foreign, unknown = (ask(people.ben, verb, entity, n) for n in (number, 999_999))
            assert foreign.status_code == unknown.status_code == 404, (entity.name, verb)
            assert foreign.get_data() == unknown.get_data()
        assert digest() == before
        assert ask(people.ann, "view", entity, number).status_code == 200


def test_a_deleted_record_answers_like_an_unknown_one(crm: Crm, people: People, new: New) -> None:
    for entity in entity_names(crm):
        number = new(people.root, entity.name)["id"]
        assert ask(people.root, "delete", entity, number).status_code == 204, entity.name
        for verb in VERBS:
            gone, unknown = (ask(people.root, verb, entity, n) for n in (number, 999_999))
            assert gone.status_code == 404
            assert gone.get_data() == unknown.get_data()


def test_without_a_role_nothing_is_allowed_and_nothing_changes(
    crm: Crm, people: People, new: New, digest: Digest
) -> None:
    for entity in entity_names(crm):
        number = new(people.root, entity.name)["id"]
        before = digest()
        answers = [ask(people.none, verb, entity, number) for verb in VERBS]
        answers += [people.none("GET", f"/{entity.api_path}"), people.none("POST", f"/{entity.api_path}", {})]
        assert {answer.status_code for answer in answers} == {403}, entity.name
        assert digest() == before


def test_every_entity_and_verb_follows_the_policy_of_the_role(
    crm: Crm, people: People, new: New, digest: Digest
) -> None:
    """What `may` says for a record is what the API does, for each role and each kind of ownership."""
    from gigacore import access, records

    for entity in entity_names(crm):
        owned = {owner: new(getattr(people, owner), entity.name)["id"] for owner in owners(entity)}
        for role, caller in people.roles().items():
            cases = [
                (expected_status(crm, caller, entity, number, verb, access, records), verb, number)
                for number in owned.values()
                for verb in ("view", "edit")
            ]
            before = digest()
            for expected, verb, number in [case for case in cases if case[0] >= 400]:
                assert ask(caller, verb, entity, number).status_code == expected, (entity.name, role, verb, number)
            assert digest() == before, (entity.name, role)
            for expected, verb, number in [case for case in cases if case[0] < 400]:
                assert ask(caller, verb, entity, number).status_code == expected, (entity.name, role, verb, number)


def owners(entity: EntitySpec) -> tuple[str, ...]:
    return ("ann", "amy", "ben", "root") if entity.owned else ("root",)


def expected_status(
    crm: Any, caller: Any, entity: EntitySpec, number: int, verb: str, access: Any, records: Any
) -> int:
    with crm.system("load the caller") as ctx:
        actor = access.load_actor(ctx.session.connection(), caller.user_id)
    with crm.read(actor) as ctx:
        if not access.may(ctx, verb, entity.name):
            return 403
        record = ctx.session.get(entity.cls, number)
        if record is None:
            return 404
        return 200 if access.may(ctx, verb, entity.name, record) else 403


SERVER_OWNED = ("id", "uid", "org_id", "version", "created_at", "created_by", "updated_at", "updated_by", "custom")


def test_no_schema_takes_a_server_owned_column(crm: Crm, people: People, new: New, digest: Digest) -> None:
    for entity in entity_names(crm):
        number = new(people.root, entity.name)["id"]
        names = {spec.name for spec in entity.fields.values() if spec.readonly and "." not in spec.name}
        columns = {column.name for column in entity.table.columns if column.name.endswith("_key")}
        before = digest()
        for name in sorted(names | columns | {*SERVER_OWNED, "custom_key", "__class__", "role", "is_staff"}):
            for value in EVIL_VALUES:
                answers = (
                    people.root("POST", f"/{entity.api_path}", {name: value}),
                    people.root("PATCH", f"/{entity.api_path}/{number}", {name: value}, If_Match="*"),
                )
                for answer in answers:
                    assert answer.status_code == 422, (entity.name, name, value)
                    assert name in {error["field"] for error in answer.get_json()["errors"]}
        assert digest() == before


def test_the_own_profile_takes_only_what_is_one_s_own(people: People, digest: Digest) -> None:
    before = digest()
    for name in (
        "role",
        "roles",
        "is_staff",
        "tenant_id",
        "org_id",
        "id",
        "version",
        "created_by",
        "password_hash",
        "active",
    ):
        answer = people.ann("PATCH", "/me", {name: "x"})
        assert answer.status_code == 422, name
    assert people.ann("POST", "/me/tokens", {"name": "mine", "user_id": people.root.user_id}).status_code in (403, 422)
    assert digest() == before


@pytest.mark.parametrize(
    "raw",
    [
        b'{"last_name": "A", "last_name": "B"}',
        b'{"last_name": {"value": "A"}}',
        b'{"last_name": ["A"]}',
        b'"{\\"last_name\\": \\"A\\"}"',
        b'[{"last_name": "A"}]',
        b'{"last_name": "A", "__class__": "x"}',
        b'{"last_name": "A", "owner_id": {"id": {"id": 1}}}',
    ],
)
def test_disguised_bodies_are_refused(people: People, digest: Digest, raw: bytes) -> None:
    before = digest()
    client, headers = people.root.client, {"Authorization": f"Bearer {people.root.token}"}
    answer = client.post("/api/v1/crm/leads", data=raw, content_type="application/json", headers=headers)
    assert answer.status_code == 422
    assert digest() == before


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_only_json_is_read(people: People, digest: Digest, kind: str) -> None:
    before = digest()
    headers = {"Authorization": f"Bearer {people.root.token}"}
    answer = people.root.client.post(
        "/api/v1/crm/leads", data=b'{"last_name": "A"}', headers=headers, content_type=kind or None
    )
    assert answer.status_code == 415
    assert digest() == before
