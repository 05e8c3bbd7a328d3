"""Rules, web hooks and notifications over the API, as integrators and no-code tools use them."""

from flask import Flask

from gigacore import Crm
from gigacore.access.vault import Vault
from gigacore.outbound import OutboundRule
from gigacore.webhooks import signing
from tests.api.conftest import KEYS, People

BODY = {
    "entity": "crm.lead",
    "trigger": {"kind": "core.created"},
    "when": {"field": "city", "op": "eq", "value": "Lyon"},
    "steps": [{"do": "core.set_fields", "with": {"values": {"country": "FR"}}}],
}
LEAD = {"last_name": "Martin", "city": "Lyon"}


def test_a_rule_is_tried_switched_on_runs_and_is_logged(crm: Crm, people: People) -> None:
    admin = people.admin
    past = admin.make("/crm/leads", LEAD)
    other = admin.make("/crm/leads", LEAD | {"city": "Paris"})
    tried = admin("POST", "/core/rules/actions/try", {"name": "x", "body": BODY, "record_id": past["id"]}).get_json()
    assert (tried["holds"], tried["error"]) == (True, None)
    assert tried["changes"][0]["values"]["country"] == [None, "FR"]
    assert not admin(
        "POST", "/core/rules/actions/try", {"name": "x", "body": BODY, "record_id": other["id"]}
    ).get_json()["holds"]
    assert admin("GET", f"/crm/leads/{past['id']}").get_json()["country"] is None
    before = admin("POST", "/core/rules/actions/try_past", {"name": "x", "body": BODY}).get_json()
    assert (before["events"], before["matched"], before["hits"][0]["record_id"]) == (2, 1, past["id"])
    assert [step["action"] for step in before["hits"][0]["would"]] == ["core.set_fields"]
    (miss,) = before["misses"]
    assert (before["missed"], miss["record_id"], miss["trace"]["is"], miss["would"]) == (1, other["id"], False, [])

    rule = admin.make("/core/rules", {"name": "Country", "body": BODY})
    assert admin("POST", f"/core/rules/{rule['id']}/actions/switch_on").get_json()["active"]
    lead = admin.make("/crm/leads", LEAD)
    crm.jobs.run_pending()
    assert admin("GET", f"/crm/leads/{lead['id']}").get_json()["country"] == "FR"
    (run,) = admin("GET", f"/core/rule-runs?rule={rule['id']}").get_json()["items"]
    assert (run["state"], run["record_id"], run["label"]) == ("done", lead["id"], "Martin")
    runs = f"/core/rule-runs?rule={rule['id']}&since="
    assert len(admin("GET", runs + run["created_at"]).get_json()["items"]) == 1
    assert admin("GET", f"{runs}2100-01-01T00:00:00Z").get_json()["items"] == []
    assert admin("POST", f"/core/rule-runs/{run['id']}/actions/retry").status_code == 409
    assert admin("PATCH", f"/core/rules/{rule['id']}", {"name": "A", "body": BODY, "version": "x"}).status_code == 422
    changed = admin("PATCH", f"/core/rules/{rule['id']}", {"name": "Again", "body": BODY, "version": 1})
    assert changed.get_json()["version"] == 2
    assert admin("PATCH", f"/core/rules/{rule['id']}", {"name": "Again", "body": BODY, "version": 1}).status_code == 409
    assert len(admin("GET", f"/core/rules/{rule['id']}/versions").get_json()["items"]) == 2
    assert admin("POST", f"/core/rules/{rule['id']}/actions/duplicate", {"name": "Copy"}).status_code == 201
    assert admin("DELETE", f"/core/rules/{rule['id']}").status_code == 204


def test_the_past_is_judged_as_it_was(people: People) -> None:
    admin = people.admin
    lead = admin.make("/crm/leads", LEAD)
    etag = admin("GET", f"/crm/leads/{lead['id']}").headers["ETag"]
    admin("PATCH", f"/crm/leads/{lead['id']}", {"city": "Paris"}, If_Match=etag)
    found = admin("POST", "/core/rules/actions/try_past", {"name": "x", "body": BODY}).get_json()
    assert found["matched"] == 1
    paris = BODY | {"when": {"field": "city", "op": "eq", "value": "Paris"}}
    assert admin("POST", "/core/rules/actions/try_past", {"name": "x", "body": paris}).get_json()["matched"] == 0
    moved = paris | {
        "trigger": {"kind": "core.updated"},
        "when": {"field": "city", "op": "changed_to", "value": "Paris"},
    }
    assert admin("POST", "/core/rules/actions/try_past", {"name": "x", "body": moved}).get_json()["matched"] == 1


def test_a_rule_that_cannot_be_names_the_place(people: People) -> None:
    admin = people.admin
    broken = BODY | {"steps": [{"do": "core.set_fields", "with": {"values": {"colour": "red"}}}]}
    response = admin("POST", "/core/rules", {"name": "x", "body": broken})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["field"] == "steps[0].with.values.colour"
    assert admin("POST", "/core/rules", {"name": "x"}).status_code == 422


def test_subscriptions_as_zapier_make_and_n8n_use_them(crm: Crm, people: People) -> None:
    admin = people.admin
    crm.webhooks.rule, crm.webhooks.vault = OutboundRule.of(["127.0.0.1"]), Vault(KEYS["encryption_key"])
    target = {"event": "crm.lead.created", "target_url": "http://127.0.0.1:9/hook"}
    made = admin("POST", "/hooks", target)
    assert made.status_code == 201
    assert made.get_json()["secret"].startswith("whsec_")
    number = made.get_json()["id"]
    found = admin("GET", f"/hooks?target_url={target['target_url']}").get_json()["items"]
    assert [one["id"] for one in found] == [number]
    assert "secret" not in found[0]
    lead = admin.make("/crm/leads", LEAD)
    sample = admin("GET", "/hooks/sample?event=crm.lead.created").get_json()
    assert [one["id"] for one in sample] == [lead["id"]]
    assert "crm.lead.created" in admin("GET", "/hooks/events").get_json()["items"]
    crm.jobs.run_pending()
    (delivery,) = admin("GET", f"/hooks/{number}/deliveries").get_json()["items"]
    assert (delivery["state"], delivery["status"], delivery["error"]) == ("waiting", None, "no connection")
    assert admin("POST", f"/hooks/{number}/actions/rotate").get_json()["secret"].startswith("whsec_")
    assert admin("POST", "/hooks", target | {"target_url": "https://10.0.0.1/"}).status_code == 422
    assert admin("DELETE", f"/hooks/{number}").status_code == 204
    assert admin("GET", f"/hooks/{number}").status_code == 404


def test_messages_that_arrive_are_verified_and_kept_once(crm: Crm, app: Flask, people: People) -> None:
    admin = people.admin
    crm.webhooks.vault = Vault(KEYS["encryption_key"])
    mapping = {"entity": "crm.lead", "values": {"last_name": "{{ body.name }}"}}
    made = admin.make("/hooks/sources", {"key": "site", "name": "Site", "mapping": mapping})
    secret = made["secret"]
    assert "secret" not in admin("GET", "/hooks/sources").get_json()["items"][0]
    assert admin("POST", "/hooks/sources", {"key": "site"}).status_code == 422
    assert people.ann("GET", "/hooks/sources").status_code == 403
    body = b'{"name": "Durand"}'
    headers = signing.headers([secret], "msg_1", crm.clock.now(), body)
    client = app.test_client()
    statuses = [client.post("/hooks/in/site", data=body, headers=headers).status_code for _ in range(3)]
    crm.jobs.run_pending()
    assert statuses == [202, 202, 202]
    assert [item["last_name"] for item in admin("GET", "/crm/leads").get_json()["items"]] == ["Durand"]
    (arrival,) = admin("GET", "/hooks/inbox?state=done").get_json()["items"]
    assert (arrival["account"], arrival["result"]["entity"]) == ("site", "crm.lead")
    assert admin("POST", f"/hooks/inbox/{arrival['id']}/actions/again").status_code == 409
    refused = client.post("/hooks/in/site", data=body)
    assert (refused.status_code, refused.get_json()["code"]) == (401, "bad_signature")
    assert admin("DELETE", f"/hooks/sources/{made['id']}").status_code == 204
    assert client.post("/hooks/in/site", data=body, headers=headers).status_code == 404
    assert client.post("/hooks/in/other", data=body, headers=headers).status_code == 404
    assert client.post("/hooks/stripe/acct", data=body, headers=headers).status_code == 404


def test_notifications_are_listed_read_and_chosen(crm: Crm, people: People) -> None:
    admin = people.admin
    rule = {"entity": "crm.lead", "trigger": {"kind": "core.created"}}
    tell = {"do": "core.notify", "with": {"text": "New: {{ record.last_name }}"}}
    made = admin.make("/core/rules", {"name": "Tell", "body": rule | {"steps": [tell]}})
    admin("POST", f"/core/rules/{made['id']}/actions/switch_on")
    admin.make("/crm/leads", LEAD)
    crm.jobs.run_pending()
    found = admin("GET", "/me/notifications").get_json()
    assert (found["unread"], found["items"][0]["text"]) == (1, "New: Martin")
    assert admin("POST", "/me/notifications/actions/read").get_json() == {"read": 1}
    assert admin("GET", "/me/notifications").get_json()["unread"] == 0
    assert admin("PUT", "/me/notifications/choices/core.rule", {"bell": False, "mail": "digest"}).status_code == 204
    chosen = admin("GET", "/me/notifications/choices").get_json()["items"]
    assert {"kind": "core.rule", "label": "An automation tells me something", "bell": False, "mail": "digest"} in chosen
    assert admin("PUT", "/me/notifications/choices/core.colour", {"bell": False}).status_code == 422
