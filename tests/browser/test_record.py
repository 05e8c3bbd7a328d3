"""One record, worked on in its page: facts, rows, note, task, link, share, file, undo, and what others change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gigacore import Crm, records
from tests.pages.conftest import PASSWORD


@pytest.fixture
def people(crm: Crm) -> None:
    """Contact 1 with two e-mails at company 1; company 2."""
    with crm.system("test records") as ctx:
        records.create(ctx, "crm.company", {"name": "Atelier Lumière", "visibility": "write"})
        records.create(ctx, "crm.company", {"name": "Brasserie Nord", "visibility": "write"})
        emails = [{"email": "one@example.test"}, {"email": "two@example.test"}]
        ada = {"first_name": "Ada", "last_name": "Lovelace", "company_id": 1, "emails": emails, "visibility": "write"}
        records.create(ctx, "crm.contact", ada)


def test_a_record_is_worked_on_in_its_page(crm: Crm, people: None, open_browser: Any, tmp_path: Path) -> None:
    reader = open_browser()
    page = reader.go("/crm/contacts/1")
    # a fact by mouse: Escape leaves it, Enter saves it
    page.click("[data-all] >> nth=0")
    page.click("#fact-job_title dd")
    page.wait_for_selector("#f-job_title:focus")
    page.keyboard.type("Nothing")
    page.keyboard.press("Escape")
    page.wait_for_selector("#fact-job_title:not(.editing)")
    page.wait_for_selector("#fact-job_title .pen:focus")
    page.keyboard.press("F2")
    page.wait_for_selector("#f-job_title:focus")
    page.keyboard.type("Analyst")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fact-job_title.done:has-text('Analyst')")
    page.wait_for_selector(".strip:has-text('Analyst')")
    # a relation by keyboard through the picker; its first Escape closes the list only
    page.focus("#fact-company_id .pen")
    page.keyboard.press("Enter")
    page.wait_for_selector("#f-company_id:focus")
    page.keyboard.press("Control+a")
    page.keyboard.type("brass")
    page.wait_for_selector(".pick [role=option]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#fact-company_id.editing")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".pick [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fact-company_id.done:has-text('Brasserie Nord')")
    # a row: another main e-mail, which the head shows, then a new one that is refused first
    page.click("#rows-emails li:has-text('two@') >> button[title='Make this the main one']")
    page.wait_for_selector(".strip:has-text('two@example.test')")
    page.click("#rows-emails header a")
    page.wait_for_selector("#rows-emails #f-email:focus")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows-emails .problem")
    page.fill("#rows-emails #f-email", "three@example.test")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows-emails li:nth-child(3):has-text('three@example.test')")
    # a note that is half written survives the task beside it, which is ticked off where it stands
    page.fill("#note", "Half written")
    page.click(".composer button[data-mode=task]")
    page.keyboard.type("Send the quote")
    page.fill("#f-task-due_at", "2020-01-31T09:00")
    page.keyboard.press("Enter")
    page.wait_for_selector(".todo:has-text('Send the quote') .late")
    page.wait_for_selector("#related .rel:has-text('Send the quote')")
    page.click(".todo .tick")
    page.wait_for_selector(".timeline li:has-text('Send the quote')")
    page.wait_for_selector(".todo", state="hidden")
    page.click(".composer button[data-mode=note]")
    assert page.input_value("#note") == "Half written"
    page.click("#note-form button")
    page.wait_for_selector("#related .rel:has-text('Half written')")
    # a link, a share and a file
    page.click("[data-open=add-link]")
    page.select_option("#link-kind", label="Has the duplicate")
    page.fill("#link-other", "atelier")
    page.click("#link-other-o [role=option]")
    page.click("#add-link .btn-primary")
    page.wait_for_selector("#card-links h3:has-text('Has the duplicate') + .item:has-text('Atelier Lumière')")
    page.click("[data-open=add-share]")
    page.fill("#share-with", "super")
    page.click("#share-with-o [role=option]")
    page.click("#add-share .btn-primary")
    page.wait_for_selector("#card-access li:has-text('Super Admin Tester'):has-text('View')")
    file = tmp_path / "offer.txt"
    file.write_text("An offer")
    page.set_input_files("#add-file", file)
    page.wait_for_selector("#card-files .item:has-text('offer.txt')")
    # what was changed is undone, unless it was changed again
    page.goto(f"{reader.address}/crm/contacts/1?tab=changes")
    page.hover("#changes li:has-text('Job title')")
    page.click("#changes li:has-text('Job title') .take-back button")
    page.wait_for_selector(".toast-g:has-text('undone')")
    page.wait_for_load_state()
    assert "Analyst" not in page.inner_text("#facts")
    page.hover("#changes > li:has(ins:text-is('Analyst'))")
    page.click("#changes > li:has(ins:text-is('Analyst')) .take-back button")
    page.wait_for_selector(".toast-g.error:has-text('changed again since')")
    assert unexpected(reader) == []


def test_what_others_do_is_told_and_nothing_typed_is_lost(crm: Crm, people: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/contacts/1")
    page.click("#fact-first_name dd")
    page.wait_for_selector("#f-first_name:focus")
    page.keyboard.type("Augusta")
    with page.expect_response(re.compile("/news")):
        page.evaluate("document.dispatchEvent(new Event('giga:news'))")
    assert page.inner_text("#news") == ""
    with crm.system("somebody else") as ctx:
        records.update(ctx, "crm.contact", 1, {"first_name": "Anne"})
    page.evaluate("document.dispatchEvent(new Event('giga:news'))")
    page.wait_for_selector("#news:has-text('changed this record')")
    assert page.input_value("#f-first_name") == "Augusta"
    page.keyboard.press("Enter")
    page.wait_for_selector("#fact-first_name .problem:has-text('Somebody else')")
    assert "Anne" in page.inner_text("#fact-first_name")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Augusta')")
    assert unexpected(reader) == []


@pytest.mark.slow
def test_an_ended_session_keeps_a_note_and_a_fact_half_written(crm: Crm, people: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/contacts/1")
    page.fill("#note", "Half written")
    page.click("#fact-last_name dd")
    page.wait_for_selector("#f-last_name:focus")
    page.keyboard.type("Byron")
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    page.fill("#email", "super_admin.en@example.test")
    page.fill("#password", PASSWORD)
    page.click("main .btn-primary")
    page.wait_for_function("() => document.querySelector('#f-last_name')?.value === 'Byron'")
    assert page.input_value("#note") == "Half written"
    page.press("#f-last_name", "Enter")
    page.wait_for_selector("h1:has-text('Ada Byron')")


def unexpected(reader: Any) -> list[str]:
    """What the browser complains about, besides answers that refuse something."""
    return [told for told in reader.complaints if not re.search("status of 4(09|12|22)", told)]
