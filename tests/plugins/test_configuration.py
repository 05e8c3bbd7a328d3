"""A change of the configuration is planned with its counts and its refusal, and nothing is changed by asking."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from gigacore import Crm, customfields, records
from gigacore.access import tokens
from gigacore.context import system_actor
from gigacore.data import settings
from gigacore.errors import Forbidden, Invalid, NotFound
from gigacore.plugins.configuration import (
    ChoiceRemoval,
    FieldChange,
    FieldRemoval,
    ModuleAccess,
    RoleLevels,
    SwitchChange,
    Wish,
    plan_change,
    read_wish,
)
from host_app.cli import cli
from host_app.installation import Installation
from tests.pages.conftest import app
from tests.plugins.touring import contents

__all__ = ["app"]


@pytest.fixture
def used(crm: Crm) -> Crm:
    """Three leads, two of which have the same region, on an installation with a custom field."""
    with crm.system("field") as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "key": "x_region", "kind": "text", "label": "Region"})
    with crm.system("leads") as ctx:
        for name, region in (("A", "north"), ("B", "north"), ("C", None)):
            records.create(ctx, "crm.lead", {"last_name": name, "x_region": region, "source": "website"})
    return crm


def planned(crm: Crm, wish: Wish) -> tuple[list[str], str]:
    before = contents(crm)
    found = plan_change(crm, system_actor("plan"), wish)
    assert contents(crm) == before, "asking changes nothing"
    said = [f"{one.sign} {one.what}" for one in found.changes]
    return said, str(found.refusal.reason) if found.refusal else ""


def test_fields_become_unique_or_go(used: Crm) -> None:
    assert planned(used, FieldChange("crm.lead", "x_region", {"unique": True})) == (
        ["+ unique of crm.lead.x_region: True", "+ index on crm.lead.x_region", "= 2 records hold a value"],
        "Some records have the same value; make the values differ first.",
    )
    assert planned(used, FieldChange("crm.lead", "x_region", {"indexed": True}))[1] == ""
    assert planned(used, FieldRemoval("crm.lead", "x_region")) == (
        ["- custom field crm.lead.x_region", "= 2 records hold a value"], "",
    )  # fmt: skip
    assert planned(used, FieldRemoval("crm.lead", "x_region", purge=True))[0][-1] == "- 2 records hold a value"
    with pytest.raises(NotFound):
        planned(used, FieldRemoval("crm.lead", "x_nowhere"))


def test_choices_go_or_are_merged(used: Crm) -> None:
    going = ["- choice website of crm.source", "- 3 records hold it in crm.lead.source"]
    assert planned(used, ChoiceRemoval("crm.source", "website")) == (going, "3 records use this choice.")
    said, refused = planned(used, ChoiceRemoval("crm.source", "website", "referral"))
    assert (said[1], refused) == ("+ 3 records hold it in crm.lead.source", "")


def test_roles_and_modules_change(used: Crm, make_user: Any) -> None:
    make_user("user")
    said, refused = planned(used, RoleLevels("user", {"crm.lead.delete": "none"}))
    assert (said, refused) == (["- role user: crm.lead.delete (none)", "= 1 people have this role"], "")
    assert planned(used, ModuleAccess("crm", people=(1,)))[1] == ("The CRM itself is for everybody; limit it by roles.")
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("nonsense", {}),
        ("field.remove", {"entity": 1, "key": "x"}),
        ("field.remove", {"key": "x"}),
        ("field.remove", {"entity": "a", "key": "x", "more": 1}),
        ("module.access", {"roles": "x"}),
    ]
    for name, given in wrong:
        with pytest.raises(Invalid):
            read_wish(name, given)


def test_a_setting_switches_fields(used: Crm, make_user: Any) -> None:
    name = "crm.recurring_revenue"
    with used.system("recurring") as ctx:
        settings.put(ctx, name, True, plugin="crm")
        company = records.create(ctx, "crm.company", {"name": "Nord"}).id
        data: dict[str, Any] = {"title": "Care", "company_id": company}
        data |= {"recurring": {"amount": "90", "currency": "EUR"}, "recurring_months": 12}
        records.create(ctx, "crm.opportunity", data)
    place = "crm.opportunity.recurring"
    assert planned(used, SwitchChange(name, value=False)) == (
        [f"- no form asks for {place}", f"= 1 records hold it in {place}",
         f"- no form asks for {place}_months", f"= 1 records hold it in {place}_months"], "",
    )  # fmt: skip
    assert planned(used, SwitchChange(name, value=True))[0][0] == f"+ forms ask for {place}"
    assert planned(used, SwitchChange("crm.nothing", value=True)) == ([], "No setting crm.nothing switches fields.")
    with pytest.raises(Forbidden):
        plan_change(used, make_user("user"), SwitchChange(name, value=False))


def test_over_the_api_and_on_the_command_line(
    used: Crm, app: Flask, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [make_user(role, name=f"T {role}").user_id for role in ("super_admin", "user")]
    with used.system("tokens") as ctx:
        ada, ben = ({"Authorization": f"Bearer {tokens.create(ctx, one, 'test')}"} for one in people)
    client, wish = app.test_client(), {"change": "field.remove", "entity": "crm.lead", "key": "x_region"}
    found = client.post("/api/v1/core/plan", json=wish, headers=ada).get_json()
    assert found == {
        "changes": [
            {"sign": "-", "what": "custom field crm.lead.x_region"},
            {"sign": "=", "what": "2 records hold a value"},
        ],
        "refused": None,
    }
    assert client.post("/api/v1/core/plan", json=wish, headers=ben).status_code == 403
    assert client.post("/api/v1/core/plan", json={"change": "x"}, headers=ada).status_code == 422
    monkeypatch.setattr(Installation, "crm", property(lambda _: used))
    monkeypatch.setattr(Installation, "close", lambda _: None)
    run = CliRunner().invoke(
        cli, ["plan", "field.change", "entity=crm.lead", "key=x_region", 'data={"unique": true}'], standalone_mode=False
    )
    assert run.return_value == 1
    assert "It would be refused: Some records have the same value" in run.output
