"""A salesperson's morning in lists and on the board: build a filter, keep it, change many records, move cards."""

from __future__ import annotations

from typing import Any

import pytest

from gigacore import Crm, records


@pytest.fixture
def working(crm: Crm) -> Any:
    """Jobs run in this process, as they do in a small installation."""
    crm.jobs.start("embedded", threads=1)
    yield
    crm.jobs.stop()


def test_a_filter_is_built_kept_and_all_that_it_finds_are_changed(
    crm: Crm, working: None, leads: None, open_browser: Any
) -> None:
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
    assert page.inner_text(".selbar strong").startswith("132")
    page.click(".selbar [value=add]")
    page.fill("[name='tags.new']", "morning")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("#job:has-text('131 changed. 1 left as they were.')")
    assert page.is_visible("#job a:has-text('Extra 000')")
    page.wait_for_selector(".views a[aria-current]:has-text('Lyon or big')")
    assert "job=" not in page.url
    assert reader.complaints == []


def test_a_row_has_a_menu_and_a_list_other_shapes(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads")
    page.wait_for_selector(".dots", state="attached")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+F10")
    page.wait_for_selector("#row-menu form button:has-text('Mark as lost')")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    page.click(".tbl tbody tr >> nth=3", button="right")
    page.click("#row-menu button:has-text('Won (closed)')")
    page.wait_for_selector(".tbl tbody tr >> nth=3 >> text=Won (closed)")
    page.click(".seg a[title='Cards']")
    page.wait_for_selector(".gcard")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.inner_text(".selbar strong").startswith("1")
    page.click(".seg a[title='By status']")
    page.wait_for_selector("tr.group:has-text('Qualified')")
    assert reader.complaints == []


def test_cards_move_by_keyboard_and_refused_ones_return_with_the_reason(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads/board")
    lane = ".lane[data-key={}]".format
    page.focus(f"{lane('contacted')} .kcard a")
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Alt+ArrowRight")
    page.wait_for_selector(f"{lane('follow_up')} .kcard:has-text('{name}')")
    assert page.evaluate("document.activeElement.textContent") == name
    page.click(f"{lane('follow_up')} .move")
    page.click("#move-menu button[value=lost]")
    page.select_option("#ask-lost select", "price")
    page.click("#ask-lost button[value=move]")
    page.wait_for_selector(f"{lane('lost')} .kcard:has-text('{name}')")
    page.focus(f"{lane('lost')} .kcard a")
    page.keyboard.press("Alt+ArrowLeft")
    page.wait_for_selector(".toast-g.error:has-text('Reopen it')")
    assert page.is_visible(f"{lane('lost')} .kcard:has-text('{name}')")
    first = page.locator(f"{lane('new')} .kcard").first
    first.drag_to(page.locator(f"{lane('lost')} .cards-list"))
    page.click("#ask-lost button[value=cancel]")
    assert page.locator(f"{lane('lost')} .kcard").count() == 1
    assert reader.complaints == ["Failed to load resource: the server responded with a status of 409 (CONFLICT)"]
