"""Administration over the API: the services of the settings pages, each refusal included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Digest, People

WRITES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/core/users", {"email": "zoe@example.test", "name": "Zoé", "roles": ["user"]}),
    ("PATCH", "/core/users/1", {"name": "Other"}),
    ("POST", "/core/users/1/actions/deactivate", {}),
    ("POST", "/core/users/1/actions/invite", {}),
    ("POST", "/core/teams", {"name": "West"}),
    ("PATCH", "/core/teams/1", {"name": "West"}),
    ("DELETE", "/core/teams/1", None),
    ("POST", "/core/roles", {"key": "closer", "labels": {"en": "Closer"}}),
    ("PATCH", "/core/roles/user", {"levels": {"crm.lead.view": "all"}}),
    ("DELETE", "/core/roles/user", None),
    ("PATCH", "/core/company", {"name": "Vigne"}),
    ("PATCH", "/core/settings", {"core.brand_name": "Vigne"}),
    ("POST", "/core/currencies", {"code": "MAD", "name": "Dirham"}),
    ("PATCH", "/core/currencies/USD", {"active": False}),
    ("POST", "/core/choice-lists/crm.source/choices", {"label": "Fair"}),
    ("PATCH", "/core/choice-lists/crm.source/choices/website", {"label": "Web"}),
    ("DELETE", "/core/choice-lists/crm.source/choices/website", None),
    ("POST", "/core/choice-lists/crm.source/actions/arrange", {"keys": ["website"]}),
    ("POST", "/core/stages/actions/arrange", {"ids": [2, 1]}),
    ("POST", "/core/stages/2/actions/remove", {}),
    ("POST", "/core/pipelines/1/actions/remove", {}),
)


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[f"{m} {p}" for m, p, _ in WRITES])
def test_a_user_administers_nothing(people: People, digest: Digest, method: str, path: str, body: Any) -> None:
    before = digest()
    assert people.ann(method, path, body).status_code == 403
    assert digest() == before


def test_what_a_user_may_read(people: People) -> None:
    readable = {
        p: people.ann("GET", f"/core/{p}").status_code for p in ("users", "teams", "roles", "company", "settings")
    }
    assert readable == {"users": 403, "teams": 200, "roles": 403, "company": 403, "settings": 403}
    assert all(people.admin("GET", f"/core/{p}").status_code == 200 for p in readable)


def test_people_are_made_changed_and_switched_off(people: People) -> None:
    team = people.admin.make("/core/teams", {"name": "West", "members": []})
    made = people.admin.make(
        "/core/users", {"email": "zoe@example.test", "name": "Zoé", "roles": ["user"], "teams": [team["id"]]}
    )
    assert "/p/" in made["link"]
    assert made["teams"] == [team["id"]]
    place = f"/core/users/{made['id']}"
    changed = people.admin("PATCH", place, {"name": "Zoé B", "roles": ["manager"], "teams": []}).get_json()
    assert (changed["name"], changed["roles"], changed["teams"]) == ("Zoé B", ["manager"], [])
    assert people.admin("POST", f"{place}/actions/deactivate", {}).get_json()["active"] is False
    assert people.admin("POST", f"{place}/actions/dance", {}).status_code == 404
    assert people.admin("PATCH", f"/core/teams/{team['id']}", {"parent_id": team["id"]}).status_code == 409
    assert people.admin("DELETE", f"/core/teams/{team['id']}").status_code == 204
    for body in ({"email": "x"}, {"email": "a@b.example", "name": "A", "roles": ["nobody"]}, {"mail": 1}, {"name": 3}):
        assert people.admin("POST", "/core/users", body).status_code == 422
    assert people.admin("PATCH", place, {"roles": ["super_admin"]}).status_code == 403


def test_roles_take_levels_and_closed_fields(people: People) -> None:
    people.admin.make("/core/roles", {"key": "closer", "labels": {"en": "Closer"}, "like": "user"})
    changed = people.admin(
        "PATCH", "/core/roles/closer", {"levels": {"crm.lead.delete": "none"}, "fields": {"crm.lead.amount": "hidden"}}
    ).get_json()
    assert changed["fields"] == {"crm.lead.amount": "hidden"}
    assert {"entity": "crm.lead", "verb": "delete", "level": "none", "filter": None, "forbid": False} in changed[
        "grants"
    ]
    back = people.admin("PATCH", "/core/roles/closer", {"fields": {"crm.lead.amount": None}}).get_json()
    assert back["fields"] == {}
    for body in (
        {"levels": {"crm.lead.view": "some"}},
        {"levels": {"x": "all"}},
        {"fields": {"crm.lead.no": "hidden"}},
    ):
        assert people.admin("PATCH", "/core/roles/closer", body).status_code == 422
    assert people.admin("PATCH", "/core/roles/super_admin", {"levels": {"crm.lead.view": "own"}}).status_code == 403
    assert people.admin("DELETE", "/core/roles/closer").status_code == 204
    assert people.admin("DELETE", "/core/roles/user").status_code == 409


def test_lists_currencies_company_and_settings(people: People) -> None:
    place = "/core/choice-lists/crm.source"
    people.admin.make(f"{place}/choices", {"label": "Fair"})
    people.ann.make("/crm/leads", {"last_name": "A", "source": "fair"})
    assert people.admin("DELETE", f"{place}/choices/fair").status_code == 409
    assert people.admin("DELETE", f"{place}/choices/fair?into=website").get_json() == {"changed": 1}
    assert people.admin("PATCH", f"{place}/choices/website", {"colour": "#112233"}).status_code == 200
    assert people.admin("POST", f"{place}/actions/arrange", {"keys": ["website"]}).status_code == 204
    assert people.admin("PATCH", "/core/company", {"siren": "404833049"}).status_code == 422
    assert people.admin("PATCH", "/core/company", {"siren": "404833048"}).get_json()["siren"] == "404833048"
    assert people.admin("PATCH", "/core/settings", {"core.brand_accent": "red"}).status_code == 422
    kept = people.admin("PATCH", "/core/settings", {"crm.follow_up_days": 9, "core.brand_name": "Vigne"}).get_json()
    assert {one["name"]: one["value"] for one in kept["items"]} == {"crm.follow_up_days": 9, "core.brand_name": "Vigne"}
    people.admin.make("/core/currencies", {"code": "MAD", "name": "Dirham"})
    assert people.admin("PATCH", "/core/currencies/MAD", {"base": True}).get_json()["base"] is True
    assert people.admin("PATCH", "/core/currencies/MAD", {"active": False}).status_code == 409


def test_stages_are_ordered_and_replaced(people: People) -> None:
    company = people.ann.make("/crm/companies", {"name": "Vigne"})["id"]
    deal = people.ann.make("/crm/opportunities", {"title": "Deal", "company_id": company})
    assert people.admin("POST", "/core/stages/actions/arrange", {"ids": [2, 1]}).status_code == 204
    stage = deal["stage_id"]["id"]
    assert people.admin("POST", f"/core/stages/{stage}/actions/remove", {}).status_code == 409
    assert people.admin("POST", f"/core/stages/{stage}/actions/remove", {"into": 3}).get_json() == {"moved": 1}
    assert people.ann("GET", f"/crm/opportunities/{deal['id']}").get_json()["stage_id"]["id"] == 3
    assert people.admin("POST", "/core/pipelines/1/actions/remove", {}).status_code == 409
    document = people.admin("GET", "/openapi.json").get_json()
    assert "/api/v1/core/roles/{key}" in document["paths"]
