"""The pages of automations: a rule built, tried, switched, logged; another person's rule is not there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from gigacore import Crm, records
from gigacore.access import users
from gigacore.automation import ReadyRule
from gigacore.automation.tables import core_rule
from tests.pages.conftest import Visitor
from tests.pages.test_builder import fields_of

BODY = {
    "entity": "crm.lead",
    "trigger": {"kind": "core.becomes", "field": "status", "value": "contacted"},
    "when": {"all": [
        {"field": "city", "op": "changed_to", "value": "Lyon"}, {"field": "job_title", "op": "changed", "value": True},
    ]},
    "steps": [
        {"do": "core.set_fields", "with": {"values": {"city": "{{ record.last_name }}", "amount": None}}},
        {"wait": "P2D"},
        {"if": {"field": "status", "op": "changed_from", "value": "new"}, "then": [
            {"do": "core.create_record", "with": {"entity": "crm.task", "values": {
                "title": "Call", "due_at": {"ahead": "P1D"}, "owner_id": {"ref": "record.owner_id"}}}},
            {"wait": "PT3H"},
        ], "else": [{"do": "core.notify", "with": {"text": "No", "to": "owner"}}]},
        {"do": "core.run_action", "with": {"action": "won"}},
        {"do": "core.send_mail", "with": {
            "subject": "Hello", "text": "Dear {{ record.last_name }}", "purpose": "service",
        }},
    ],
}  # fmt: skip


def stored(crm: Crm, visitor: Visitor) -> list[Any]:
    with crm.read(crm.actor(visitor.user_id)) as ctx:
        return crm.automation.rules(ctx)


def keep(crm: Crm, visitor: Visitor, body: dict[str, Any] = BODY, *, on: bool = False) -> int:
    with crm.unit_of_work(crm.actor(visitor.user_id)) as ctx:
        rule = crm.automation.create(ctx, "Kept rule", body)
        crm.automation.switch(ctx, rule.id, active=on)
        return rule.id


def press(visitor: Visitor, path: str, page: str, do: str, **more: Any) -> Any:
    return visitor.post(path, {**fields_of(page), **more, "do": do})


def test_a_rule_goes_through_the_builder_unchanged(crm: Crm, root: Visitor) -> None:
    triggers: tuple[dict[str, Any], ...] = (
        {"kind": "core.updated", "fields": ["city", "status"]},
        {"kind": "core.action", "action": "won"},
        {"kind": "core.date", "field": "next_action_at", "distance": 3, "unit": "hours", "side": "after"},
        {"kind": "core.inactive", "days": 9, "sign": "change"},
    )
    simple = {"entity": "crm.lead", "when": None, "steps": BODY["steps"][:1]}  # type: ignore[index]
    assign = {"do": "core.assign", "with": {"to": root.user_id}}
    for body in (BODY, *({**simple, "trigger": one} for one in triggers)):
        whole = body | {"steps": [*body["steps"], assign]} if body is not BODY else body
        number = keep(crm, root, whole)
        path = f"/automations/{number}"
        page = root.get(path).get_data(as_text=True)
        response = press(root, path, page, "save")
        assert response.status_code == 303, response.get_data(as_text=True)
        (found,) = [one for one in stored(crm, root) if one.id == number]
        assert (found.version, found.body) == (2, whole)


def test_what_is_missing_is_told_beside_its_part_and_nothing_typed_is_lost(crm: Crm, root: Visitor) -> None:
    page = root.get("/automations/new?entity=crm.lead").get_data(as_text=True)
    data = fields_of(page) | {"name": "Ring", "trigger": "core.created", "s.new": "core.notify"}
    page = root.post("/automations/new", {**data, "do": "step:s"}).get_data(as_text=True)
    assert 'value="Ring"' in page
    refused = press(root, "/automations/new", page, "save")
    assert refused.status_code == 422
    assert re.search(r'id="p-s-0-p-text">[^<]+<', refused.get_data(as_text=True))
    assert stored(crm, root) == []
    data = fields_of(refused.get_data(as_text=True)) | {"s.0.p.text": "{{ record.last_name"}
    live = root.post("/automations/words", data).get_data(as_text=True)
    assert re.search(r'id="p-s-0-p-text" hx-swap-oob="true">[^<]+<', live)
    data |= {"s.0.p.text": "Call {{ record.last_name }}", "do": "on"}
    assert root.post("/automations/new", data).location == "/automations"
    assert stored(crm, root)[0].active


def test_steps_are_moved_and_removed_by_buttons(crm: Crm, root: Visitor) -> None:
    number = keep(crm, root)
    path = f"/automations/{number}"
    page = press(root, path, root.get(path).get_data(as_text=True), "up:s.1").get_data(as_text=True)
    page = press(root, path, page, "drop:s.2.t.0").get_data(as_text=True)
    page = press(root, path, page, "unfield:s.1.values.1").get_data(as_text=True)
    page = press(root, path, page, "add:w").get_data(as_text=True)
    assert press(root, path, page, "save").status_code == 422
    page = press(root, path, page, "remove:w.2").get_data(as_text=True)
    assert press(root, path, page, "save").status_code == 303
    steps = stored(crm, root)[0].body["steps"]
    city = {"values": {"city": "{{ record.last_name }}"}}
    assert steps[:2] == [{"wait": "P2D"}, {"do": "core.set_fields", "with": city}]
    assert steps[2]["then"] == [{"wait": "PT3H"}]


def test_every_ready_made_rule_opens_and_says_what_is_left_to_do(crm: Crm, visit: Any) -> None:
    visitor: Visitor = visit("user", "fr")
    ready = crm.plugins.declared(ReadyRule)
    assert len(ready) >= 5
    listed = visitor.get("/automations").get_data(as_text=True)
    for one in ready:
        assert f"?ready={one.name}" in listed
        path = f"/automations/new?ready={one.name}"
        page = visitor.get(path).get_data(as_text=True)
        expected = 422 if one.name == "crm.in_turn" else 303
        assert press(visitor, "/automations/new", page, "save").status_code == expected, one.name
    texts = [
        step["with"]["text"]
        for rule in stored(crm, visitor)
        for step in rule.body["steps"]
        if "text" in step.get("with", {})
    ]
    assert any(text.startswith("Bonjour {{ record.first_name }}") for text in texts)
    assert not any(rule.active for rule in stored(crm, visitor))


def test_trials_show_what_would_be_done_and_keep_nothing(crm: Crm, root: Visitor) -> None:
    with crm.unit_of_work(crm.actor(root.user_id)) as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand", "city": "Lyon"}).id
        records.create(ctx, "crm.lead", {"last_name": "Weber", "city": "Paris"})
    body = {
        "entity": "crm.lead", "trigger": {"kind": "core.created"},
        "when": {"field": "city", "op": "eq", "value": "Lyon"},
        "steps": [{"do": "core.set_fields", "with": {"values": {"country": "FR"}}}],
    }  # fmt: skip
    path = f"/automations/{keep(crm, root, body)}"
    page = root.get(path).get_data(as_text=True)
    past = press(root, path, page, "past").get_data(as_text=True)
    assert "1 of 2 events would have started the rule." in past
    assert f'href="/crm/leads/{lead}">Durand' in past
    tried = press(root, path, page, "try", **{"try.text": "Durand"}).get_data(as_text=True)
    assert "The conditions hold." in tried
    assert "<ins>FR</ins>" in tried
    with crm.read(crm.actor(root.user_id)) as ctx:
        assert records.get(ctx, "crm.lead", lead)["country"] is None


def test_the_list_the_log_and_the_timeline_tell_what_happened(crm: Crm, root: Visitor) -> None:
    body = {"entity": "crm.lead", "trigger": {"kind": "core.created"}}
    good = body | {"steps": [{"do": "core.set_fields", "with": {"values": {"country": "FR"}}}]}
    bad = body | {"steps": [{"do": "core.send_mail", "with": {"subject": "Hi", "text": "Hi"}}]}
    first, second = keep(crm, root, good, on=True), keep(crm, root, bad, on=True)
    with crm.unit_of_work(crm.actor(root.user_id)) as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Durand"}).id
    crm.jobs.run_pending()
    listed = root.get("/automations").get_data(as_text=True)
    assert "Leads: when one is created: set Country to FR" in listed
    log = root.get(f"/automations/log?entity=crm.lead&record={lead}").get_data(as_text=True)
    assert log.count("/automations/runs/") == 2
    failed = root.get("/automations/log?state=failed").get_data(as_text=True)
    (number,) = re.findall(r"/automations/runs/(\d+)", failed)
    shown = root.get(f"/automations/runs/{number}").get_data(as_text=True)
    assert "The record has no e-mail address." in shown
    assert root.post(f"/automations/runs/{number}/retry", {}).location == f"/automations/runs/{number}"
    timeline = root.get(f"/crm/leads/{lead}").get_data(as_text=True)
    assert "ran the automation" in timeline
    assert re.search(r'href="/automations/runs/\d+">Kept rule', timeline)
    for wish in ("off", "duplicate", "delete"):
        assert root.post(f"/automations/{first}/do", {"do": wish}).status_code == 303
    assert [(one.name, one.active) for one in stored(crm, root)] == [("Kept rule", True), ("Kept rule (copy)", False)]
    assert root.get(f"/automations/{second}/versions").status_code == 200


def test_the_rule_of_another_is_not_there(crm: Crm, root: Visitor, visit: Any) -> None:
    other: Visitor = visit("user")
    number = keep(crm, root)
    with crm.unit_of_work(crm.actor(root.user_id)) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Durand"})
    paths = (f"/automations/{number}", f"/automations/{number}/versions")
    assert [other.get(path).status_code for path in paths] == [404, 404]
    assert [root.get(path).status_code for path in paths] == [200, 200]
    assert other.post(f"/automations/{number}/do", {"do": "delete"}).status_code == 404
    assert "Kept rule" not in other.get("/automations").get_data(as_text=True)
    mine = keep(crm, other)
    assert other.get(f"/automations/{mine}").status_code == 200
    assert root.get(f"/automations/{mine}").status_code == 200
    assert visit().get("/automations").status_code in (302, 303, 401)


def test_what_is_gone_or_asleep_is_shown_with_the_reason(crm: Crm, root: Visitor, visit: Any) -> None:
    other: Visitor = visit("user")
    keep(crm, other, on=True)
    lost = keep(crm, root)
    steps = [{"do": "voip.ring", "with": {}}]
    with crm.system("a plugin is gone") as ctx:
        users.set_active(ctx, other.user_id, False)
        ctx.session.connection().execute(
            sa.update(core_rule).where(core_rule.c.id == lost).values(body=BODY | {"steps": steps}, version=9)
        )
    page = root.get("/automations").get_data(as_text=True)
    assert "User Tester, with whose rights it acts, cannot sign in any more." in page
    assert "There is no action voip.ring." in page
    shown = root.get(f"/automations/{lost}")
    assert shown.status_code == 200
    assert "There is no action voip.ring." in shown.get_data(as_text=True)
    assert root.post(f"/automations/{lost}/do", {"do": "on"}).status_code == 303
    assert not next(one for one in stored(crm, root) if one.id == lost).active


def test_reasons_are_told_in_the_language_of_who_reads_them(crm: Crm, root: Visitor, visit: Any) -> None:
    bad = {"entity": "crm.lead", "trigger": {"kind": "core.created"}}
    bad |= {"steps": [{"do": "core.set_fields", "with": {"values": {"email": "{{ record.last_name }}"}}}]}
    keep(crm, root, bad, on=True)
    with crm.unit_of_work(crm.actor(root.user_id)) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Durand"})
    crm.jobs.run_pending()
    reader: Visitor = visit("super_admin", locale="fr")
    for path, who in (("/automations/runs/1", reader), ("/automations/log", reader)):
        assert "E-mail\u00a0: Ce n’est pas une adresse e-mail." in who.get(path).get_data(as_text=True)
    assert "E-mail: This is not an e-mail address." in root.get("/automations/runs/1").get_data(as_text=True)
    assert "failed: E-mail: This is not" in root.get("/notifications").get_data(as_text=True)


def test_a_rule_that_follows_the_clock_is_tried_on_the_records_as_they_stand(crm: Crm, root: Visitor) -> None:
    soon = crm.clock.now().date()
    with crm.unit_of_work(crm.actor(root.user_id)) as ctx:
        for days, city in ((2, "Lyon"), (5, "Paris"), (60, "Lyon")):
            due = (soon - timedelta(days=days)).isoformat() + "T09:00:00Z"
            records.create(ctx, "crm.task", {"title": f"{city} {days}", "due_at": due})
    body = {
        "entity": "crm.task",
        "trigger": {"kind": "core.date", "field": "due_at"},
        "when": {"field": "title", "op": "contains", "value": "Lyon"},
        "steps": [{"do": "core.notify", "with": {"text": "Late"}}],
    }
    path = f"/automations/{keep(crm, root, body)}"
    shown = press(root, path, root.get(path).get_data(as_text=True), "past").get_data(as_text=True)
    assert "so many times: 1" in shown
    hits, _, misses = shown.partition("Left out by the conditions: 1")
    assert (">Lyon 2<" in hits, ">Paris 5<" in misses, "Lyon 60" in shown) == (True, True, False)
