"""A change of the configuration is planned with its counts and its refusal, and nothing is changed by asking."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from gigacore import Crm, customfields, records, views
from gigacore.access import roles, tokens
from gigacore.context import system_actor
from gigacore.data import settings
from gigacore.errors import Forbidden, Invalid, NotFound
from gigacore.plugins.configuration import (
    ChoiceRemoval,
    FieldChange,
    FieldRemoval,
    Several,
    SwitchChange,
    Wish,
    plan_change,
    read_wish,
)
from gigacore.plugins.right_changes import ModuleAccess, RoleField, RoleLevels, RoleRemoval, RuleRemoval
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
    region = "“Region” (Leads)"
    assert planned(used, FieldChange("crm.lead", "x_region", {"unique": True})) == (
        [f"+ Each value only once of {region}: yes", f"+ index on {region}", "= records that hold a value: 2"],
        "Some records have the same value; make the values differ first.",
    )
    assert planned(used, FieldChange("crm.lead", "x_region", {"indexed": True}))[1] == ""
    assert planned(used, FieldRemoval("crm.lead", "x_region")) == (
        [f"- the field {region}", "= records that hold a value: 2"], "",
    )  # fmt: skip
    assert planned(used, FieldRemoval("crm.lead", "x_region", purge=True))[0][-1] == "- records that hold a value: 2"
    with pytest.raises(NotFound):
        planned(used, FieldRemoval("crm.lead", "x_nowhere"))


def test_who_uses_a_field_that_goes_is_named(used: Crm, make_user: Any) -> None:
    north = {"field": "x_region", "op": "eq", "value": "north"}
    steps = [{"do": "core.set_fields", "with": {"values": {"priority": "high"}}}]
    with used.unit_of_work(make_user("super_admin")) as ctx:
        views.save(ctx, "crm.lead", {"name": "North", "shared": "all", "filter": north})
        views.save(ctx, "crm.lead", {"name": "Mine", "sort": "-x_region", "fields": ["x_region"]})
        views.save(ctx, "crm.company", {"name": "Elsewhere", "shared": "all"})
        body = {"entity": "crm.lead", "trigger": {"kind": "core.created"}, "steps": steps}
        used.automation.create(ctx, "Greet the north", body | {"when": north})
        used.automation.create(ctx, "Greet all", body)
        data = {"entity": "crm.lead", "label": "Shout", "kind": "text", "formula": "upper(x_region)"}
        customfields.define(ctx, data)
        roles.create(ctx, "northerner", {"en": "Northerner"})
        roles.grant(ctx, "northerner", "crm.lead", "view", "all", filter=north)
        roles.set_field_rule(ctx, "northerner", "crm.lead", "x_region", read=True, write=False)
    used.refresh()
    users_of_it = [
        "! the shared view “North” uses it", "! private views that use it: 1",
        "! the automation “Greet the north” uses it (switched off)",
        "! the formula “Shout” uses it and would have no values",
        "! a right of the role “Northerner” depends on it", "! the role “Northerner” has a rule of its own for it",
    ]  # fmt: skip
    assert planned(used, FieldRemoval("crm.lead", "x_region"))[0][2:] == users_of_it
    assert planned(used, FieldChange("crm.lead", "x_region", {"active": False}))[0][1:-1] == users_of_it


def test_choices_go_or_are_merged(used: Crm, make_user: Any) -> None:
    held = "records that hold it in “Source” (Leads): 3"
    going = ["- the value “Website”", f"- {held}"]
    assert planned(used, ChoiceRemoval("crm.source", "website")) == (going, "3 records use this choice.")
    said, refused = planned(used, ChoiceRemoval("crm.source", "website", "referral"))
    assert (said[1], refused) == (f"+ {held}", "")
    with used.unit_of_work(make_user("super_admin")) as ctx:
        for source in ("website", "referral"):
            tree = {"all": [{"field": "source", "op": "in", "value": [source]}]}
            views.save(ctx, "crm.lead", {"name": f"From {source}", "shared": "all", "filter": tree})
    assert planned(used, ChoiceRemoval("crm.source", "website"))[0][2:] == ["! the shared view “From website” uses it"]


def test_values_of_a_custom_list_go_or_are_merged(crm: Crm) -> None:
    with crm.system("a list") as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "label": "Size", "kind": "choice", "choices": ["Small", "Big"]})
    crm.refresh()
    with crm.system("its value") as ctx:
        records.create(ctx, "crm.lead", {"last_name": "A", "x_size": "big"})
    name = "custom.crm.lead.x_size"
    assert planned(crm, ChoiceRemoval(name, "big"))[1] == "1 records use this choice."
    assert planned(crm, ChoiceRemoval(name, "big", "small"))[1] == ""
    assert planned(crm, ChoiceRemoval(name, "small")) == (["- the value “Small”"], "")
    assert planned(crm, FieldChange("crm.lead", "x_size", {"choices": ["Small"]}))[0] == [
        "- “Big” is no longer on offer; records that keep it: 1", "= records that hold a value: 1",
    ]  # fmt: skip


def test_roles_and_modules_change(used: Crm, make_user: Any) -> None:
    make_user("user")
    said, refused = planned(used, RoleLevels("user", {"crm.lead.view": "none", "crm.lead.create": "all"}))
    assert (said, refused) == (["- Leads, View: own → none", "= people who have this role: 1"], "")
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


def test_a_field_is_closed_and_a_role_goes(used: Crm, make_user: Any) -> None:
    make_user("user")
    people, amount = "people who have this role", "“Estimated amount” (Leads)"
    closing = RoleField("user", "crm.lead", "amount", "hidden")
    assert planned(used, closing) == ([f"- {amount}: open → hidden", f"= {people}: 1"], "")
    with used.system("rules") as ctx:
        closing.run(ctx)
        roles.create(ctx, "temp", {"en": "Temp"}, like="user")
        tree = {"field": "priority", "op": "eq", "value": "high"}
        rule = roles.grant(ctx, "temp", "crm.lead", "delete", "all", filter=tree)
    assert planned(used, RoleField("user", "crm.lead", "amount", "read"))[0][0] == f"+ {amount}: hidden → read only"
    assert planned(used, RuleRemoval("temp", rule)) == (["- Leads, Delete: all (with a filter)", f"= {people}: 0"], "")
    said, refused = planned(used, RoleRemoval("temp"))
    assert (said[0], said[2:], refused) == ("- the role “Temp”", ["- its closed fields: 1"], "")
    assert said[1].startswith("- its rights: ")
    assert planned(used, RoleRemoval("user"))[1] == "A built-in role cannot be removed."
    with pytest.raises(Forbidden):
        plan_change(used, make_user("manager"), closing)


def test_who_loses_a_module_is_counted_and_named(used: Crm, make_user: Any) -> None:
    ada, ben = (make_user("user", name=name) for name in ("Ada", "Ben"))
    assert ben.user_id is not None
    assert ada.user_id is not None
    alone = ModuleAccess("visits", people=(ada.user_id,))
    said, refused = planned(used, alone)
    assert (said, refused) == (["- people who may use it: 2 → 1", "+ among those who may use it: Ada"], "")
    with used.system("limit") as ctx:
        alone.run(ctx)
    other = ModuleAccess("visits", people=(ben.user_id,))
    assert planned(used, other)[0] == [
        "- people who may use it: 1 → 1", "- among those who may use it: Ada", "+ among those who may use it: Ben",
    ]  # fmt: skip
    assert planned(used, ModuleAccess("visits"))[0] == ["+ people who may use it: 1 → 2"], "open to all, Ada too"


def test_a_setting_switches_fields(used: Crm, make_user: Any) -> None:
    name = "crm.recurring_revenue"
    with used.system("recurring") as ctx:
        settings.put(ctx, name, True, plugin="crm")
        company = records.create(ctx, "crm.company", {"name": "Nord"}).id
        data: dict[str, Any] = {"title": "Care", "company_id": company}
        data |= {"recurring": {"amount": "90", "currency": "EUR"}, "recurring_months": 12}
        records.create(ctx, "crm.opportunity", data)
    amount, months = "“Recurring amount per month” (Opportunities)", "“Months of recurrence” (Opportunities)"
    assert planned(used, SwitchChange(name, value=False)) == (
        [f"! no form asks for {amount}", f"= records that hold it in {amount}: 1",
         f"! no form asks for {months}", f"= records that hold it in {months}: 1"], "",
    )  # fmt: skip
    assert planned(used, SwitchChange(name, value=True))[0][0] == f"+ forms ask for {amount}"
    assert planned(used, SwitchChange("crm.nothing", value=True)) == ([], "No setting crm.nothing switches fields.")
    both = planned(used, Several((SwitchChange(name, value=True), SwitchChange(name, value=False))))[0]
    assert (both[0], both[4]) == (f"+ forms ask for {amount}", f"! no form asks for {amount}")
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
            {"sign": "-", "what": "the field “Region” (Leads)"},
            {"sign": "=", "what": "records that hold a value: 2"},
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
