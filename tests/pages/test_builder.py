"""The filter builder: every filter goes through it unchanged, rows at fault say why, hidden things stay hidden."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gigacore import Crm, customfields, records
from gigacore.access import roles
from tests.pages.conftest import Visitor


def fields_of(page: str) -> dict[str, list[str]]:
    """What a browser would send of the builder's form, without its buttons."""
    form = page.partition('id="builder"')[2].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for tag, rest, inner in re.findall(r"<(input|select|textarea)\b([^>]*)>(?:([^<]*)</textarea>)?", form):
        name = re.search(r'name="([^"]*)"', rest)
        if name is None or ("checkbox" in rest and "checked" not in rest):
            continue
        value = re.search(r'value="([^"]*)"', rest)
        text = inner if tag == "textarea" else value[1] if value else ""
        if tag == "select":
            options = form.partition(rest)[2].partition("</select>")[0]
            chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
            text = chosen[1] if chosen else ""
        found.setdefault(unescape(name[1]), []).append(unescape(text))
    return found


def sent(visitor: Visitor, data: dict[str, Any], do: str = "apply") -> Any:
    return visitor.post("/crm/leads/builder", {**data, "do": do})


def tree_of(location: str) -> Any:
    (text,) = parse_qs(urlsplit(location).query)["filter"]
    return json.loads(text)


FILTERS: tuple[Any, ...] = (
    {"any": [{"field": "status", "op": "in", "value": ["new"]}, {"field": "amount", "op": "gt", "value": "585.50"}]},
    {"all": [
        {"not": {"any": [
            {"field": "source", "op": "empty", "value": True}, {"field": "city", "op": "starts", "value": "ly"},
        ]}},
        {"not": {"all": [
            {"field": "status.kind", "op": "in", "value": ["new", "open"]},
            {"field": "created_at", "op": "ge", "value": {"ago": "P7D"}},
        ]}},
    ]},
    {"field": "created_at", "op": "in", "value": {"period": "last_45_days"}},
    {"field": "next_action_at", "op": "lt", "value": {"ref": "now"}},
    {"field": "next_action_at", "op": "lt", "value": {"ahead": "PT36H"}},
    {"field": "next_action_at", "op": "lt", "value": {"ref": "record.last_contact_at"}},
    {"field": "amount", "op": "between", "value": ["10.00", "20.00"]},
    {"field": "amount", "op": "ge", "value": {"amount": "12.50", "currency": "EUR"}},
    {"field": "amount.currency", "op": "in", "value": ["EUR"]},
    {"field": "owner_id", "op": "in", "value": {"ref": "actor.subordinates"}},
    {"field": "owner_id", "op": "eq", "value": {"ref": "actor.id"}},
    {"field": "last_name", "op": "in", "value": ["A", "B"]},
    {"field": "tags", "op": "contains", "value": "vip"},
    {"field": "contact_id.company_id.name", "op": "contains", "value": "atelier"},
    {"field": "x_size", "op": "ge", "value": 3},
    {"some": {"relation": "crm.task.lead_id", "where": {"all": [
        {"field": "due_at", "op": "eq", "value": {"period": "this_week"}},
        {"none": {"relation": "core.activities", "where": {"field": "title", "op": "contains", "value": "call"}}},
    ]}}},
    {"field": "exchanges", "op": "between", "value": [1, 5]},
)  # fmt: skip


def test_every_filter_goes_through_the_builder_unchanged(crm: Crm, root: Visitor) -> None:
    with crm.system("field") as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "key": "x_size", "kind": "integer", "label": "Size"})
    root.get("/crm/leads")
    for tree in FILTERS:
        page = root.get(f"/crm/leads/builder?filter={json.dumps(tree)}&sort=-amount").get_data(as_text=True)
        assert "Condition as text" not in page, tree
        applied = sent(root, fields_of(page))
        assert applied.status_code == 303, tree
        assert "sort=-amount" in applied.location
        assert tree_of(applied.location) == tree
        assert root.get(applied.location).status_code == 200, tree


def test_what_no_input_shows_is_kept_as_text(root: Visitor) -> None:
    tree = {"any": [{"field": "created_at", "op": "between", "value": [{"ago": "P7D"}, {"ref": "now"}]}, {"all": []}]}
    page = root.get(f"/crm/leads/builder?filter={json.dumps(tree)}").get_data(as_text=True)
    assert "Condition as text" in page
    assert tree_of(sent(root, fields_of(page)).location) == tree


def test_rows_are_added_and_filled_step_by_step_and_tell_their_faults(crm: Crm, root: Visitor) -> None:
    with crm.system("leads") as ctx:
        for name, amount in (("Small", "5"), ("Big", "500")):
            money = {"amount": amount, "currency": "EUR"}
            records.create(ctx, "crm.lead", {"last_name": name, "amount": money})
    form = fields_of(root.get("/crm/leads/builder").get_data(as_text=True))
    form["n.0.0.f0"] = ["amount"]
    form = fields_of(sent(root, form, "again").get_data(as_text=True))
    form |= {"n.0.0.op": ["gt"], "n.0.0.v": ["many"]}
    refused = sent(root, form)
    assert refused.status_code == 422
    assert re.search(r'class="cond faulty".*?This must be a number', refused.get_data(as_text=True), re.S)
    form["n.0.0.v"] = ["100"]
    form = fields_of(sent(root, form, "rows:0").get_data(as_text=True))
    form["n.0.1.r"], form["n.0.1.q"] = ["crm.task.lead_id"], ["none"]
    form = fields_of(sent(root, form, "add:0.1").get_data(as_text=True))
    form["n.0.1.0.f0"] = ["status"]
    form = fields_of(sent(root, form, "again").get_data(as_text=True))
    form["n.0.1.0.v"] = ["open"]
    applied = sent(root, form)
    assert tree_of(applied.location) == {"all": [
        {"field": "amount", "op": "gt", "value": "100.00"},
        {"none": {"relation": "crm.task.lead_id", "where": {"field": "status", "op": "in", "value": ["open"]}}},
    ]}  # fmt: skip
    found = root.get(applied.location).get_data(as_text=True)
    assert "Big" in found
    assert "Small" not in found


def test_a_field_that_the_reader_may_not_see_is_neither_offered_nor_taken(crm: Crm, visit: Any) -> None:
    reader = visit("user")
    with crm.system("rule") as ctx:
        roles.set_field_rule(ctx, "user", "crm.lead", "amount", read=False, write=False)
    page = reader.get("/crm/leads/builder").get_data(as_text=True)
    assert '<option value="city">' in page
    assert '<option value="amount">' not in page
    form = fields_of(page) | {"n.0.0.f0": ["amount"], "n.0.0.op": ["gt"], "n.0.0.v": ["1"]}
    assert sent(reader, form).status_code == 422
