"""Forms: faults beside inputs, nothing typed is lost, versions, references, child rows, money."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.access import roles
from tests.pages.conftest import Visitor


def read(crm: Crm, entity: str, number: int) -> dict[str, Any]:
    with crm.system("look") as ctx:
        return records.get(ctx, entity, number)


def created(response: Any) -> int:
    assert response.status_code == 303, response.get_data(as_text=True)
    return int(response.location.rsplit("/", 1)[1])


def kept_by(page: str) -> dict[str, list[str]]:
    """What the sign-in page keeps of a form."""
    found = re.search(r'name="typed" value="([^"]+)"', page)
    assert found
    kept: dict[str, list[str]] = json.loads(unescape(found[1]))
    return kept


def test_a_contact_with_child_rows_is_created(crm: Crm, root: Visitor) -> None:
    sent = {
        "first_name": "Ada", "last_name": "Lovelace", "emails.0.email": "ada@example.test", "emails.0.kind": "work",
        "emails.3.email": "home@example.test", "emails.3.kind": "home", "emails.4.kind": "work",
    }  # fmt: skip
    number = created(root.post("/crm/contacts/new", sent))
    emails = read(crm, "crm.contact", number)["emails"]
    assert [(row["email"], row["kind"]) for row in emails] == [
        ("ada@example.test", "work"),
        ("home@example.test", "home"),
    ]


def test_faults_stand_beside_the_inputs_and_keep_what_was_typed(root: Visitor) -> None:
    answer = root.post("/crm/leads/new", {"first_name": "Zoé", "email": "not an address", "amount": "12,5x"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="Zoé"' in page
    assert 'value="12,5x"' in page
    assert page.count('class="problem"') == 1 or page.count('class="problem"') == 2
    assert 'href="#f-amount"' in page
    assert re.search(r'id="f-amount"[^>]*aria-invalid="true"[^>]*aria-describedby="f-amount-p"', page)


def test_money_is_typed_as_the_reader_writes_it(crm: Crm, visit: Any) -> None:
    reader = visit("super_admin", "fr")
    sent = {"last_name": "Durand", "amount": "1 234,50", "amount.currency": "EUR"}
    number = created(reader.post("/crm/leads/new", sent))
    assert str(read(crm, "crm.lead", number)["amount"].amount) == "1234.5000"
    assert 'value="1234,50"' in reader.get(f"/crm/leads/{number}/edit").get_data(as_text=True)


def test_save_and_create_another_shows_an_empty_form(root: Visitor) -> None:
    answer = root.post("/crm/leads/new", {"last_name": "One", "_then": "again"})
    assert (answer.status_code, answer.location) == (303, "/crm/leads/new")


def test_a_stale_form_shows_both_values_and_saves_the_second_time(crm: Crm, root: Visitor) -> None:
    number = created(root.post("/crm/leads/new", {"last_name": "Before"}))
    version = str(read(crm, "crm.lead", number)["version"])
    with crm.system("somebody else") as ctx:
        records.update(ctx, "crm.lead", number, {"last_name": "Theirs"})
    answer = root.post(
        f"/crm/leads/{number}/edit", {"last_name": "Mine", "status": "new", "priority": "normal", "_version": version}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 412
    assert 'value="Mine"' in page
    assert "Stored now: Theirs" in page
    newer = re.search(r'name="_version" value="(\d+)"', page)
    assert newer
    sent = {"last_name": "Mine", "status": "new", "priority": "normal", "_version": newer[1]}
    assert root.post(f"/crm/leads/{number}/edit", sent).status_code == 303
    assert read(crm, "crm.lead", number)["last_name"] == "Mine"


def test_a_reference_is_found_by_its_name_without_scripts(crm: Crm, root: Visitor) -> None:
    company = created(root.post("/crm/companies/new", {"name": "Acme"}))
    number = created(root.post("/crm/contacts/new", {"first_name": "A", "last_name": "B", "company_id.text": "acme"}))
    assert read(crm, "crm.contact", number)["company_id"]["id"] == company
    answer = root.post("/crm/contacts/new", {"first_name": "A", "last_name": "B", "company_id.text": "Unknown"})
    assert answer.status_code == 422
    assert "Nothing is called “Unknown”" in answer.get_data(as_text=True)


def test_a_text_typed_over_a_picked_reference_wins(crm: Crm, root: Visitor) -> None:
    acme = created(root.post("/crm/companies/new", {"name": "Acme"}))
    other = created(root.post("/crm/companies/new", {"name": "Other"}))
    sent = {
        "first_name": "A", "last_name": "B", "company_id": str(acme), "company_id.was": "Acme",
        "company_id.text": "Other",
    }  # fmt: skip
    assert read(crm, "crm.contact", created(root.post("/crm/contacts/new", sent)))["company_id"]["id"] == other


def test_rows_are_added_and_removed_without_scripts(root: Visitor) -> None:
    page = root.post("/crm/contacts/new", {"first_name": "Ada", "_add": "emails"}).get_data(as_text=True)
    assert 'name="emails.0.email"' in page
    assert 'value="Ada"' in page
    sent = {"first_name": "Ada", "emails.0.email": "a@b.test", "_remove": "emails.0"}
    page = root.post("/crm/contacts/new", sent).get_data(as_text=True)
    assert 'name="emails.0.email"' not in page


def test_the_address_fills_fields_in(root: Visitor) -> None:
    lead = created(root.post("/crm/leads/new", {"last_name": "Linked"}))
    page = root.get(f"/crm/tasks/new?lead_id={lead}&title=Call").get_data(as_text=True)
    assert 'value="Call"' in page
    assert 'name="lead_id.text" value="Linked"' in page


def test_an_ended_session_keeps_what_was_typed(visit: Any, app: Any) -> None:
    reader = visit("user")
    reader.post("/sign-out", {})
    answer = reader.post("/crm/leads/new", {"last_name": "Précieux", "description": "Long text\nin two lines"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401
    typed = re.search(r'name="typed" value="([^"]+)"', page)
    assert typed
    reader.get("/sign-in")
    kept = typed[1].replace("&#34;", '"')
    sent = {
        "email": "user.en@example.test",
        "password": "Correct-horse-battery-1",
        "typed": kept,
        "next": "/crm/leads/new",
    }
    resumed = reader.post("/sign-in", sent).get_data(as_text=True)
    assert 'action="/crm/leads/new" data-autosubmit' in resumed
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', resumed.partition("data-autosubmit")[2])
    assert token
    again = {"last_name": "Précieux", "description": "Long text\nin two lines", "_restore": "1", "csrf_token": token[1]}
    form = reader.client.post("/crm/leads/new", data=again, headers={"Accept": "text/html"}).get_data(as_text=True)
    assert 'value="Précieux"' in form
    assert "Long text\nin two lines" in form
    assert reader.get("/crm/leads").get_data(as_text=True).count("<tr><td class=c>") == 0


@pytest.mark.parametrize("path", [
    "/settings/company", "/settings/general", "/settings/plugin/crm.sales", "/settings/currencies",
    "/settings/fields/crm.lead/new", "/settings/roles/new", "/settings/roles/manager", "/settings/teams/new",
    "/settings/users/new", "/settings/templates/new", "/settings/webhooks/new", "/settings/incoming/new",
    "/settings/jobs/schedules/1/edit", "/automations/new",
])  # fmt: skip
def test_an_ended_session_keeps_what_was_typed_in_settings(root: Visitor, path: str) -> None:
    root.post("/sign-out", {})
    answer = root.post(path, {"label": "Précieux"})
    assert (answer.status_code, kept_by(answer.text)["label"]) == (401, ["Précieux"])


def test_a_role_half_changed_comes_back_after_the_sign_in(root: Visitor) -> None:
    page = root.post("/settings/roles/manager", {"crm.lead:delete": "none", "_restore": "1"}).get_data(as_text=True)
    assert re.search(r'name="crm.lead:delete".{1,500}<option value="none" selected>', page)
    page = root.get("/settings/roles/manager").get_data(as_text=True)
    assert not re.search(r'name="crm.lead:delete".{1,500}<option value="none" selected>', page)


def test_a_file_chosen_when_the_session_ended_is_named_to_be_chosen_again(visit: Any, crm: Crm) -> None:
    reader = visit("user")
    reader.post("/sign-out", {})
    sent = {"csrf_token": reader.token, "last_name": "Précieux", "photo.file": (io.BytesIO(b"any"), "ada.png")}
    page = reader.client.post("/crm/contacts/new", data=sent, headers={"Accept": "text/html"}).get_data(as_text=True)
    kept = kept_by(page)
    assert kept["photo.lost"] == ["ada.png"]
    assert reader.sign_in("user.en@example.test").status_code == 303
    form = reader.post("/crm/contacts/new", kept | {"_restore": "1"}).get_data(as_text=True)
    assert "“ada.png” was not kept; choose the file again." in form
    assert ('value="Précieux"' in form, "photo.lost" in form) == (True, False)
    with crm.system("count") as ctx:
        assert records.page(ctx, "crm.contact", records.ListRequest()).items == []


def test_a_form_with_an_old_token_is_shown_again_and_saves_nothing(crm: Crm, root: Visitor) -> None:
    root.token = "0" * 64
    page = root.post("/crm/leads/new", {"last_name": "Kept"}).get_data(as_text=True)
    assert 'name="last_name" value="Kept"' in page
    assert 'name="_restore" value="1"' in page
    with crm.system("count") as ctx:
        assert records.page(ctx, "crm.lead", records.ListRequest()).items == []


def test_a_locked_record_says_why(crm: Crm, root: Visitor) -> None:
    number = created(root.post("/crm/leads/new", {"last_name": "Done"}))
    root.post(f"/crm/leads/{number}/edit", {"last_name": "Done", "status": "won", "priority": "normal"})
    answer = root.post(f"/crm/leads/{number}/edit", {"last_name": "Other", "status": "won", "priority": "normal"})
    assert answer.status_code == 409
    assert 'value="Other"' in answer.get_data(as_text=True)
    assert "Reopen it" in answer.get_data(as_text=True)


def test_what_was_typed_into_a_field_that_went_meanwhile_is_told_once(crm: Crm, root: Visitor, visit: Any) -> None:
    number = created(root.post("/crm/leads/new", {"last_name": "Before"}))
    manager = visit("manager")
    with crm.system("closed") as ctx:
        roles.set_field_rule(ctx, "manager", "crm.lead", "description", read=True, write=False)
        records.update(ctx, "crm.lead", number, {"visibility": "write"})
    typed = {"last_name": "After", "extension_mark": "1", "_version": "2"}
    former = {"description": "A long text", "x_gone": "Lyon"}
    answer = manager.post(f"/crm/leads/{number}/edit", typed | former)
    page = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "“Notes” is not in this form any more. You had typed: A long text." in page
    assert "“x_gone” is not in this form any more. You had typed: Lyon." in page
    assert "extension_mark" not in page
    assert 'value="After"' in page
    assert manager.post(f"/crm/leads/{number}/edit", typed).status_code == 303
