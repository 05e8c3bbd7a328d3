"""The board under a finger: a card is held, carried and dropped; a swipe scrolls; a drop zone asks for the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gigacore import Crm, records

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

pytestmark = pytest.mark.slow

LANE = ".lane[data-key={}]"
PATIENCE_MS = 30_000
STEP_MS = 50


class Finger:
    """Touches of one finger, sent as the browser gets them from a screen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    def down(self, x: float, y: float) -> None:
        self._send("touchStart", (x, y))

    def glide(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12, pause: int = 20) -> None:
        for step in range(1, steps + 1):
            part = step / steps
            self._send("touchMove", *[(start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)])
            self.page.wait_for_timeout(pause)

    def up(self) -> None:
        self._send("touchEnd")


@pytest.fixture
def phone(leads: None, open_browser: Any) -> tuple[Page, Finger]:
    page: Page = open_browser(width=360, touch=True).go("/crm/leads/board")
    until(page, "document.querySelector('.cards-list').sorted")
    page.locator(".board").scroll_into_view_if_needed()
    return page, Finger(page)


def until(page: Page, condition: str) -> None:
    """Wait for a condition of the page, whose policy forbids scripts to be compiled there."""
    for _ in range(PATIENCE_MS // STEP_MS):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(STEP_MS)
    raise AssertionError(condition)


def centre(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def carried(page: Page, finger: Finger) -> str:
    """Hold the first card until it comes along; gives its title."""
    start = centre(page, ".kcard")
    finger.down(*start)
    page.wait_for_selector(".kcard.sortable-chosen")
    finger.glide(start, (start[0] + 20, start[1] + 10), 4)
    page.wait_for_selector(".board.dragging")
    return str(page.inner_text(".kcard.sortable-ghost > a"))


def test_a_held_card_is_carried_over_the_edge_into_another_column(phone: tuple[Page, Finger]) -> None:
    page, finger = phone
    name = carried(page, finger)
    start = centre(page, ".kcard")
    finger.glide(start, (350, start[1]), 8)
    until(page, "document.querySelector('.board').scrollLeft > 250")
    finger.glide((350, start[1]), (180, start[1]), 8)
    page.wait_for_selector(".lane:not([data-key=new]) .kcard.sortable-ghost")
    finger.up()
    page.wait_for_selector(f".lane:not([data-key=new]) .kcard:has-text('{name}')")
    page.wait_for_selector(f"{LANE.format('new')} .kcard:has-text('{name}')", state="detached")


def test_the_drop_zone_of_lost_asks_for_the_reason(phone: tuple[Page, Finger]) -> None:
    page, finger = phone
    name = carried(page, finger)
    zone = ".dropzone[data-kind=lost]"
    finger.glide(centre(page, ".kcard"), centre(page, zone))
    page.wait_for_selector(f"{zone}:has(.kcard)")
    finger.up()
    page.select_option("#ask-lost select", "price")
    page.tap("#ask-lost button[value=move]")
    page.wait_for_selector(f"{LANE.format('lost')} .kcard:has-text('{name}')")


def test_a_swipe_scrolls_the_board_and_moves_no_card(phone: tuple[Page, Finger], crm: Crm) -> None:
    page, finger = phone
    counts = page.locator(".lane .count").all_inner_texts()
    start = centre(page, ".kcard")
    finger.down(*start)
    finger.glide(start, (start[0] - 150, start[1]), 6, pause=10)
    finger.up()
    until(page, "document.querySelector('.board').scrollLeft > 60")
    assert page.locator(".board.dragging").count() == 0
    assert page.locator(".lane .count").all_inner_texts() == counts


def test_a_refused_card_goes_back_and_says_why(leads: None, crm: Crm, open_browser: Any) -> None:
    with crm.system("a lead is lost") as ctx:
        lead = records.create(
            ctx, "crm.lead", {"last_name": "Closed", "status": "lost", "lost_reason": "price", "visibility": "write"}
        )
    page: Page = open_browser("user", width=360, touch=True).go("/crm/leads/board")
    until(page, "document.querySelector('.cards-list').sorted")
    card = f"{LANE.format('lost')} .kcard[data-id='{lead.id}']"
    page.locator(card).scroll_into_view_if_needed()
    finger = Finger(page)
    start, before = centre(page, card), page.inner_text(f"{LANE.format('lost')} .count")
    finger.down(*start)
    page.wait_for_selector(".kcard.sortable-chosen")
    finger.glide(start, (start[0] - 20, start[1] + 10), 4)
    page.wait_for_selector(".board.dragging")
    scrolled = page.evaluate("document.querySelector('.board').scrollLeft")
    finger.glide(start, (12, start[1]), 8)
    until(page, f"document.querySelector('.board').scrollLeft < {scrolled} - 250")
    finger.glide((12, start[1]), (180, start[1]), 8)
    page.wait_for_selector(f".lane:not([data-key=lost]) .kcard[data-id='{lead.id}']")
    finger.up()
    page.wait_for_selector(".toast-g.error:has-text('Reopen it')")
    page.wait_for_selector(card, state="attached")
    assert page.locator(".board.dragging").count() == 0
    assert page.inner_text(f"{LANE.format('lost')} .count") == before
    with crm.system("look") as ctx:
        assert records.get(ctx, "crm.lead", lead.id)["status"] == "lost"
