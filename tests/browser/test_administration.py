"""An administrator's morning in Chromium: a field, a list, a stage, a role, a team, a currency, a module."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gigacore import Crm, records

pytestmark = pytest.mark.slow


def test_an_administrators_morning(crm: Crm, open_browser: Any) -> None:
    from playwright.sync_api import expect

    reader = open_browser()
    page = reader.go("/settings")
    page.fill("#settings-q", "etapes")
    page.fill("#settings-q", "stages")
    expect(page.locator(".settings-cards li:visible")).to_have_count(1)
    page.click(".settings-cards li:visible a")
    page.wait_for_url("**/settings/pipelines")

    # A stage by keyboard alone: added, moved up, then dragged back down.
    page.click("summary:has-text('Add a stage')")
    page.fill("#snnew-1", "Demo")
    page.fill("#spnew-1", "40")
    page.press("#spnew-1", "Enter")
    stages = page.locator("#p1 .lines .pill")
    expect(stages).to_have_count(7)
    page.locator("#p1 .lines > li").last.get_by_label("Move up: Demo").focus()
    page.keyboard.press("Enter")
    expect(stages.nth(5)).to_have_text("Demo")
    page.wait_for_selector(".sortable-on .grip")
    page.locator("#p1 .grip").nth(0).drag_to(page.locator("#p1 .grip").nth(2))
    expect(stages.first).to_have_text("Qualified")
    assert "Prospect" in stages.all_text_contents()[1:3]

    # A field with a default, in forms at once.
    page = reader.go("/settings/fields/crm.lead/new")
    page.fill("#f-label", "Seats")
    page.select_option("#f-kind", "integer")
    page.fill("#f-default", "12")
    page.click(".form-foot .btn-primary")
    page.wait_for_url("**/settings/fields")
    assert reader.go("/crm/leads/new").input_value("[name=x_seats]") == "12"

    # A value of a list, merged into another one.
    with crm.system("test") as ctx:
        records.create(ctx, "crm.lead", {"last_name": "A", "tags": ["hot", "warm"]})
    crm.refresh()
    page = reader.go("/settings/lists/crm.tag")
    page.locator("button[popovertarget]", has_text="hot").click()
    page.select_option(".choice-edit:popover-open [name=into]", "warm")
    page.click(".choice-edit:popover-open [value=merge]")
    page.wait_for_selector("main li:has-text('(Leads): 1')")
    page.click("main .btn-danger")
    expect(page.locator("tbody .pill")).to_have_text(["warm"])

    # A role, a team, a person who gets a link, a currency with its rate.
    page = reader.go("/settings/roles/new?like=user")
    page.fill("#f-label", "Closer")
    page.click(".form-foot .btn-primary")
    page.wait_for_url("**/settings/roles/closer")
    page.select_option("[name='crm.lead:delete']", "none")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector("main li:has-text('Leads, Delete: own → none')")
    with page.expect_navigation():
        page.click("main .btn-danger")
    page.wait_for_selector(".toast-g:has-text('Saved')")
    assert page.input_value("[name='crm.lead:delete']") == "none"
    page = reader.go("/settings/teams/new")
    page.fill("#f-name", "North")
    with page.expect_navigation():
        page.click(".form-foot .btn-primary")
    page = reader.go("/settings/users/new")
    page.fill("#f-name", "Zoé")
    page.fill("#f-email", "zoe@example.test")
    page.check("[name=role][value=closer]")
    page.check("[name=teams][value='1']")
    page.click(".form-foot .btn-primary")
    expect(page.locator("#one-time")).to_have_value(re.compile("/password"))
    page = reader.go("/settings/currencies")
    page.fill("[name=rate]", "zero")
    page.click(".rate-form .btn-primary")
    page.wait_for_selector("#f-rate-p")
    page.fill("[name=rate]", "1.0832")
    page.click(".rate-form .btn-primary")
    page.wait_for_selector("th:has-text('1.0832')")

    page = reader.go("/settings/plugins")
    assert page.locator(".pill:has-text('On')").count() >= 1
    assert [text for text in reader.complaints if "422" not in text] == []
