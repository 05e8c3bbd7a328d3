"""The start page: tiles by right, figures with their change in words, charts that lead to the records behind them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from gigacore import Crm, records
from gigacore.access import roles
from gigacore.errors import PluginError
from gigacore.measures import Aggregate, Measure, value
from tests.pages.conftest import Visitor


def stage(crm: Crm, kind: str) -> int:
    with crm.system("look") as ctx:
        wanted = records.ListRequest({"field": "kind", "op": "eq", "value": kind}, fields=("id",))
        return int(records.page(ctx, "crm.stage", wanted).items[0]["id"])


def deal(crm: Crm, amount: str, **more: Any) -> None:
    with crm.system("deal") as ctx:
        firm = records.create(ctx, "crm.company", {"name": "Firm", "visibility": "read"}).id
        money = {"amount": amount, "currency": "EUR"}
        records.create(ctx, "crm.opportunity", {"title": "Deal", "company_id": firm, "amount": money, **more})


def test_figures_come_after_the_page_and_tell_their_change(crm: Crm, root: Visitor, statements: Any) -> None:
    deal(crm, "1000")
    deal(crm, "250.40", stage_id=stage(crm, "won"))
    with statements() as seen:
        home = root.get("/").get_data(as_text=True)
    assert len(seen) <= 7
    assert 'hx-get="/home/crm.sales"' in home
    assert "Open opportunities" not in home
    with statements() as seen:
        tile = root.get("/home/crm.sales", HX_Request="true").get_data(as_text=True)
    assert len(seen) <= 14
    assert "<html" not in tile
    assert "€1,000" in tile
    assert "Up from €0 last month" in tile


def test_a_chart_leads_to_the_records_of_each_bar(crm: Crm, root: Visitor) -> None:
    deal(crm, "1000")
    page = root.get("/home/crm.pipeline").get_data(as_text=True)
    assert "<h1>Pipeline</h1>" in page
    bars = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a></th>.*?width="([\d.]+)".*?"num">([^<]*)<', page)
    assert [(label, width, shown) for _, label, width, shown in bars[:2]] == [
        ("Prospect", "100.0", "€1,000"), ("Qualified", "0", ""),
    ]  # fmt: skip
    assert "Deal" in root.get(unquote(bars[0][0]).replace("&#34;", '"')).get_data(as_text=True)


def test_the_priority_of_the_day_counts_leads_and_leads_to_their_lists(crm: Crm, root: Visitor) -> None:
    today = datetime.now(UTC)
    with crm.system("leads") as ctx:
        for name, more in (
            ("Today", {"next_action_at": today}),
            ("Late", {"next_action_at": today - timedelta(days=3), "status": "contacted"}),
            ("Later", {"next_action_at": today + timedelta(days=3)}),
            ("Broken", {"status": "to_fix"}),
            ("Lost", {"next_action_at": today, "status": "lost"}),
        ):
            records.create(ctx, "crm.lead", {"last_name": name, **more})
    page = root.get("/home/crm.priority_of_the_day").get_data(as_text=True)
    assert "<h1>Priority of the day</h1>" in page
    found = re.findall(r'<dt[^>]*>([^<]+).*?<dd><a href="([^"]+)"[^>]*>([^<]+)</a>', page, re.DOTALL)
    assert [(label.strip(), shown) for label, _, shown in found] == [
        ("Leads to follow up today", "2"), ("Leads never contacted", "4"), ("Blocked leads", "1"),
    ]  # fmt: skip
    behind = [root.get(html.unescape(unquote(url))).get_data(as_text=True) for _, url, _ in found]
    names = [{name for name in ("Today", "Late", "Later", "Broken", "Lost") if f">{name}<" in one} for one in behind]
    assert names == [{"Today", "Late"}, {"Today", "Late", "Later", "Broken"}, {"Broken"}]


def test_tiles_follow_the_rights_of_their_reader(crm: Crm, visit: Any) -> None:
    with crm.system("role") as ctx:
        roles.create(ctx, "leads_only", {"en": "Leads only"})
        roles.grant(ctx, "leads_only", "crm.lead", "view", "all")
    reader = visit("leads_only")
    assert "crm.pipeline" not in reader.get("/").get_data(as_text=True)
    assert reader.get("/home/crm.pipeline").status_code == 404
    figures = reader.get("/home/crm.sales").get_data(as_text=True)
    assert "New leads this month" in figures
    assert "Open opportunities" not in figures


def test_a_measure_counts_what_its_reader_may_see(crm: Crm, make_user: Any) -> None:
    owner, other = make_user("user"), make_user("user")
    with crm.unit_of_work(owner) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Mine", "visibility": "private"})
    leads = Measure(name="t.leads", label="Leads", entity="crm.lead", definition="All.", date_field="created_at")
    with crm.unit_of_work(owner) as ctx:
        assert (value(ctx, leads), value(ctx, leads, "today"), value(ctx, leads, "yesterday")) == (1, 1, 0)
    with crm.unit_of_work(other) as ctx:
        assert value(ctx, leads) == 0


def test_a_sum_needs_a_field() -> None:
    with pytest.raises(PluginError, match="names no field"):
        Measure(name="t.sum", label="Sum", entity="crm.lead", definition="", aggregate=Aggregate.sum)


def test_a_task_of_today_names_what_it_is_about(crm: Crm, root: Visitor) -> None:
    with crm.system("tasks") as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Lovelace", "visibility": "read"}).id
        for about in ({"lead_id": lead}, {}):
            due = {"due_at": "2020-01-01T08:00:00Z", "owner_id": 1}
            records.create(ctx, "crm.task", {"title": "Call back", **due, **about})
    tile = root.get("/").get_data(as_text=True)
    assert tile.count("Call back") == 2
    assert tile.count('class="about">Lovelace<') == tile.count('class="about"') == 1


def test_a_chart_says_which_currency_it_leaves_out(crm: Crm, root: Visitor) -> None:
    deal(crm, "1000")
    assert "no rate" not in root.get("/home/crm.pipeline").get_data(as_text=True)
    with crm.system("deal") as ctx:
        money = {"amount": "5", "currency": "GBP"}
        records.create(ctx, "crm.opportunity", {"title": "Pounds", "company_id": 1, "amount": money})
    assert "Without GBP: no rate" in root.get("/home/crm.pipeline").get_data(as_text=True)
