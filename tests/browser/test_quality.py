"""Every page: no serious fault of accessibility, no complaint of the browser, nothing wider than a phone."""

from __future__ import annotations

from typing import Any

import pytest

from gigacore import Crm

pytestmark = pytest.mark.slow

PATHS = (
    "/", "/crm/leads", "/crm/leads/board", "/crm/leads/1", "/crm/leads/1?tab=changes", "/crm/leads/1/edit",
    "/crm/leads/new", "/crm/contacts/new", "/crm/leads/filter?field=status", "/crm/leads?as=cards",
    "/crm/leads?as=status", "/crm/leads/views", "/crm/leads/builder?status=new", "/crm/leads/columns",
    "/crm/leads/import", "/search?q=amelie",
    "/settings", "/settings/company", "/settings/general", "/settings/currencies", "/settings/fields",
    "/settings/fields/crm.lead/new", "/settings/lists", "/settings/lists/crm.lead_status", "/settings/pipelines",
    "/settings/users", "/settings/users/new", "/settings/users/1", "/settings/users/1/rights", "/settings/teams",
    "/settings/teams/new", "/settings/roles", "/settings/roles/manager", "/settings/plugins", "/trash",
    "/crm/leads?q=nothing-at-all", "/nothing", "/automations", "/automations/new", "/notifications", "/settings/jobs",
    "/settings/jobs/schedules", "/settings/jobs/schedules/1/edit", "/settings/backups", "/settings/templates",
    "/settings/mails", "/settings/webhooks", "/settings/incoming", "/crm/leads/1/around",
)  # fmt: skip


@pytest.mark.parametrize(("locale", "dark", "width"), [("en", False, 1440), ("fr", False, 768), ("fr", True, 360)])
def test_no_page_has_a_serious_fault(
    crm: Crm, leads: None, open_browser: Any, locale: str, dark: bool, width: int
) -> None:
    crm.jobs.worker.prepare()
    reader = open_browser(locale=locale, dark=dark, width=width, policy=False)
    faults = {}
    for path in PATHS:
        page = reader.go(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found = reader.serious_faults() + ([f"{wide} px wider than the window"] if wide > 0 else [])
        if found:
            faults[path] = found
    assert faults == {}


def test_no_page_breaks_the_policy_or_complains(crm: Crm, leads: None, open_browser: Any) -> None:
    crm.jobs.worker.prepare()
    reader = open_browser()
    for path in PATHS:
        if path != "/nothing":
            reader.go(path).wait_for_load_state("networkidle")
    assert reader.complaints == []


def test_the_sign_in_page_has_no_serious_fault(open_browser: Any) -> None:
    reader = open_browser(policy=False)
    reader.page.context.clear_cookies()
    reader.go("/sign-in")
    assert reader.serious_faults() == []
