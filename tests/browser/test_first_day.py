"""A salesperson's day: find, filter, open, edit, note, task, select; by mouse and by keyboard alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gigacore import Crm


def test_search_filter_open_edit_and_delete_with_undo(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads")
    page.fill("#q", "amelie 08")
    page.wait_for_selector("#count:text-is('1')")
    page.wait_for_url(re.compile("q=amelie"))
    page.click(".btn.dashed")
    page.click("#filter-box a:has-text('Status')")
    page.check("#filter-box label:has-text('Qualified') input")
    page.click("#filter-box button")
    page.wait_for_selector(".chip:has-text('Qualified')")
    page.click(".tbl tbody tr >> nth=0 >> td >> nth=3")
    page.wait_for_selector("h1:has-text('Number')")
    page.click("[data-key=e]")
    page.fill("#f-last_name", "Renamed")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("h1:has-text('Renamed')")
    page.wait_for_selector(".toast-g:has-text('Saved')")
    page.click("[popovertarget=m-rec]")
    page.click("#m-rec .danger")
    page.click(".toast-g button:has-text('Undo')")
    page.wait_for_selector("h1:has-text('Renamed')")
    assert reader.complaints == []


def test_everything_by_keyboard(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads")
    for key in ("ArrowDown", "ArrowDown", "x"):
        page.keyboard.press(key)
    page.wait_for_selector(".selbar strong:has-text('1 selected')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rec-head")
    page.wait_for_load_state()
    page.keyboard.press("e")
    page.wait_for_selector("#f-last_name")
    page.wait_for_load_state()
    page.focus("#f-last_name")
    page.keyboard.press("End")
    page.keyboard.type(" Junior")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("h1:has-text('Junior')")
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.type("junior")
    page.wait_for_selector(".find-hits a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Junior')")
    page.wait_for_load_state()
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts")
    assert reader.complaints == []


def test_a_contact_with_rows_and_a_picked_company(open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/companies/new")
    page.fill("#f-name", "Atelier Lumière")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector(".rec-head")
    page.goto(f"{reader.address}/crm/contacts/new")
    page.fill("#f-first_name", "Ada")
    page.fill("#f-last_name", "Lovelace")
    with page.expect_response(lambda answer: "q=ateli" in answer.url):
        page.fill("#f-company_id", "ateli")
    page.wait_for_selector(".pick [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#f-company_id').value === 'Atelier Lumière'")
    for address in ("one@example.test", "two@example.test"):
        page.click(".rows:has([name='_add'][value=emails]) [data-add]")
        page.keyboard.type(address)
    page.click(".row-item >> nth=0 >> [data-remove]")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector(".rec-head")
    page.wait_for_load_state()
    text = page.inner_text("main")
    assert "two@example.test" in text
    assert "one@example.test" not in text
    assert "Atelier Lumière" in text
    assert reader.complaints == []


def test_the_selection_is_changed_in_bulk(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads")
    page.check("thead input")
    page.click("[data-whole]")
    page.wait_for_selector(".selbar strong:has-text('60 selected')")
    page.click(".tbl tbody .dots >> nth=0", force=True)  # what a menu brings does not change what is said
    page.wait_for_selector("#row-menu form")
    page.keyboard.press("Escape")
    page.wait_for_selector(".selbar strong:has-text('60 selected')")
    page.click(".selbar button[value=change]")
    page.select_option("#f-field", "priority")
    page.click(".form-foot .btn-primary")
    page.select_option("#f-priority", "high")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector(".toast-g:has-text('60 changed')")
    assert reader.complaints == []


def test_a_file_is_imported(crm: Crm, open_browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("Prénom;Nom;E-mail\nZoé;Dupont;zoe@example.test\nLéo;Martin;leo@example.test\n", "utf-8")
    reader = open_browser(locale="fr")
    page = reader.go("/crm/leads/import")
    page.set_input_files("#file", str(file))
    assert page.inner_text("[data-file-name]") == "leads.csv · 1\u202fko"
    page.click(".form-foot .btn-primary")
    page.click("button[value=begin]")
    page.wait_for_selector("#progress")
    crm.jobs.run_pending()
    page.wait_for_selector("text=L’import est terminé")
    page.click("text=Afficher la liste")
    page.wait_for_selector(".tbl:has-text('Zoé Dupont')")
    assert reader.complaints == []


def test_an_administrator_adds_a_field_and_filters_by_it(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/settings/fields")
    page.click("a[href='/settings/fields/crm.lead/new']")
    page.fill("#f-label", "Region")
    page.check("#f-listed")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("li strong:has-text('Region')")
    page.goto(f"{reader.address}/crm/leads/1/edit")
    page.fill("#f-x_region", "Bretagne")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector(".facts:has-text('Bretagne')")
    page.goto(f"{reader.address}/crm/leads/filter?apply=1&field=x_region&op=contains&value=bret")
    assert page.locator(".tbl tbody tr").count() == 1
    assert reader.complaints == []


def test_looks_and_language_change_at_once_and_stay(open_browser: Any) -> None:
    reader = open_browser()
    page = reader.page
    page.click(".me")
    page.click("[data-set='theme=dark']")
    page.wait_for_selector("html[data-bs-theme=dark]")
    page.wait_for_load_state("networkidle")
    page.click("button:has-text('Français')")
    page.wait_for_selector("html[lang=fr][data-bs-theme=dark]")
    page.wait_for_selector("h1:has-text('Bonjour')")
    assert reader.complaints == []


def test_lists_and_forms_work_without_scripts(leads: None, open_browser: Any, chromium: Any) -> None:
    from playwright.sync_api import expect

    reader = open_browser()
    context = chromium.new_context(java_script_enabled=False, storage_state=reader.page.context.storage_state())
    page = context.new_page()
    page.goto(f"{reader.address}/crm/leads")
    page.click("a:has-text('Filter')")
    page.click("a:has-text('Status')")
    page.check("label:has-text('Qualified') input")
    page.click("text=Apply")
    expect(page.locator(".tbl tbody tr")).to_have_count(20)
    page.click(".tbl tbody th a >> nth=0")
    page.click("a:has-text('Edit')")
    page.fill("#f-last_name", "Plain")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("h1:has-text('Plain')")
    context.close()


def test_cards_are_moved_by_mouse_by_keyboard_and_by_menu(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads/board")
    page.wait_for_function("() => !!document.querySelector('.cards-list').sorted")
    card = page.locator("[data-key=new] .kcard >> nth=0")
    name = card.locator("a").inner_text()
    card.drag_to(page.locator("[data-key=to_contact] .cards-list"))
    page.wait_for_selector(f"[data-key=to_contact] .kcard:has-text('{name}')")
    page.wait_for_selector("[data-key=to_contact] .count:text-is('1')")
    page.focus(f".kcard:has-text('{name}') a")
    page.keyboard.press("Alt+ArrowRight")
    page.wait_for_selector(f"[data-key=contacted] .kcard:has-text('{name}')")
    page.hover(f".kcard:has-text('{name}')")
    page.click(f".kcard:has-text('{name}') .move")
    page.click("#move-menu button:has-text('Qualified')")
    page.wait_for_selector(f"[data-key=qualified] .kcard:has-text('{name}')")
    assert reader.complaints == []
