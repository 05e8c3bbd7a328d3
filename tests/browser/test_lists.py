"""A salesperson's morning in lists and on the board: build a filter, keep it, change many records, move cards."""

from __future__ import annotations

from typing import Any

import pytest

from gigacore import Crm, records
from tests.pages.conftest import PASSWORD


def test_a_filter_is_built_kept_and_all_that_it_finds_are_changed(crm: Crm, leads: None, open_browser: Any) -> None:
    with crm.system("more") as ctx:
        rows = [{"last_name": f"Extra {n:03}", "status": "new", "city": "Lyon"} for n in range(130)]
        made = records.create_many(ctx, "crm.lead", rows)
        records.run_action(ctx, "crm.lead", made[0].id, "won", {})  # type: ignore[union-attr]
    reader = open_browser()
    page = reader.go("/crm/leads")
    page.click(".btn.dashed")
    page.click("#filter-box .advanced")
    page.select_option("[name='n.0.0.f0']", "city")
    page.wait_for_selector("[name='n.0.0.op']")
    page.fill("[name='n.0.0.v']", "lyo")
    page.select_option("[name='n.0.m']", "any")
    page.click("button[value='add:0']")
    page.wait_for_selector("[name='n.0.1.f0']")
    page.select_option("[name='n.0.1.f0']", "amount")
    page.wait_for_selector("[name='n.0.1.op']")
    page.select_option("[name='n.0.1.op']", "ge")
    page.wait_for_selector("[name='n.0.1.v']")
    page.fill("[name='n.0.1.v']", "lots")
    page.click(".form-foot button[value=apply]")
    page.wait_for_selector(".cond.faulty .problem:has-text('number')")
    page.fill("[name='n.0.1.v']", "5800")
    page.keyboard.press("Enter")
    page.wait_for_selector("#count:text-is('132')")
    page.click(".view-row > .btn")
    page.fill("#vb-name", "Lyon or big")
    page.keyboard.press("Enter")
    page.wait_for_selector(".views a[aria-current]:has-text('Lyon or big')")
    page.check("thead .c input")
    page.click("[data-whole]")
    page.wait_for_selector(".selbar strong:has-text('132')")
    page.click(".selbar [value=assign]")
    with page.expect_response(lambda answer: "q=super" in answer.url):
        page.fill("#f-owner_id", "super")
    page.click(".pick [role=option]:has-text('Super Admin Tester')")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("#job")
    crm.jobs.run_pending()
    page.wait_for_selector("#job:has-text('131 changed. 1 left as it was.')")
    page.wait_for_selector("#job a:has-text('Extra 000')")
    page.wait_for_selector(".views a[aria-current]:has-text('Lyon or big')")
    page.wait_for_url(lambda url: "job=" not in url)
    page.wait_for_selector(".tbl tbody tr:nth-child(1) .who:text-is('Super Admin Tester')")
    assert {"422" in told for told in reader.complaints} == {True}  # the browser tells of the amount that was none


def test_a_row_has_a_menu_and_a_list_other_shapes(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads")
    page.wait_for_selector(".dots", state="attached")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+F10")
    page.wait_for_selector("#row-menu form button:has-text('Mark as lost')")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.closest('tr')?.rowIndex === 2")
    page.click(".tbl tbody tr >> nth=3", button="right")
    page.click("#row-menu button:has-text('Close as won')")
    page.wait_for_selector(".tbl tbody tr:nth-child(4):has-text('Won (closed)')")
    page.click(".seg a[title='Cards']")
    page.wait_for_selector(".gcard")
    page.wait_for_load_state()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.wait_for_selector(".selbar strong:has-text('1 selected')")
    page.click(".seg a[title='By status']")
    page.wait_for_selector("tr.group:has-text('Qualified')")
    assert reader.complaints == []


def test_cards_move_by_keyboard_and_refused_ones_return_with_the_reason(leads: None, open_browser: Any) -> None:
    from playwright.sync_api import expect

    reader = open_browser()
    page = reader.go("/crm/leads/board")
    lane = ".lane[data-key={}]".format
    page.focus(f"{lane('contacted')} .kcard a")
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Alt+ArrowRight")
    page.wait_for_selector(f"{lane('follow_up')} .kcard:has-text('{name}')")
    page.wait_for_function("name => document.activeElement.textContent === name", arg=name)
    page.click(f"{lane('follow_up')} .move")
    page.click("#move-menu button[value=lost]")
    page.select_option("#ask-lost select", "price")
    page.click("#ask-lost button[value=move]")
    page.wait_for_selector(f"{lane('lost')} .kcard:has-text('{name}')")
    page.focus(f"{lane('lost')} .kcard a")
    page.keyboard.press("Alt+ArrowLeft")
    page.wait_for_selector(".toast-g.error:has-text('Reopen it')")
    page.wait_for_selector(f"{lane('lost')} .kcard:has-text('{name}')")
    page.click(f"{lane('new')} .move")
    page.click("#move-menu button[value=lost]")
    page.click("#ask-lost button[value=cancel]")
    expect(page.locator(f"{lane('lost')} .kcard")).to_have_count(1)
    page.wait_for_function("() => !!document.querySelector('.cards-list').sorted")
    card = page.locator(f"{lane('contacted')} .kcard").first
    dragged = card.locator("a").inner_text()
    card.drag_to(page.locator(f"{lane('to_contact')} .cards-list"))
    page.wait_for_selector(f"{lane('to_contact')} .kcard:has-text('{dragged}')")
    page.wait_for_selector(f"{lane('to_contact')} .count:text-is('1')")
    assert reader.complaints == ["Failed to load resource: the server responded with a status of 409 (CONFLICT)"]


@pytest.mark.slow
def test_an_ended_session_keeps_a_cell_half_written(crm: Crm, leads: None, open_browser: Any) -> None:
    page = open_browser().go("/crm/leads?fields=company_name&sort=last_name&q=number")
    cell = ".tbl tbody tr:nth-child(1) td:nth-child(3)"
    page.dblclick(cell)
    page.fill(".cell-form input[name=company_name]", "Nord")
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    page.fill("#email", "super_admin.en@example.test")
    page.fill("#password", PASSWORD)
    page.click("main .btn-primary")
    page.wait_for_function("() => document.querySelector('.cell-form [name=company_name]')?.value === 'Nord'")
    page.press(".cell-form [name=company_name]", "Enter")
    page.wait_for_selector(f"{cell}:has-text('Nord')")


def test_cells_are_edited_by_keyboard_with_faults_beside_them(crm: Crm, leads: None, open_browser: Any) -> None:
    from playwright.sync_api import expect

    reader = open_browser()
    page = reader.go("/crm/leads?fields=company_name,amount,priority&sort=last_name&q=number")
    cell = ".tbl tbody tr:nth-child({}) td:nth-child({})".format
    page.dblclick(cell(1, 3))
    page.wait_for_selector(".cell-form input[name=company_name]:focus")
    page.keyboard.type("Nord")
    page.keyboard.press("Tab")
    page.wait_for_selector(".cell-form input[name=amount]:focus")
    expect(page.locator(cell(1, 3))).to_have_text("Nord")
    page.keyboard.type("much")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell-form .problem:has-text('number')")
    page.fill(".cell-form input[name=amount]", "77")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{cell(2, 4)}:focus")
    expect(page.locator(cell(1, 4))).to_contain_text("77.00")
    page.keyboard.press("F2")
    page.wait_for_selector(".cell-form input:focus")
    page.keyboard.type("12")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{cell(2, 4)}:focus")
    expect(page.locator(cell(2, 4))).not_to_contain_text("12")
    with crm.system("meanwhile") as ctx:
        records.update(ctx, "crm.lead", 2, {"company_name": "Theirs"})
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell-form input[name=company_name]:focus")
    with crm.system("meanwhile") as ctx:
        records.update(ctx, "crm.lead", 2, {"company_name": "Theirs again"})
    page.keyboard.type("Mine")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell-form:has-text('Theirs again')")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{cell(3, 3)}:focus")
    expect(page.locator(cell(2, 3))).to_have_text("Mine")
    assert page.url.endswith("q=number")
