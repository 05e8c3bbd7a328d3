"""The board: columns by status with their sums, moves, and refusals with their reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.records import abreast
from host_app.pages import board
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
    assert "150\u00a0€" in page


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


def test_a_lost_card_is_asked_for_its_reason_and_keeps_it(crm: Crm, root: Visitor) -> None:
    root.post("/crm/leads/new", {"last_name": "Card", "status": "new"})
    page = root.get("/crm/leads/board").get_data(as_text=True)
    assert 'id="ask-lost"' in page
    assert 'id="ask-won"' not in page
    moved = root.post("/crm/leads/1/move", {"value": "lost", "lost_reason": "price"}, **FETCH)
    assert moved.status_code == 204
    with crm.system("look") as ctx:
        assert records.get(ctx, "crm.lead", 1)["lost_reason"] == "price"
    refused = root.post("/crm/leads/1/move", {"value": "new"}, **FETCH)
    assert (refused.status_code, "Reopen it" in refused.get_data(as_text=True)) == (409, True)


def test_a_column_gives_its_further_cards_and_follows_the_filter(crm: Crm, visit: Any) -> None:
    rows = [{"last_name": f"N{place:02}", "status": "new", "visibility": "read"} for place in range(45)]
    with crm.system("leads") as ctx:
        records.create_many(ctx, "crm.lead", [*rows, {"last_name": "Other", "status": "new", "visibility": "private"}])
    reader = visit("user")
    page = reader.get("/crm/leads/board").get_data(as_text=True)
    seen = lanes(page)["New"]
    while more := re.search(r'hx-get="([^"]+/board/cards[^"]+)"', page):
        page = reader.get(more[1].replace("&amp;", "&"), **FETCH).get_data(as_text=True)
        seen += re.findall(r'<li class="kcard"[^>]*><a [^>]+>([^<]+)</a>', page)
    assert len(seen) == len(set(seen)) == 45
    assert lanes(reader.get("/crm/leads/board?q=n07").get_data(as_text=True))["New"] == ["N07"]
    assert reader.post("/crm/leads/1/move", {"value": "won"}, **FETCH).status_code == 403


def test_a_won_opportunity_is_asked_for_its_reason_and_amount(crm: Crm, root: Visitor, statements: Any) -> None:
    root.post("/crm/companies/new", {"name": "Acme"})
    with crm.system("opportunities") as ctx:
        stages = {item["name"]: item["id"] for item in records.page(ctx, "crm.stage", records.ListRequest()).items}
        for place, stage in enumerate(("Prospect", "Qualified", "Proposal", "Negotiation")):
            money = {"amount": str(1000 + place), "currency": "EUR"}
            row = {"title": stage, "company_id": 1, "stage_id": stages[stage], "amount": money}
            records.create(ctx, "crm.opportunity", row)
    won = stages["Won"]
    path = "/crm/opportunities"
    with statements() as seen:
        page = root.get(f"{path}/board").get_data(as_text=True)
    assert f'id="ask-{won}"' in page
    assert "€1,003" in page
    assert len([one for one in seen if "sum(" in one.lower()]) == 1, seen
    asked = {"value": str(won), "won_reason": "trust", "amount": "900", "amount.currency": "EUR"}
    assert root.post(f"{path}/1/move", asked, **FETCH).status_code == 204
    assert "Amount agreed" in root.get(f"{path}/2/actions/won").get_data(as_text=True)
    root.post(f"{path}/2/actions/won", {"_asked": "1", "won_reason": "price"})
    with crm.system("look") as ctx:
        first, second = (records.get(ctx, "crm.opportunity", number) for number in (1, 2))
    assert (first["won_reason"], first["amount"].amount) == ("trust", 900)
    assert (second["won_reason"], second["stage_id"]["id"]) == ("price", won)


def test_a_board_asks_as_much_for_two_columns_as_for_twelve(crm: Crm, root: Visitor, statements: Any) -> None:
    counts = []
    for stages in (2, 12):
        path = f"/crm/opportunities/board?group={_pipeline(crm, f'Way {stages}', stages)}"
        root.get(path)
        with statements() as seen:
            page = root.get(path).get_data(as_text=True)
        assert {name: len(cards) for name, cards in lanes(page).items()} == {f"Step {n}": 20 for n in range(stages)}
        assert page.count('">22<') == page.count("€220 + $220") == stages
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12, seen


def _pipeline(crm: Crm, name: str, count: int) -> int:
    """A pipeline of so many stages, with 22 opportunities in two currencies in each."""
    with crm.system("pipeline") as ctx:
        own = records.create(ctx, "crm.pipeline", {"name": name, "position": 9}).id
        firm = records.create(ctx, "crm.company", {"name": name}).id
        stages = [
            records.create(ctx, "crm.stage", {"pipeline_id": own, "name": f"Step {place}", "position": place}).id
            for place in range(count)
        ]
        rows = [
            {"title": f"Sale {n}", "company_id": firm, "stage_id": stage, "amount": {"amount": "20", "currency": code}}
            for stage in stages
            for n, code in enumerate(["EUR", "USD"] * 11)
        ]
        records.create_many(ctx, "crm.opportunity", rows)
    return own


def test_what_one_of_several_fields_needs_is_said_in_the_readers_words(visit: Any) -> None:
    refused = visit("user", "fr").post("/crm/opportunities/new", {"title": "Sans client"})
    assert (refused.status_code, "Contact, Société" in refused.get_data(as_text=True)) == (422, True)


def test_a_card_says_nothing_twice(crm: Crm, root: Visitor) -> None:
    root.post("/crm/companies/new", {"name": "Acme"})
    with crm.system("opportunities") as ctx:
        for title in ("Acme", "Fleet"):
            records.create(ctx, "crm.opportunity", {"title": title, "company_id": 1})
    page = root.get("/crm/opportunities/board").get_data(as_text=True)
    assert page.count(">Acme</a>") == 2  # the title of one, the company of the other


def test_a_large_board_shows_its_cards_first_and_its_sums_afterwards(
    root: Visitor, crm: Crm, monkeypatch: pytest.MonkeyPatch, statements: Any
) -> None:
    monkeypatch.setattr(board, "SUMMED_AT_ONCE", 20)
    path = f"/crm/opportunities/board?group={_pipeline(crm, 'Large', 2)}"
    with statements() as seen:
        page = root.get(path).get_data(as_text=True)
    assert len([one for one in seen if "sum(" in one.lower()]) == 0
    assert "€220 + $220" not in page
    late = re.search(r'hx-get="([^"]+/board/sums[^"]+)" hx-trigger="load"', page)
    assert late
    parts = root.get(late[1].replace("&amp;", "&"), **FETCH).get_data(as_text=True)
    assert parts.count('hx-swap-oob="true"') == parts.count("€220 + $220") == 2
    assert set(re.findall(r'id="(sums-\d+)"', parts)) == set(re.findall(r'id="(sums-\d+)"', page))
    plain = re.search(r'<a href="([^"]+sums=1[^"]*)"', page)
    assert plain
    assert root.get(plain[1].replace("&amp;", "&")).get_data(as_text=True).count("€220 + $220") == 2


def test_sums_of_columns_too_large_to_count_wait_until_they_are_asked_for(
    root: Visitor, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "SUMMED_AT_ONCE", 20)
    monkeypatch.setattr(abreast, "COUNT_LIMIT", 21)
    page = root.get(f"/crm/opportunities/board?group={_pipeline(crm, 'Huge', 2)}").get_data(as_text=True)
    assert re.search(r'hx-get="[^"]+/board/sums[^"]+" hx-trigger="click"', page)
