"""Pages over very many records: kept figures with their age, as many statements as ever, exact on a closer look."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gigacore import Crm, keeping, records
from gigacore.records import rollups
from tests.pages.conftest import Visitor

OPPORTUNITIES = "/crm/opportunities/board"


@pytest.fixture
def many(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty opportunities and leads, which count as very many."""
    monkeypatch.setattr(keeping, "MANY", 0)
    monkeypatch.setattr(rollups, "among_few", lambda *_: None)
    with crm.system("many") as ctx:
        firm = records.create(ctx, "crm.company", {"name": "Firm"}).id
        wanted = records.ListRequest(sort=("position",), fields=("id",), count=False)
        stages = [item["id"] for item in records.page(ctx, "crm.stage", wanted).items]
        deals = [
            {
                "title": f"Deal {n}", "company_id": firm, "stage_id": stages[n % 2], "visibility": "private",
                "amount": {"amount": "100", "currency": "USD" if n % 4 == 1 else "EUR"},
            }
            for n in range(60)
        ]  # fmt: skip
        records.create_many(ctx, "crm.opportunity", deals)
        records.create_many(ctx, "crm.lead", [{"last_name": f"Lead {n}", "status": "new"} for n in range(60)])
        crm.jobs.enqueue(ctx, "core.figures", system="figures")
    crm.jobs.run_pending()


def late_deal(crm: Crm) -> None:
    """One more, of which what is kept does not know."""
    with crm.system("late") as ctx:
        money = {"amount": "1000", "currency": "EUR"}
        records.create(ctx, "crm.opportunity", {"title": "Late", "company_id": 1, "amount": money})


def counts(page: str) -> list[str]:
    return re.findall(r'<span class="count">([^<]*)</span>', page)


def test_tiles_say_how_old_their_figures_are(crm: Crm, many: None, root: Visitor, visit: Any) -> None:
    late_deal(crm)
    tile = root.get("/home/crm.sales", HX_Request="true").get_data(as_text=True)
    assert '<p class="as-of">Counted just now</p>' in tile
    assert "€4,500" in tile
    chart = visit("super_admin", "fr").get("/home/crm.leads", HX_Request="true").get_data(as_text=True)
    assert "Chiffres arrêtés à l’instant" in chart
    assert "as-of" not in root.get("/home/crm.my_tasks", HX_Request="true").get_data(as_text=True)


def test_a_board_shows_kept_numbers_at_once_and_counts_a_column_that_it_shows_whole(
    crm: Crm, many: None, root: Visitor
) -> None:
    late_deal(crm)
    page = root.get(OPPORTUNITIES).get_data(as_text=True)
    assert "Counted just now" in page
    assert "Show sums" not in page
    assert counts(page)[:3] == ["30", "30", "0"]
    assert "as-of" not in root.get(f"{OPPORTUNITIES}?q=late").get_data(as_text=True)
    assert ">31<" in root.get("/crm/opportunities?stage_id=1").get_data(as_text=True)


def test_figures_that_nobody_may_see_are_not_told(many: None, visit: Any) -> None:
    stranger = visit("manager")
    assert counts(stranger.get(OPPORTUNITIES).get_data(as_text=True))[:3] == ["0", "0", "0"]
    tile = stranger.get("/home/crm.pipeline", HX_Request="true").get_data(as_text=True)
    assert "€4,500" not in tile


def test_columns_tell_their_sums_alike_and_what_has_no_rate(many: None, root: Visitor) -> None:
    page = root.get(OPPORTUNITIES).get_data(as_text=True)
    sums = re.findall(r'<p class="sums num">(.*?)</p>', page)
    assert [re.findall(r'<span class="(?:sum|parts|parts warn)">([^<]+)<', one) for one in sums] == [
        ["€3,000"],
        ["€1,500", "€1,500 + $1,500", "Without USD: no rate"],
    ]


def test_kept_figures_take_as_many_statements_for_few_records_as_for_many(
    crm: Crm, many: None, root: Visitor, statements: Any
) -> None:
    for path, most in (("/home/crm.sales", 14), ("/home/crm.pipeline", 8), ("/home/crm.leads", 5), (OPPORTUNITIES, 11)):
        root.get(path)
        with statements() as seen:
            root.get(path)
        assert len(seen) <= most, (path, seen)
