"""Forms in the browser: the sheet, create-new in a picker, drafts, an ended session, faults, other people's changes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gigacore import Crm, records

SAVE = ".form-foot .btn-primary"


def open_sheet(reader: Any, path: str, entity: str) -> Any:
    page = reader.go(path)
    page.click("[popovertarget=m-new]")
    page.click(f"#m-new a[href='{entity}']")
    return page.locator("dialog.side-sheet").last


def names_of(crm: Crm, entity: str, field: str) -> list[Any]:
    with crm.system("look") as ctx:
        return [item[field] for item in records.page(ctx, entity, records.ListRequest(fields=("id", field))).items]


def test_a_sheet_tells_faults_creates_in_a_picker_and_saves_once(crm: Crm, open_browser: Any) -> None:
    from playwright.sync_api import expect

    reader = open_browser(locale="fr")
    sheet = open_sheet(reader, "/crm/leads", "/crm/opportunities/new")
    page = reader.page
    sheet.locator("#f-amount").fill("1 234,5x")
    sheet.locator("#f-expected_close").fill("22/11/2026")
    sheet.locator(SAVE).click()
    page.wait_for_selector("dialog .error-summary:focus")
    sheet.locator(".error-summary a[href='#f-title']").click()
    page.wait_for_selector("#f-title:focus")
    page.keyboard.type("Pompe à chaleur")
    sheet.locator("#f-amount").fill("1 234,56")
    sheet.locator("#f-company_id").fill("Atelier Neuf")
    page.click(".pick .create:has-text('Atelier Neuf')")
    nested = page.locator("dialog.side-sheet").nth(1)
    expect(nested.locator("[name=name]")).to_have_value("Atelier Neuf")
    nested.locator(SAVE).click()
    nested.wait_for(state="detached")
    expect(sheet.locator("#f-company_id")).to_have_value("Atelier Neuf")
    sheet.locator(SAVE).dblclick()
    page.wait_for_selector(".rec-head h1:has-text('Pompe à chaleur')")
    with crm.system("look") as ctx:
        (number,) = (item["id"] for item in records.page(ctx, "crm.opportunity", records.ListRequest()).items)
        stored = records.get(ctx, "crm.opportunity", number)
    assert (str(stored["amount"].amount), str(stored["expected_close"])) == ("1234.5600", "2026-11-22")
    assert stored["company_id"]["label"] == "Atelier Neuf"
    assert all("422" in text for text in reader.complaints)


@pytest.fixture
def slow_picker(crm: Crm, open_browser: Any) -> Any:
    """A form whose picker shows "Autre SA", marked, while the search for "Nouvelle SA" waits for `answers.pop()`."""
    with crm.system("two companies") as ctx:
        for name in ("Autre SA", "Nouvelle SA"):
            records.create(ctx, "crm.company", {"name": name, "visibility": "write"})
    page = open_browser().go("/crm/contacts/new")
    page.click("#f-company_id")
    page.wait_for_selector(".pick [role=option]:has-text('Autre SA')")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".pick [role=option][aria-selected=true]:has-text('Autre SA')")
    answers: list[Any] = []
    page.route(re.compile(r"q=Nouvelle%20SA"), lambda route: answers.append(route))
    return page, answers


@pytest.mark.parametrize("keys", [("Enter",), ("ArrowDown", "Enter")], ids="-".join)
def test_keys_that_are_faster_than_the_search_choose_from_its_answer(slow_picker: Any, keys: tuple[str, ...]) -> None:
    from playwright.sync_api import expect

    page, answers = slow_picker
    number, picked = page.locator("#f-company_id-b [data-id]"), page.locator("#f-company_id")
    with page.expect_request(re.compile(r"q=Nouvelle%20SA")):
        page.keyboard.insert_text("Nouvelle SA")
        for key in keys:
            page.keyboard.press(key)
        assert (number.input_value(), picked.input_value()) == ("", "Nouvelle SA")
    answers.pop().continue_()
    if len(keys) == 1:
        page.wait_for_selector(".pick [role=option][aria-selected=true]:has-text('Nouvelle SA')")
        assert number.input_value() == ""
        page.keyboard.press("Enter")
    expect(number).to_have_value("2")
    expect(picked).to_have_value("Nouvelle SA")
    assert answers == []


def test_save_and_create_another_stays_in_the_sheet_and_waits_for_the_network(crm: Crm, open_browser: Any) -> None:
    from playwright.sync_api import expect

    reader = open_browser()
    sheet = open_sheet(reader, "/crm/companies", "/crm/companies/new")
    sheet.locator("#f-name").fill("One")
    reader.page.context.set_offline(True)
    reader.page.wait_for_selector(".offline", state="visible")
    sheet.locator("button[value=again]").click()
    sheet.locator(".toast-g.error:has-text('No connection')").wait_for()
    assert sheet.locator("#f-name").input_value() == "One"
    reader.page.context.set_offline(False)
    reader.page.wait_for_selector(".offline", state="hidden")
    for name in ("One", "Two"):
        sheet.locator("#f-name").fill(name)
        with reader.page.expect_response(lambda answer: answer.request.method == "GET" and "/new" in answer.url):
            sheet.locator("button[value=again]").click()
        sheet.locator(f".toast-g:has-text('{name}')").wait_for()
        expect(sheet.locator("#f-name")).to_have_value("")
    reader.page.keyboard.press("Escape")
    reader.page.wait_for_selector(".tbl >> text=Two")
    assert sorted(names_of(crm, "crm.company", "name")) == ["One", "Two"]
    assert [text for text in reader.complaints if "ERR_INTERNET_DISCONNECTED" not in text] == []


def test_what_was_typed_survives_a_closed_sheet_a_reload_and_goes_once_saved(crm: Crm, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.page
    sheet = open_sheet(reader, "/", "/crm/contacts/new")
    sheet.locator("#f-first_name").fill("Ada")
    sheet.locator("#f-last_name").fill("Lovelace")
    sheet.locator("[data-add]").first.click()
    page.keyboard.type("ada@example.test")
    page.keyboard.press("Escape")
    page.wait_for_selector(".toast-g:has-text('kept')")
    page.once("dialog", lambda asked: asked.accept())
    page.goto(f"{reader.address}/crm/contacts/new")
    page.wait_for_selector("text=has not been saved yet")
    assert page.input_value("#f-last_name") == "Lovelace"
    assert page.locator("[name='emails.0.email']").input_value() == "ada@example.test"
    page.click(SAVE)
    page.wait_for_selector(".rec-head")
    assert names_of(crm, "crm.contact", "last_name") == ["Lovelace"]
    page.goto(f"{reader.address}/crm/contacts/new")
    page.wait_for_load_state("networkidle")
    assert page.input_value("#f-last_name") == ""
    page.fill("#f-last_name", "Nobody")
    page.wait_for_function("() => Object.values(localStorage).some(draft => draft.includes('Nobody'))")
    page.once("dialog", lambda asked: asked.accept())
    page.reload()
    page.click("[data-afresh]")
    page.wait_for_selector("text=has not been saved yet", state="detached")
    assert page.input_value("#f-last_name") == ""
    assert reader.complaints == []


def test_an_ended_session_keeps_what_was_typed(crm: Crm, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.page
    sheet = open_sheet(reader, "/", "/crm/leads/new")
    sheet.locator("#f-last_name").fill("Patience")
    sheet.locator("#f-amount").fill("12.50")
    page.context.clear_cookies()
    sheet.locator(SAVE).click()
    page.fill("#email", "super_admin.en@example.test")
    page.fill("#password", "Correct-horse-battery-1")
    page.click("main .btn-primary")
    page.wait_for_selector("text=You had been signed out")
    assert (page.input_value("#f-last_name"), page.input_value("#f-amount")) == ("Patience", "12.50")
    page.click(SAVE)
    page.wait_for_selector(".rec-head h1:has-text('Patience')")
    assert names_of(crm, "crm.lead", "last_name") == ["Patience"]


def test_somebody_elses_value_can_be_taken(crm: Crm, leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads/1/edit")
    page.fill("#f-last_name", "Mine")
    with crm.system("somebody else") as ctx:
        records.update(ctx, "crm.lead", 1, {"last_name": "Theirs", "priority": "high"})
    page.click(SAVE)
    page.wait_for_selector(".theirs:has-text('Theirs')")
    page.click(".field:has(#f-last_name) [data-theirs]")
    page.wait_for_function("() => document.querySelector('#f-last_name').value === 'Theirs'")
    page.click(SAVE)
    page.wait_for_selector(".rec-head h1:has-text('Theirs')")


def test_the_palette_by_keyboard(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads")
    with page.expect_navigation():
        page.click("[data-refresh-page]")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette [role=option][aria-selected=true]")
    page.keyboard.type("number 07")
    page.wait_for_selector("#palette [role=group][aria-label=Leads] >> text=Amélie Number 07")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rec-head h1:has-text('Number 07')")
    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    page.wait_for_selector("#palette [data-command='theme=dark'][aria-selected=true]")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-bs-theme=dark]")
    page.keyboard.press("Control+k")
    page.keyboard.type("create compa")
    page.wait_for_selector("#palette [href='/crm/companies/new'][aria-selected=true]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.side-sheet #f-name")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzz")
    page.wait_for_selector("#palette [aria-disabled]:has-text('Nothing found')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#palette", state="hidden")
    assert reader.complaints == []
