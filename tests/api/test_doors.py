"""Through each door of each entity, in pages and API, a person meets the records that the policy allows, no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from gigacore import Crm, access
from gigacore.access import tokens
from gigacore.entity import EntitySpec
from gigacore.ids import uuid7
from gigacore.records import verb_of
from tests.api.conftest import Api, Digest, New, People

MARK = re.compile(r"Zq\d+z")
QUICK = "crm.lead"
ENTITIES = (
    QUICK,
    *(
        pytest.param(f"crm.{name}", marks=pytest.mark.slow)
        for name in ("contact", "company", "opportunity", "task", "note", "pipeline", "stage")
    ),
)
REFUSALS = (303, 403, 404, 422)
OWNERS = ("ann", "amy", "ben", "root")


def visit(caller: Api, method: str, path: str, **form: Any) -> Any:
    """A request to pages or API with the caller's token; pages take forms, the API JSON."""
    headers = {"Authorization": f"Bearer {caller.token}", "If-Match": "*"}
    body: dict[str, Any] = {"json": form} if path.startswith("/api/") else {"data": form}
    return caller.client.open(path, method=method, headers=headers, **(body if method != "GET" else {}))


def title_field(entity: EntitySpec) -> str:
    """The field that a person fills so that the record's title holds it."""
    texts = (f.name for f in entity.fields.values() if f.kind in ("text", "longtext") and not f.readonly)
    return "last_name" if "last_name" in entity.fields else next(texts)


def marked(entity: EntitySpec, people: People, new: New) -> dict[str, int]:
    """A record of each owner by its mark, some of them open to all; reference records are made by root alone."""
    found: dict[str, int] = {}
    for number, owner in enumerate(OWNERS if entity.owned else ("root",)):
        more = {"visibility": "read" if owner == "root" else "private"} if entity.owned else {}
        mark = f"Zq{number}z"
        found[mark] = new(getattr(people, owner), entity.name, **{title_field(entity): mark}, **more)["id"]
    return found


def permitted(crm: Crm, caller: Api, entity: EntitySpec, verb: str, number: int | None = None) -> bool:
    """The verdict of the policy, asked of the library."""
    with crm.system("load the caller") as ctx:
        actor = access.load_actor(ctx.session.connection(), caller.user_id)
    with crm.read(actor) as ctx:
        if not access.may(ctx, verb, entity.name):
            return False
        record = None if number is None else ctx.session.get(entity.cls, number)
        return number is None or (record is not None and access.may(ctx, verb, entity.name, record))


def reading_doors(entity: EntitySpec, export: bool) -> Iterator[str]:
    """Addresses that show records of an entity."""
    path = f"/{entity.api_path}"
    marks = json.dumps({"field": title_field(entity), "op": "contains", "value": "zq"})
    yield from (f"/api/v1{path}?limit=200", f"/api/v1{path}?filter={quote(marks)}", path)
    yield f"{path}?filter={quote(marks)}"
    if entity.title_field.search:
        yield from (f"{path}/options?q=zq", "/search?q=zq", f"{path}?q=zq")
    if entity.board:
        yield f"{path}/board"
    if export:
        yield f"{path}/export"


@pytest.mark.parametrize("name", ENTITIES)
def test_the_records_seen_through_any_door_are_those_allowed(crm: Crm, people: People, new: New, name: str) -> None:
    entity = crm.registry.entity(name)
    records = marked(entity, people, new)
    seen_by_root = set(records)
    for role, caller in (*people.roles().items(), ("ben", people.ben)):
        allowed = {mark for mark, number in records.items() if permitted(crm, caller, entity, "view", number)}
        export = permitted(crm, caller, entity, "export")
        for door in reading_doors(entity, export) if allowed or role == "none" else ():
            answer = visit(caller, "GET", door)
            expected = allowed
            if door.endswith("/export"):
                expected = {m for m in allowed if permitted(crm, caller, entity, "export", records[m])}
            assert set(MARK.findall(answer.get_data(as_text=True))) == expected, (role, door, answer.status_code)
        if role == "root":
            assert allowed == seen_by_root, "the control: each door shows what may be seen"


def doors_of_one(app: Flask, crm: Crm, entity: EntitySpec) -> Iterator[tuple[str, str]]:
    """Every method and address about one record, with `{id}` in its place."""
    blanks = {"link": "1", "row": "1", "task": "1", "uid": str(uuid7()), "change": str(uuid7()), "act": "done"}
    child = next(iter(entity.children), "emails")
    for rule in app.url_map.iter_rules():
        number = re.search(r"/<plugin>/<plural>/<int:(id|record_id)>", rule.rule)
        if number is None or rule.rule.endswith("/options"):
            continue  # pickers name other records, whatever the one in their address
        path = rule.rule.replace(f"<int:{number[1]}>", "{id}").replace("<plugin>/<plural>", entity.api_path)
        named = "child" if "/rows/" in path or child in path else "field"
        values = blanks | {"name": child if named == "child" else title_field(entity), "key": "new", "kind": child}
        actions = list(crm.registry.actions.get(entity.name, ())) if "<action>" in path else [""]
        for action in actions:
            filled = fill(path, values | {"action": action})
            yield from ((method, filled) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def fill(path: str, values: Mapping[str, str]) -> str:
    """A path with its blanks filled in."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda blank: values.get(blank[1], "x"), path)


@pytest.mark.parametrize("name", ENTITIES)
def test_every_door_to_a_hidden_record_answers_as_to_an_unknown_one(
    app: Flask, crm: Crm, people: People, new: New, digest: Digest, name: str
) -> None:
    entity = crm.registry.entity(name)
    if not entity.owned:
        pytest.skip("its records are seen by all who may see any")
    hidden = new(people.ann, entity.name, visibility="private", **{title_field(entity): "Zq0z"})["id"]
    doors = list(doors_of_one(app, crm, entity))
    assert len(doors) > 40
    before, wrong = digest(), []
    for method, path in doors:
        foreign, unknown = (visit(people.ben, method, path.format(id=n)) for n in (hidden, 987_654))
        alike = foreign.status_code == unknown.status_code and foreign.status_code in REFUSALS
        if not alike or "Zq0z" in foreign.get_data(as_text=True):
            wrong.append((method, path, foreign.status_code, unknown.status_code))
    assert wrong == []
    assert digest() == before


def changes_of_one(crm: Crm, entity: EntitySpec, somebody: int) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Verb, method, address and body of what is done to one record over the API; `edit` and `view` stand elsewhere."""
    path = f"/api/v1/{entity.api_path}/{{id}}"
    yield "delete", "DELETE", path, {}
    for action, declared in crm.registry.actions.get(entity.name, {}).items():
        yield verb_of(declared), "POST", f"{path}/actions/{action}", {}
    if entity.owned:
        yield "share", "POST", f"{path}/shares", {"user_id": somebody}
        yield "assign", "PATCH", path, {"owner_id": somebody}


@pytest.mark.parametrize("name", ENTITIES)
@pytest.mark.slow_on_postgres
def test_deleting_sharing_assigning_and_each_action_follow_the_policy(
    crm: Crm, people: People, new: New, digest: Digest, name: str
) -> None:
    entity = crm.registry.entity(name)
    for verb, method, path, body in changes_of_one(crm, entity, people.none.user_id):
        for role, caller in people.roles().items():
            records = marked(entity, people, new)
            verdicts = {n: permitted(crm, caller, entity, verb, n) for n in records.values()}
            before = digest()
            for number in (n for n, allowed in verdicts.items() if not allowed):
                hidden = permitted(crm, caller, entity, verb) and not permitted(crm, caller, entity, "view", number)
                answer = visit(caller, method, path.format(id=number), **body)
                assert answer.status_code == (404 if hidden else 403), (role, verb, number)
            assert digest() == before
            for number in (n for n, allowed in verdicts.items() if allowed):
                answer = visit(caller, method, path.format(id=number), **body)
                assert answer.status_code not in (401, 403, 404, 405), (role, verb, number, answer.get_json())


@pytest.mark.parametrize("name", ENTITIES)
def test_work_in_bulk_reaches_what_the_policy_allows(crm: Crm, people: People, new: New, name: str) -> None:
    entity = crm.registry.entity(name)
    records = list(marked(entity, people, new).values())
    path, params = f"/api/v1/{entity.api_path}/actions/update", {title_field(entity): "Zq9z"}
    for role, caller in people.roles().items():
        answer = visit(caller, "POST", path, ids=[*records, 987_654], params=params)
        verbs = ("view", "bulk", "edit")
        wanted = {n for n in records if all(permitted(crm, caller, entity, verb, n) for verb in verbs)}
        if permitted(crm, caller, entity, "bulk"):
            assert set(answer.get_json()["done"]) == wanted, role
        else:
            assert answer.status_code == 403, role


def test_a_token_opens_on_pages_what_its_scopes_open_in_the_api(
    crm: Crm, people: People, new: New, digest: Digest
) -> None:
    """Pages take bearer tokens, which no browser attaches by itself, and hold them to the same scopes."""
    number = new(people.root, "crm.lead")["id"]
    with crm.system("a token that may only look") as ctx:
        narrow = replace(people.root, token=tokens.create(ctx, people.root.user_id, "t", scopes=["crm.lead.view"]))
    before = digest()
    closed = [("GET", "/crm/contacts"), ("GET", "/settings/users"), ("GET", f"/crm/leads/{number}/edit")]
    closed += [("POST", "/crm/leads/new"), ("POST", f"/crm/leads/{number}/delete"), ("POST", "/settings/users/new")]
    answers = {door: visit(narrow, *door).status_code for door in closed}
    assert set(answers.values()) == {403}, answers
    assert visit(narrow, "POST", "/api/v1/me/tokens", name="more").status_code == 403
    assert digest() == before
    assert visit(narrow, "GET", f"/crm/leads/{number}").status_code == 200, "the control: what the scope opens"
    assert visit(people.root, "GET", f"/crm/leads/{number}/edit").status_code == 200, "the control: without scopes"
