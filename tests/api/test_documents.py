"""The OpenAPI document and its page; metadata; the caller's account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from gigacore import Crm
from tests.api.conftest import Digest, New, People


def document(people: People) -> dict[str, Any]:
    return people.ann("GET", "/openapi.json").get_json()


def test_the_document_is_openapi_3_1_and_names_every_route_of_every_entity(crm: Crm, people: People) -> None:
    made = document(people)
    assert made["openapi"] == "3.1.0"
    for entity in crm.registry.entities.values():
        path = f"/api/v1/{entity.api_path}"
        assert set(made["paths"][path]) >= {"get", "post"}
        assert set(made["paths"][f"{path}/{{id}}"]) >= {"get", "patch", "delete"}
        for action in crm.registry.actions.get(entity.name, {}):
            assert f"{path}/{{id}}/actions/{action}" in made["paths"]


def test_every_reference_in_the_document_leads_somewhere(people: People) -> None:
    made = document(people)
    found = set(re.findall(r"#/components/schemas/([^\"']+)", repr(made)))
    assert found
    assert found <= set(made["components"]["schemas"])


def test_every_operation_says_what_a_bad_body_and_a_wrong_address_are_answered(people: People) -> None:
    for path, item in document(people)["paths"].items():
        for operation in (one for one in item.values() if isinstance(one, dict)):
            wanted = {"401", "403", "422", "429", "503"}
            wanted |= {"404", "405"} if "{" in path else set()
            wanted |= {"400", "413", "415"} if "requestBody" in operation else set()
            assert wanted <= set(operation["responses"]), operation["operationId"]


def test_operation_names_are_unique(people: People) -> None:
    names = [
        operation["operationId"]
        for item in document(people)["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert len(names) == len(set(names))


def test_every_route_of_the_api_stands_in_the_document(app: Flask, people: People) -> None:
    known = {re.sub(r"\{[^}]+\}", "*", path) for path in document(people)["paths"]}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/") or rule.endpoint == "openapi":
            continue
        path = rule.rule.replace("<plugin>/<plural>", "crm/leads").replace(
            "<action>", "delete" if "id" not in rule.rule else "*"
        )
        path = path.replace("crm/leads/uploads/<field>", "crm/contacts/uploads/photo")  # one per field with a file
        path = re.sub(r"<[^>]+>", "*", path)
        if path.endswith("/actions/*"):
            continue  # one per declared action
        assert path in known, rule.rule


def test_input_schemas_hold_no_server_owned_field_and_no_schema_a_secret(crm: Crm, people: People) -> None:
    schemas = document(people)["components"]["schemas"]
    for entity in crm.registry.entities.values():
        for spec in entity.fields.values():
            if spec.readonly and "." not in spec.name:
                assert spec.name not in schemas[f"{entity.name}.create"]["properties"]
            if spec.secret:
                assert spec.name not in schemas[entity.name]["properties"]


def test_answers_fit_the_document(crm: Crm, people: People, new: New) -> None:
    schemas = document(people)["components"]["schemas"]
    for entity in crm.registry.entities.values():
        made = new(people.root, entity.name)
        assert set(made) <= set(schemas[entity.name]["properties"]), entity.name


def test_a_custom_field_appears_in_the_document_and_works_at_once(people: People) -> None:
    field = {"entity": "crm.lead", "key": "x_region", "kind": "text", "label": "Region", "indexed": True}
    assert people.admin("POST", "/core/custom-fields", field).status_code == 201
    assert "x_region" in document(people)["components"]["schemas"]["crm.lead"]["properties"]
    made = people.ann.make("/crm/leads", {"last_name": "A", "x_region": "Nord"})
    assert made["x_region"] == "Nord"
    people.ann.make("/crm/leads", {"last_name": "B", "x_region": "Sud"})
    found = people.ann("GET", "/crm/leads?x_region=nord&sort=x_region").get_json()["items"]
    assert [item["last_name"] for item in found] == ["A"]
    path = "/core/custom-fields/crm.lead/x_region"
    assert people.admin("PATCH", path, {"label": "Area"}).get_json()["label"] == "Area"
    assert people.admin("DELETE", path).status_code == 204
    assert people.ann("GET", "/crm/leads?x_region=nord").status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"key": "region"}, {"key": "x_"}, {"key": "x_A"}, {"key": "x_a; DROP TABLE crm_lead"}, {"key": 'x_a"'},
        {"key": "x_" + "a" * 41},
        {"kind": "nothing"}, {"entity": "crm.nothing"}, {"label": ""}, {"label": "x" * 1_000_000},
        {"label": "a\x00b"}, {"unknown": 1},
    ],
)  # fmt: skip
def test_a_bad_definition_is_refused(people: People, digest: Digest, change: dict[str, Any]) -> None:
    before = digest()
    field = {"entity": "crm.lead", "key": "x_region", "kind": "text", "label": "Region"} | change
    assert people.admin("POST", "/core/custom-fields", field).status_code in (404, 422)
    assert digest() == before


def test_only_administrators_define_fields(people: People, digest: Digest) -> None:
    before = digest()
    field = {"entity": "crm.lead", "key": "x_region", "kind": "text", "label": "Region"}
    assert people.ann("POST", "/core/custom-fields", field).status_code == 403
    assert digest() == before


def test_the_page_needs_no_script_and_no_other_site(people: People) -> None:
    headers = {"Authorization": f"Bearer {people.ann.token}"}
    page = people.ann.client.get("/api/docs", headers=headers)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "/api/v1/crm/leads" in text
    assert "<script" not in text
    assert "style=" not in text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert people.nobody.client.get("/api/docs.css").status_code == 200


def test_the_document_is_made_once(crm: Crm, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    from host_app.api import openapi

    document(people)
    monkeypatch.setattr(openapi, "build", None)
    document(people)


def test_the_caller_sees_who_he_is_and_what_he_may_do(people: People) -> None:
    me = people.ann("GET", "/me").get_json()
    assert (me["id"], me["name"], me["kind"]) == (people.ann.user_id, "Ann", "token")
    assert "create" in me["permissions"]["crm.lead"]
    assert people.none("GET", "/me").get_json()["permissions"]["crm.lead"] == []


def test_the_catalogue_lists_what_the_caller_may_view(people: People) -> None:
    names = {entity["name"] for entity in people.ann("GET", "/core/entities").get_json()["items"]}
    assert "crm.lead" in names
    assert people.none("GET", "/core/entities").get_json()["items"] == []
    lists = {entry["name"] for entry in people.ann("GET", "/core/choice-lists").get_json()["items"]}
    assert "crm.lead_status" in lists


def test_a_deleted_record_comes_back_from_the_trash(people: People) -> None:
    made = people.ann.make("/crm/leads", {"last_name": "Dupont"})
    path = f"/crm/leads/{made['id']}"
    people.ann("DELETE", path, If_Match="*")
    [row] = people.ann("GET", "/core/trash").get_json()["items"]
    assert (row["entity"], row["record_id"]) == ("crm.lead", made["id"])
    assert people.ben("GET", "/core/trash").get_json()["items"] == []
    assert people.ben("POST", f"/core/trash/{row['id']}/actions/restore").status_code == 404
    assert people.ann("POST", f"/core/trash/{row['id']}/actions/restore").status_code == 200
    assert people.ann("GET", path).get_json()["uid"] == made["uid"]
