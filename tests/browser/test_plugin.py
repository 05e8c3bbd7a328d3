"""A plugin in the pages: its column, panel and settings are there while it is on, and gone while it is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gigacore import Crm, Plugin


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return (pytest.importorskip("gigacore_lead_scoring").plugin,)


def test_the_score_is_explained_and_its_weights_are_settings(crm: Crm, leads: None, open_browser: Any) -> None:
    reader = open_browser()
    crm.jobs.run_pending()
    page = reader.go("/crm/leads")
    assert page.is_visible("th:has-text('Score')")
    page.click(".tbl tbody th a >> nth=0")
    page.wait_for_selector(".card:has-text('Score') meter")
    page.wait_for_selector(".panel-lines li >> nth=5")
    page.goto(f"{reader.address}/settings/plugin/lead_scoring.weights")
    page.fill("#f-lead_scoring-weight_profile", "55")
    page.click(".form-foot .btn-primary")
    page.wait_for_selector(".toast-g")
    assert page.input_value("#f-lead_scoring-weight_profile") == "55"
    assert reader.complaints == []


def test_a_plugin_is_switched_off_and_on(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/settings/plugins")
    row = "tr:has-text('lead_scoring')"
    page.click(f"{row} >> a:has-text('Switch off')")
    page.wait_for_selector("text=rows of lead_scoring_lead_ext")
    page.click("button:has-text('Switch off')")
    page.wait_for_selector(f"{row} >> text=Off")
    page.goto(f"{reader.address}/crm/leads")
    assert not page.is_visible("th:has-text('Score')")
    page.goto(f"{reader.address}/settings/plugins")
    page.click(f"{row} >> a:has-text('Switch on')")
    page.click("button:has-text('Switch on')")
    page.wait_for_selector(f"{row} >> a:has-text('Switch off')")
    page.goto(f"{reader.address}/crm/leads")
    assert page.is_visible("th:has-text('Score')")
    assert reader.complaints == []
