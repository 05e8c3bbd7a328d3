"""Settings: custom fields, choice lists, users, plugins' settings; each refusal keeps what was typed."""

from __future__ import annotations

import re
from typing import Any

from gigacore import Crm, records
from tests.pages.conftest import Visitor

FIELDS = "/settings/fields/crm.lead"


def test_a_custom_field_is_added_changed_hidden_brought_back_and_erased(crm: Crm, root: Visitor) -> None:
    sent = {
        "label": "Size",
        "label_fr": "Taille",
        "kind": "choice",
        "choices": "Small\nBig",
        "listed": "1",
        "indexed": "1",
    }
    assert root.post(f"{FIELDS}/new", sent).status_code == 303
    assert [choice.label for choice in crm.registry.choice_lists["custom.crm.lead.x_size"].choices] == ["Small", "Big"]
    wider = sent | {"choices": "Small\nBig\nHuge"}
    assert root.post(f"{FIELDS}/x_size", wider).status_code == 303, "nothing goes, so nothing is asked"
    assert 'name="x_size"' in root.get("/crm/leads/new").get_data(as_text=True)
    root.post("/crm/leads/new", {"last_name": "A", "x_size": "huge"})
    root.confirm(f"{FIELDS}/x_size/state", {"wish": "hide"})
    assert "x_size" not in crm.registry.entity("crm.lead").fields
    root.post(f"{FIELDS}/x_size/state", {"wish": "show"})
    assert "Huge" in root.get("/crm/leads/1").get_data(as_text=True)
    asked = root.confirm(f"{FIELDS}/x_size", sent)
    assert "“Huge” is no longer on offer; records that keep it: 1" in asked
    asked = root.confirm(f"{FIELDS}/x_size/state", {"wish": "purge"})
    assert "records that hold a value: 1" in asked
    assert "x_size" not in root.get("/settings/fields").get_data(as_text=True)


def test_a_faulty_field_keeps_what_was_typed(root: Visitor) -> None:
    answer = root.post(f"{FIELDS}/new", {"label": "Target", "kind": "ref", "help": "A link"})
    assert answer.status_code == 422
    assert 'value="A link"' in answer.get_data(as_text=True)


def test_a_choice_is_added_painted_moved_and_hidden(crm: Crm, root: Visitor) -> None:
    place = "/settings/lists/crm.lead_status"
    root.get(place)
    root.post(place, {"do": "add", "label": "On hold", "colour": "#112233"})
    assert "k-112233" in root.get(place).get_data(as_text=True)
    assert ".k-112233" in root.get("/theme.css").get_data(as_text=True)
    root.post(place, {"do": "up", "key": "on_hold"})
    keys = [choice.key for choice in crm.registry.choice_lists["crm.lead_status"].choices]
    assert keys.index("on_hold") == len(keys) - 2
    root.post(place, {"do": "save", "key": "on_hold", "label": "Waiting", "french": "En attente", "colour": "#112233"})
    root.post("/me/language", {"locale": "fr"})
    assert "En attente" in root.get("/crm/leads/new").get_data(as_text=True)
    root.post(place, {"do": "hide", "key": "on_hold"})
    assert "En attente" not in root.get("/crm/leads/new").get_data(as_text=True)


def test_the_last_choice_of_a_kind_stays_and_the_reason_is_told(root: Visitor) -> None:
    root.post("/settings/lists/crm.lead_status", {"do": "hide", "key": "won"})
    assert "rules rely on" in root.get("/").get_data(as_text=True)


def test_a_new_user_can_sign_in_and_be_switched_off(crm: Crm, root: Visitor, visit: Any) -> None:
    sent = {
        "name": "Zoé", "email": "zoe@example.test", "password": "Correct-horse-battery-1", "role": "user",
        "locale": "fr",
    }  # fmt: skip
    assert root.post("/settings/users/new", sent).status_code == 303
    visitor = visit()
    assert visitor.sign_in("zoe@example.test").status_code == 303
    page = root.get("/settings/users").get_data(as_text=True)
    person = re.findall(r'href="(/settings/users/\d+)"', page)[-1]
    root.get(person)
    root.post(f"{person}/active", {"active": "0"})
    assert visitor.get("/crm/leads").status_code == 303


def test_a_weak_password_is_refused_beside_its_input(root: Visitor) -> None:
    sent = {"name": "Zoé", "email": "zoe@example.test", "password": "short", "role": "user", "locale": "fr"}
    answer = root.post("/settings/users/new", sent)
    assert answer.status_code == 422
    assert 'value="zoe@example.test"' in answer.get_data(as_text=True)


def test_branding_changes_name_and_colours(root: Visitor) -> None:
    root.post("/settings/general", {"core.brand_name": "Acme CRM", "core.brand_accent": "#aa3366"})
    page = root.get("/").get_data(as_text=True)
    assert "Acme CRM" in page
    assert "--g-accent:#aa3366" in root.get("/theme.css").get_data(as_text=True)
    assert root.post("/settings/general", {"core.brand_accent": "red; }"}).status_code == 422


def test_only_a_super_admin_switches_plugins(visit: Any) -> None:
    admin = visit("admin")
    answer = admin.post("/settings/plugins/crm", {"wish": "disable"})
    assert answer.status_code == 403


def test_a_switch_says_first_what_it_changes(root: Visitor, visit: Any) -> None:
    page = root.get("/settings/plugins/crm?wish=disable").get_data(as_text=True)
    assert "It would be refused: The plugin crm is part of the application." in page
    assert "rows of crm_lead" in page
    assert root.get("/settings/plugins/nowhere").status_code == 404
    assert visit("admin").get("/settings/plugins/crm").status_code == 403


def test_a_formula_is_written_with_a_preview_and_follows_its_fields(crm: Crm, root: Visitor) -> None:
    with crm.system("test") as ctx:
        amount = {"amount": "1200", "currency": "EUR"}
        lead = records.create(ctx, "crm.lead", {"last_name": "Lovelace", "amount": amount}).id
    sent = {"label": "Fee", "kind": "formula", "result": "decimal", "formula": "amount * 0.05", "try_on": str(lead)}
    root.get("/settings/fields/crm.lead/new")
    tried = root.post("/settings/fields/crm.lead/try", sent, **{"HX-Request": "true"}).text
    assert "Lovelace" in tried
    assert "<strong>60</strong>" in tried
    whole = root.post("/settings/fields/crm.lead/try", sent).text
    assert "<strong>60</strong>" in whole, "without scripts the whole form comes back with the result"
    assert 'value="Fee"' in whole
    wrong = root.post("/settings/fields/crm.lead/new", {**sent, "formula": "amount + city"})
    assert wrong.status_code == 422
    assert "“+” does not go with a number and a text." in wrong.text
    assert root.post("/settings/fields/crm.lead/new", sent).status_code == 303
    crm.jobs.run_pending()
    page = root.get(f"/crm/leads/{lead}").text
    assert "Fee" in page
    assert 'name="x_fee"' not in root.get(f"/crm/leads/{lead}/edit").text
    assert "Fee" in root.get("/crm/leads?fields=last_name,x_fee").text
    assert 'name="formula"' in root.get("/settings/fields/crm.lead/x_fee").text
