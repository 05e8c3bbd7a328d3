"""Whatever a caller sends, the answer is never a server error, and the next request is fine."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigacore import Crm
from gigacore.entity import EntitySpec
from tests.api.conftest import Api, New, People

EXAMPLES = int(os.environ.get("GIGA_FUZZ_EXAMPLES", "12"))
PATIENT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "2026-01-31", "2026-01-31T09:00:00Z", "0", "1e9", "null", "EUR", "a" * 300, "\U0001f600", "é" * 99]
    ),
)
NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
LEAVES = st.one_of(st.none(), NUMBERS, TEXTS)
MONEY = st.fixed_dictionaries({"amount": LEAVES, "currency": st.sampled_from(["EUR", "usd", "", None, 1])})
VALUES = st.recursive(
    st.one_of(LEAVES, MONEY),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
OPS = st.sampled_from(
    ["eq", "ne", "lt", "le", "gt", "ge", "in", "nin", "contains", "starts", "empty", "between", "like", "", "changed"]
)
DATES = st.one_of(
    st.fixed_dictionaries({"ago": TEXTS | st.sampled_from(["P7D", "P9999999D", "P1Y", "PT1S"])}),
    st.fixed_dictionaries({"period": st.sampled_from(["this_month", "last_year", "nonsense"])}),
    st.fixed_dictionaries({"ref": st.sampled_from(["actor.id", "now", "record.owner_id", "actor", "nothing"])}),
)


def names(entity: EntitySpec) -> list[str]:
    """Every name that may mean something, and some that never do."""
    paths = [
        f"{spec.name}.{part}" for spec in entity.fields.values() if spec.target for part in ("id", "name", "kind", "x")
    ]
    return [*entity.fields, *entity.children, *paths, "custom", "version", "__class__", "id;--", "x_nothing", ""]


def bodies(entity: EntitySpec) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the entity's fields and any values."""
    return st.dictionaries(st.sampled_from(names(entity)), VALUES, max_size=6)


def trees(entity: EntitySpec) -> st.SearchStrategy[Any]:
    """Filters of the right and of every wrong shape."""
    leaf = st.fixed_dictionaries({"field": st.sampled_from(names(entity)), "op": OPS, "value": VALUES | DATES})
    relation = st.fixed_dictionaries(
        {"relation": st.sampled_from([*entity.children, "links", "activities", "x"]), "where": leaf}
    )
    return st.recursive(
        st.one_of(leaf, VALUES, st.fixed_dictionaries({"some": relation}), st.fixed_dictionaries({"none": relation})),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"not": inner}),
        ),
        max_leaves=5,
    )


def fine(answer: Any, sent: object) -> None:
    assert answer.status_code < 500, (sent, answer.get_data(as_text=True))


def test_any_body_is_answered(crm: Crm, people: People, new: New) -> None:
    for entity in crm.registry.entities.values():
        send_bodies(people.root, entity, new(people.root, entity.name)["id"])


def send_bodies(caller: Api, entity: EntitySpec, number: int) -> None:
    @PATIENT
    @given(bodies(entity))
    def send(body: dict[str, Any]) -> None:
        fine(caller("POST", f"/{entity.api_path}", body), body)
        fine(caller("PATCH", f"/{entity.api_path}/{number}", body, If_Match="*"), body)

    send()


def test_any_question_is_answered(crm: Crm, people: People, new: New) -> None:
    for entity in crm.registry.entities.values():
        new(people.root, entity.name)
        ask_questions(people.root, entity)


def ask_questions(caller: Api, entity: EntitySpec) -> None:
    @PATIENT
    @given(trees(entity), st.lists(st.sampled_from(names(entity)), max_size=3), TEXTS)
    def ask(tree: Any, fields: list[str], text: str) -> None:
        fine(caller("GET", f"/{entity.api_path}?filter={quote(json.dumps(tree))}"), tree)
        listed = ",".join(fields)
        for name in ("sort", "fields", "expand", "cursor", "limit", "updated_since", *fields[:1]):
            sent = listed if name in ("sort", "fields", "expand") else text
            fine(caller("GET", f"/{entity.api_path}?{quote(name)}={quote(sent)}"), (name, sent))

    ask()


def test_any_action_is_answered(crm: Crm, people: People, new: New) -> None:
    for entity in crm.registry.entities.values():
        for action, declared in crm.registry.actions.get(entity.name, {}).items():
            keys = [*(spec.name for spec in declared.params), "x"]
            number = new(people.root, entity.name)["id"]
            run_action(people.root, f"/{entity.api_path}/{number}/actions/{action}", keys)


def run_action(caller: Api, path: str, keys: list[str]) -> None:
    @settings(PATIENT, max_examples=min(EXAMPLES, 25))
    @given(st.dictionaries(st.sampled_from(keys), VALUES, max_size=4))
    def send(body: dict[str, Any]) -> None:
        fine(caller("POST", path, body), body)

    send()


def operations(caller: Api) -> list[tuple[str, str, dict[str, Any], list[str]]]:
    """What the document names: method, path, properties of the body, parameters."""
    found = []
    for path, item in caller("GET", "/openapi.json").get_json()["paths"].items():
        for method in {"get", "post", "put", "patch", "delete"} & set(item):
            content = item[method].get("requestBody", {}).get("content", {})
            properties = content.get("application/json", {}).get("schema", {}).get("properties", {})
            asked = [one["name"] for one in item[method].get("parameters", ()) if one.get("in") == "query"]
            found.append((method.upper(), path.removeprefix("/api/v1"), properties, asked))
    return sorted(found, key=lambda one: one[:2])


def likely(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values as the document asks for them, some of them at least."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "examples" in schema:
        return st.sampled_from(schema["examples"])
    if "properties" in schema:
        return st.fixed_dictionaries({name: likely(one) for name, one in schema["properties"].items()})
    if schema.get("type") == "array":
        return st.lists(likely(schema.get("items", {})), max_size=2)
    kinds = {"integer": st.integers(-1, 3), "boolean": st.booleans(), "string": TEXTS}
    return kinds.get(str(schema.get("type")), VALUES)


@pytest.mark.slow_on_postgres
def test_any_request_to_what_is_no_record_is_answered(crm: Crm, people: People, new: New) -> None:
    new(people.root, "crm.lead")
    entities = tuple(f"/{entity.api_path}" for entity in crm.registry.entities.values() if entity.name != "crm.lead")
    for method, path, properties, asked in operations(people.root):
        if not path.startswith(entities):
            knock(people.root, method, path, properties, asked)


def knock(caller: Api, method: str, path: str, properties: dict[str, Any], asked: list[str]) -> None:
    given_parts = {name: likely(schema) | VALUES for name, schema in properties.items()}
    bodies = st.fixed_dictionaries({}, optional=given_parts) | st.dictionaries(TEXTS, VALUES, max_size=2)
    places = st.sampled_from(["1", "2", "999999", "crm.lead", "x_nothing", "crm.lead_status", "delete", "\u00e9%2f"])

    @settings(PATIENT, max_examples=max(3, EXAMPLES // 4))
    @given(bodies | VALUES, st.data())
    def send(body: Any, data: st.DataObject) -> None:
        filled = re.sub(r"{\w+}", lambda _: quote(data.draw(places)), path)
        query = "&".join(f"{name}={quote(data.draw(TEXTS))}" for name in asked if data.draw(st.booleans()))
        answer = caller(method, f"{filled}?{query}", body if method != "GET" else None, If_Match="*")
        fine(answer, (method, filled, query, body))

    send()
