"""The keyboard alone: a salesperson's and an administrator's main flows, without a mouse and without lost focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gigacore import Crm, Plugin, records
from tests.pages.conftest import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return (pytest.importorskip("gigacore_lead_scoring").plugin,)


@dataclass
class Hands:
    """Somebody who has no mouse. Each step presses keys; `reach` walks by Tab as far as the focus goes."""

    page: Any

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def stands_on(self, selector: str) -> bool:
        return bool(self.page.evaluate("s => !!document.activeElement?.matches(s)", selector))

    def reach(self, selector: str, *, back: bool = False, most: int = 120) -> None:
        """Tab until the focus stands on `selector`; a trap or an element that no key reaches fails."""
        self.page.wait_for_selector(selector, state="attached")
        self.page.wait_for_load_state()
        for _ in range(most):
            if self.stands_on(selector):
                return
            self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"no key leads to {selector}; the focus stands on {self.focus()!r}")

    def skip(self) -> None:
        """Back to the first stop of the page, which leads past the menus to its content."""
        self.reach(".skip", back=True)
        self.press("Enter")
        self.page.wait_for_selector("main:focus")

    def focus(self) -> str:
        """What has the focus; empty when it is lost."""
        return str(
            self.page.evaluate(
                "() => { const e = document.activeElement;"
                " return e && e !== document.body && e.checkVisibility() ? e.outerHTML.slice(0, 160) : '' }"
            )
        )

    def keeps_focus(self) -> None:
        """The focus was not lost by what a script drew anew."""
        self.page.wait_for_function("() => document.activeElement && document.activeElement !== document.body")

    def command(self, text: str, option: str) -> None:
        """Ctrl+K, some letters, and the option that carries `option`."""
        self.page.wait_for_load_state()
        self.press("Control+k")
        self.page.wait_for_selector("#palette[open] #palette-q:focus")
        self.type(text)
        self.page.wait_for_selector(f"#palette-hits [role=option]:has-text('{option}')")
        for _ in range(20):
            if option in (self.page.text_content("#palette-hits [aria-selected=true]") or ""):
                break
            self.press("ArrowDown")
        self.press("Enter")


def sign_in(reader: Any, email: str) -> Hands:
    reader.page.context.clear_cookies()
    page = reader.go("/sign-in")
    hands = Hands(page)
    hands.reach("#email", most=5)
    hands.type(email)
    hands.press("Tab")
    hands.reach("#password", most=3)
    hands.type(PASSWORD)
    hands.press("Enter")
    page.wait_for_url(f"{reader.address}/")
    return hands


def test_a_salespersons_day_by_keys_alone(crm: Crm, leads: None, open_browser: Any) -> None:
    reader = open_browser()
    hands = sign_in(reader, "super_admin.en@example.test")
    page = reader.page
    # found by the palette, edited where it stands
    hands.command("Number 08", "Number 08")
    page.wait_for_selector(".rec-head h1:has-text('Number 08')")
    hands.reach("#fact-last_name .pen")
    hands.press("Enter")
    page.wait_for_selector("#f-last_name:focus")
    hands.type("Renamed")
    hands.press("Enter")
    page.wait_for_selector("#fact-last_name .pen:focus")
    page.wait_for_selector("h1:has-text('Renamed')")
    # a note, and a task that is ticked off
    hands.reach("#note")
    hands.type("Called, wants an offer")
    hands.press("Control+Enter")
    page.wait_for_selector(".timeline li:has-text('wants an offer')")
    hands.keeps_focus()
    hands.reach(".composer button[data-mode=task]", back=True, most=20)
    hands.press("Enter")
    hands.type("Send the offer")
    hands.press("Enter")
    page.wait_for_selector(".todo:has-text('Send the offer')")
    hands.keeps_focus()
    hands.reach(".todo .tick")
    hands.press("Enter")
    page.wait_for_selector(".timeline li:has-text('Send the offer')")
    hands.keeps_focus()
    # a lead in the sheet; Escape keeps what was typed
    hands.skip()
    hands.press("n")
    page.wait_for_selector("dialog.side-sheet #f-first_name:focus")
    hands.reach("dialog #f-last_name", most=4)
    hands.type("Sheet")
    hands.press("Escape")
    page.wait_for_selector("dialog.side-sheet", state="detached")
    hands.keeps_focus()
    hands.press("n")
    page.wait_for_selector("dialog.side-sheet")
    page.wait_for_function("() => document.querySelector('dialog #f-last_name')?.value === 'Sheet'")
    hands.press("Control+Enter")
    page.wait_for_selector(".rec-head h1:has-text('Sheet')")
    # the board
    hands.command("leads", "Leads")
    page.wait_for_selector("#rows .tbl")
    hands.reach(".right .seg a[href$='/board']")
    hands.press("Enter")
    page.wait_for_selector(".board")
    hands.reach("[data-key=new] .kcard a")
    name = page.evaluate("document.activeElement.textContent")
    hands.press("Alt+ArrowRight")
    page.wait_for_selector(f"[data-key=to_contact] .kcard:has-text('{name}') a:focus")
    # a filter, and some of what it finds assigned
    hands.command("leads", "Leads")
    page.wait_for_selector("#rows .tbl")
    hands.reach(".btn.dashed")
    hands.press("Enter")
    page.wait_for_selector("#filter-box a:has-text('Status')")
    hands.reach("#filter-box a[href*='field=status']", most=60)
    hands.press("Enter")
    page.wait_for_selector("#filter-box input[value=qualified]")
    hands.reach("#filter-box input[value=qualified]", most=20)
    hands.press("Space", "Enter")
    page.wait_for_selector(".chip:has-text('Qualified')")
    page.wait_for_load_state()
    hands.press("ArrowDown", "x", "ArrowDown", "x")
    page.wait_for_selector(".selbar strong:has-text('2 selected')")
    hands.reach(".selbar button[value=assign]", most=200)
    hands.press("Enter")
    page.wait_for_selector(".form-foot .btn-primary")
    hands.reach("main [role=combobox]", most=30)
    hands.type("Super")
    page.wait_for_selector("[role=option]")
    hands.press("ArrowDown", "Enter")
    hands.reach(".form-foot .btn-primary", most=20)
    hands.press("Enter")
    page.wait_for_selector(".toast-g:has-text('2 ')")
    # out
    hands.reach(".me", back=True)
    hands.press("Enter")
    page.wait_for_selector("#m-me:popover-open")
    hands.reach("#m-me form[action='/sign-out'] button", most=20)
    hands.press("Enter")
    page.wait_for_selector("#password")
    assert [told for told in reader.complaints if "401" not in told] == []
    with crm.system("look") as ctx:
        found = records.page(ctx, "crm.lead", records.ListRequest(search="Sheet", fields=("id",)))
    assert len(found.items) == 1


def test_an_administrators_morning_by_keys_alone(crm: Crm, open_browser: Any) -> None:
    reader = open_browser()
    hands = sign_in(reader, "super_admin.en@example.test")
    page = reader.page
    # a field
    hands.command("custom", "Custom fields")
    page.wait_for_url("**/settings/fields")
    hands.reach("a[href='/settings/fields/crm.lead/new']")
    hands.press("Enter")
    page.wait_for_selector("#f-label")
    hands.reach("#f-label")
    hands.type("Region")
    hands.press("Control+Enter")
    page.wait_for_selector("li strong:has-text('Region')")
    # a value of a list, moved up
    hands.command("choice", "Choice lists")
    page.wait_for_url("**/settings/lists")
    hands.reach("main a[href='/settings/lists/crm.lead_status']")
    hands.press("Enter")
    page.wait_for_selector(".add-row [name=label]")
    hands.reach(".add-row [name=label]", most=200)
    hands.type("Dormant")
    hands.press("Enter")
    page.wait_for_selector("tbody .pill:has-text('Dormant')")
    hands.reach("[aria-label='Move up: Dormant']", most=200)
    hands.press("Enter")
    page.wait_for_selector("tbody tr:last-child .pill:not(:has-text('Dormant'))")
    # a stage
    hands.command("pipelines", "Pipelines")
    page.wait_for_url("**/settings/pipelines")
    hands.reach("summary", most=200)
    hands.press("Enter")
    hands.reach("#snnew-1", most=10)
    hands.type("Demo")
    hands.press("Enter")
    page.wait_for_selector("#p1 .pill:has-text('Demo')")
    # a role
    hands.command("roles", "Roles")
    page.wait_for_url("**/settings/roles")
    hands.reach("main a[href^='/settings/roles/new']", most=60)
    hands.press("Enter")
    page.wait_for_selector("#f-label")
    hands.reach("#f-label")
    hands.type("Closer")
    hands.press("Control+Enter")
    page.wait_for_url("**/settings/roles/closer")
    hands.reach("select[name='crm.lead:delete']", most=200)
    hands.type("no")
    hands.press("Control+Enter")
    page.wait_for_selector("main li:has-text('Leads, Delete')")
    hands.reach("main form .btn-danger", most=80)
    hands.press("Enter")
    page.wait_for_selector(".toast-g:has-text('Saved')")
    # a plugin, off and on
    hands.command("plugins", "Plugins")
    page.wait_for_url("**/settings/plugins")
    for wish in ("disable", "enable"):
        hands.reach(f"main a[href='/settings/plugins/lead_scoring?wish={wish}']")
        hands.press("Enter")
        page.wait_for_selector("main form button")
        hands.reach("main form .btn-primary, main form .btn-danger", most=80)
        hands.press("Enter")
        page.wait_for_url("**/settings/plugins")
    assert [told for told in reader.complaints if "422" not in told] == []
