"""What is awaited: skeletons for slow parts and pages, none for quick ones, and a page that did not come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.slow

SHOWN = ".skeleton.shown"


@contextmanager
def held(page: Page, url: str) -> Iterator[None]:
    """Requests get no answer within the block, and go on after it."""
    waiting: list[Route] = []
    page.route(url, lambda route: waiting.append(route))
    yield
    for route in waiting:
        route.continue_()
    page.unroute(url)


def test_slow_parts_and_pages_show_the_shape_of_what_comes(leads: None, open_browser: Any) -> None:
    reader = open_browser()
    page = reader.go("/crm/leads/1?tab=changes")
    page.wait_for_selector(".rel .drop-zone")
    # quick ones show none, for they are there before anybody could see it
    page.click("#facts .fact:has-text('Amount') .pen", force=True)
    page.wait_for_selector(".inline-form")
    page.wait_for_selector(SHOWN, state="detached")
    page.keyboard.press("Escape")
    page.wait_for_selector(".inline-form", state="detached")
    with held(page, "**/facts/**"):
        page.click("#facts .fact:has-text('First name') .pen", force=True)
        page.wait_for_selector(f".fact {SHOWN}")
    page.wait_for_selector(".inline-form")
    page.wait_for_selector(SHOWN, state="detached")
    # the palette
    page.keyboard.press("Escape")
    page.wait_for_selector(".inline-form", state="detached")
    with held(page, "**/search?q=**"):
        page.keyboard.press("Control+k")
        page.wait_for_selector(f"#palette-hits {SHOWN}")
    page.wait_for_selector("#palette-hits [role=option]")
    page.keyboard.press("Escape")
    # the next page; one that does not come gives way at the next touch
    page.route("**/crm/contacts", lambda route: route.fulfill(status=204))
    page.click(".side a[href='/crm/contacts']")
    page.wait_for_selector(f"#main > {SHOWN}")
    page.keyboard.press("Shift")
    page.wait_for_selector(SHOWN, state="detached")
    assert page.locator("#main h1").is_visible()
    assert reader.complaints == []
