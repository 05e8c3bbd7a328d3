"""A rule by hand, start to end: the welcome mail built, tried on the past, switched on, sent, logged, told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gigacore import Crm, records
from gigacore.access import tokens, users
from gigacore.mail import FileSender


def test_the_welcome_mail_is_built_tried_switched_on_and_sent(crm: Crm, open_browser: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    crm.mail_sender = FileSender(tmp_path)
    lead = {"last_name": "Durand", "email": "durand@example.org"}
    with crm.system("past") as ctx:
        past = records.create(ctx, "crm.lead", lead | {"visibility": "write"}).id
    reader = open_browser()
    page = reader.go("/automations")
    page.click(".page-head >> text=Create automation")
    page.fill("#rule-name", "Welcome")
    page.select_option("#entity", "crm.lead")
    page.wait_for_selector("h2:text('And if')")
    page.select_option("#trigger", "core.created")
    page.wait_for_selector("#rule-said .sentence:text('when one is created')")
    page.wait_for_load_state("networkidle")
    page.select_option("#s-new", "core.send_mail")
    page.click("button:text('Add step')")
    page.wait_for_function("() => document.activeElement.name?.startsWith('s.0.p.')")  # one goes on in the new step
    assert "Send the mail" in page.inner_text("#heard")
    page.fill("[name='s.0.p.subject']", "Welcome")
    page.fill("[name='s.0.p.text']", "Hello {{ record.last_name")
    page.press("[name='s.0.p.text']", "Tab")
    page.wait_for_selector("#p-s-0-p-text:not(:empty)")
    page.fill("[name='s.0.p.text']", "Hello {{ record.last_name }}")
    page.press("[name='s.0.p.text']", "Tab")
    page.wait_for_selector("#rule-said :text('Everything is there.')")
    assert page.input_value("#rule-name") == "Welcome"
    page.click("text=Try on the past month")
    page.wait_for_selector("#trial >> text=1 of 1 events")
    page.wait_for_function("document.activeElement.id === 'do-past'")  # the keyboard goes on from there
    assert page.get_attribute("#trial .hits a", "href") == f"/crm/leads/{past}"
    page.wait_for_function("() => document.querySelector('#trial').getBoundingClientRect().bottom <= innerHeight")
    assert reader.serious_faults() == []
    page.click("text=Save and switch on")
    page.wait_for_url(f"{reader.address}/automations")
    with crm.system("token") as ctx:
        (number,) = (user.id for user in users.all_users(ctx) if user.email.startswith("super_admin"))
        token = tokens.create(ctx, number, "test")
    bearer = {"Authorization": f"Bearer {token}"}
    sent = page.request.post(f"{reader.address}/api/v1/crm/leads", data=lead | {"last_name": "Weber"}, headers=bearer)
    created = sent.json()["id"]
    crm.jobs.run_pending()
    (mail,) = tmp_path.rglob("*.eml")
    assert "Hello Weber" in mail.read_text("utf-8")
    page = reader.go("/automations/log")
    page.click("tbody th a")
    page.wait_for_selector("text=Why it started")
    expect(page.locator(".did").first).to_have_text(re.compile(r"\s*Send a mail"))
    page = reader.go(f"/crm/leads/{created}")
    page.wait_for_selector(".timeline >> text=sent a mail to durand@example.org")
    page.click(".timeline >> text=Welcome >> nth=0")
    assert reader.complaints == []
    small = open_browser("admin", "fr", width=360, dark=True)
    for path in (
        "/automations", "/automations/1", "/automations/log", "/automations/runs/1",
        "/automations/new?ready=crm.follow_up", f"/crm/leads/{created}",
    ):  # fmt: skip
        page = small.go(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert small.serious_faults() == [], path
