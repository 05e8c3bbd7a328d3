"""The board: columns by status with their sums, moves, and refusals with their reason."""

from __future__ import annotations

import re
from typing import Any

from gigacore import Crm, records
from tests.pages.conftest import Visitor

FETCH = {"HX-Request": "true"}


def lanes(page: str) -> dict[str, list[str]]:
    """Titles of the cards by the label of their column."""
    found = {}
    for part in page.split('<section class="lane"')[1:]:
        label = re.search(r'<span class="pill [^"]+">([^<]+)<', part)
        assert label
        found[label[1]] = re.findall(r'<li class="kcard"[^>]*><a [^>]+>([^<]+)</a>', part)
    return found


def test_leads_stand_in_their_status_with_sums(crm: Crm, visit: Any) -> None:
    with crm.system("leads") as ctx:
        for name, status, amount in (("Un", "new", "100"), ("Deux", "new", "50.50"), ("Trois", "qualified", "7")):
            money = {"amount": amount, "currency": "EUR"}
            records.create(
                ctx, "crm.lead", {"last_name": name, "status": status, "amount": money, "visibility": "read"}
            )
    page = visit("user", "fr").get("/crm/leads/board").get_data(as_text=True)
    assert sorted(lanes(page)["Nouveau"]) == ["Deux", "Un"]
    assert lanes(page)["Qualifié"] == ["Trois"]
    assert "150,50\u00a0€" in page


def test_a_card_is_moved_and_a_refused_one_says_why(crm: Crm, root: Visitor) -> None:
    root.post("/crm/leads/new", {"last_name": "Card", "status": "new"})
    assert root.post("/crm/leads/1/status", {"value": "won"}, **FETCH).status_code == 204
    refused = root.post("/crm/leads/1/status", {"value": "new"}, **FETCH)
    assert refused.status_code == 409
    assert "Reopen it" in refused.get_data(as_text=True)
    assert lanes(root.get("/crm/leads/board").get_data(as_text=True))["Won (closed)"] == ["Card"]


def test_stages_are_those_of_the_chosen_pipeline(crm: Crm, root: Visitor) -> None:
    with crm.system("pipeline") as ctx:
        own = records.create(ctx, "crm.pipeline", {"name": "Renewals", "position": 9}).id
        for place, name in enumerate(("Asked", "Signed")):
            records.create(ctx, "crm.stage", {"pipeline_id": own, "name": name, "position": place})
    assert list(lanes(root.get(f"/crm/opportunities/board?group={own}").get_data(as_text=True))) == ["Asked", "Signed"]


def test_an_entity_without_a_status_has_no_board(root: Visitor) -> None:
    assert root.get("/crm/contacts/board").status_code == 404
    assert "/crm/contacts/board" not in root.get("/crm/contacts").get_data(as_text=True)
