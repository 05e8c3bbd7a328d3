"""Lists: search, filters in words, order, columns, pages, size and statements."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.access import teams
from tests.pages.conftest import Visitor

STATUSES = ("new", "contacted", "qualified")


@pytest.fixture
def leads(crm: Crm) -> None:
    rows = [
        {
            "first_name": "Amélie", "last_name": f"Number {place:03}",
            "company_name": f"Bâtiments Durand & Fils {place}",
            "email": f"person{place}@example.org", "phone": "+33 6 99 88 77 66", "source": "website",
            "amount": {"amount": f"{place * 10}.50", "currency": "EUR"}, "status": STATUSES[place % 3],
            "next_action_at": "2026-11-24T09:00:00Z", "visibility": "write",
        }
        for place in range(60)
    ]  # fmt: skip
    with crm.system("test leads") as ctx:
        records.create_many(ctx, "crm.lead", rows)


def names(page: str) -> list[str]:
    return re.findall(r"<th scope=row><a href=\"/crm/leads/\d+\">([^<]+)</a>", page)


def text(visitor: Visitor, path: str) -> str:
    response = visitor.get(path)
    assert response.status_code == 200, response.get_data(as_text=True)[:2000]
    return response.get_data(as_text=True)


def test_fifty_rows_stay_below_forty_kilobytes_and_five_statements(leads: None, visit: Any, statements: Any) -> None:
    reader = visit("user")
    reader.get("/crm/leads")
    with statements() as seen:
        page = reader.get("/crm/leads").get_data()
    assert len(names(page.decode())) == 50
    assert len(page) <= 40_000
    assert len(seen) <= 5, seen


def test_older_and_newer_lead_through_all_rows_once(leads: None, root: Visitor) -> None:
    first = text(root, "/crm/leads?sort=name")
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = text(root, older[1].replace("&amp;", "&"))
    assert len(set(names(first)) | set(names(second))) == 60
    newer = re.search(r'rel="prev" href="([^"]+)"', second)
    assert newer
    assert names(text(root, newer[1].replace("&amp;", "&"))) == names(first)


def test_a_header_sorts_and_turns_round(leads: None, root: Visitor) -> None:
    up = text(root, "/crm/leads?sort=amount")
    assert names(up)[0] == "Amélie Number 000"
    assert 'aria-sort="ascending"' in up
    assert names(text(root, "/crm/leads?sort=-amount"))[0] == "Amélie Number 059"


def test_the_filter_box_leads_to_a_list_that_says_its_filter_in_words(leads: None, visit: Any) -> None:
    reader = visit("super_admin", "fr")
    applied = reader.get("/crm/leads/filter?apply=1&field=status&op=in&value=qualified")
    assert applied.status_code == 303
    page = text(reader, applied.location)
    assert len(names(page)) == 20
    assert "Créer une piste" in page
    assert re.search(r"<i>[^<]+ est</i> <b>[^<]+</b>", page)


def test_plain_parameters_are_conditions(leads: None, root: Visitor) -> None:
    page = text(root, "/crm/leads?status=new&status=contacted&q=number 00")
    assert len(names(page)) == 7
    assert page.count('class="chip"') == 1


def test_a_condition_is_taken_away_by_its_chip(leads: None, root: Visitor) -> None:
    page = text(root, '/crm/leads?filter={"field":"status","op":"in","value":["new"]}&sort=amount')
    remove = re.search(r'<a class="x" href="([^"]+)"', page)
    assert remove
    assert remove[1] == "/crm/leads?sort=amount"


def test_a_filter_that_pages_cannot_edit_is_kept_and_can_be_removed(leads: None, root: Visitor) -> None:
    tree = '{"any":[{"field":"status","op":"eq","value":"new"},{"field":"amount","op":"gt","value":585}]}'
    page = text(root, f"/crm/leads?filter={tree}")
    assert len(names(page)) == 21
    assert "<i>Status is New or Estimated amount is more than 585 </i>" in page


@pytest.mark.parametrize("bad", ["filter=[", "filter={}", "sort=nothing", "cursor=xyz", "filter=1", "sort=description"])
def test_a_damaged_address_says_so_and_offers_the_way_back(leads: None, root: Visitor, bad: str) -> None:
    response = root.get(f"/crm/leads?{bad}")
    assert response.status_code == 422
    assert 'href="/crm/leads"' in response.get_data(as_text=True)


def test_me_stays_me_for_whoever_reads(crm: Crm, leads: None, visit: Any) -> None:
    reader = visit("user")
    with crm.system("own lead") as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Mine", "owner_id": reader.user_id})
    applied = reader.get("/crm/leads/filter?apply=1&field=owner_id&op=in&value=me")
    assert "actor.id" in applied.location
    page = text(reader, f"{applied.location}&q=mine&priority=normal")
    assert names(page) == ["Mine"]
    assert "<b>me</b>" in page


def test_chosen_columns_and_no_others_are_shown(leads: None, root: Visitor) -> None:
    applied = root.post("/crm/leads/columns", {"apply": "1", "column": ["city", "amount"]})
    page = text(root, applied.location)
    assert re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', page)[-3:] == ["Name", "City", "Estimated amount"]


def test_money_and_dates_are_in_the_readers_locale(leads: None, visit: Any) -> None:
    page = text(visit("super_admin", "fr"), "/crm/leads?q=059")
    assert "590,50\u00a0€" in page


def test_a_hostile_value_is_text(crm: Crm, root: Visitor) -> None:
    with crm.system("hostile") as ctx:
        records.create(ctx, "crm.lead", {"last_name": '<img src=x onerror="alert(1)">'})
    page = text(root, "/crm/leads")
    assert "<img" not in page
    assert "&lt;img" in page


def test_the_selection_is_changed_and_deleted_in_bulk(leads: None, root: Visitor) -> None:
    numbers = re.findall(r"name=id value=(\d+)", text(root, "/crm/leads?status=new"))[:3]
    sent = {
        "action": "change",
        "id": numbers,
        "_field": "priority",
        "_go": "1",
        "priority": "high",
        "back": "/crm/leads",
    }
    assert root.post("/crm/leads/bulk", sent).location == "/crm/leads"
    assert len(names(text(root, "/crm/leads?priority=high"))) == 3
    root.post("/crm/leads/bulk", {"action": "delete", "id": numbers, "back": "/crm/leads"})
    assert names(text(root, "/crm/leads?priority=high")) == []


def test_a_whole_filter_is_changed_and_nothing_else(leads: None, root: Visitor) -> None:
    back = "/crm/leads?status=qualified"
    sent = {
        "action": "change",
        "id": ["1"],
        "whole": "1",
        "_field": "priority",
        "_go": "1",
        "priority": "low",
        "back": back,
    }
    root.post("/crm/leads/bulk", sent)
    assert len(names(text(root, "/crm/leads?priority=low"))) == 20
    assert len(names(text(root, "/crm/leads?priority=low&status=qualified"))) == 20


def test_tabs_show_what_is_ones_own_and_what_is_late(crm: Crm, visit: Any) -> None:
    reader = visit("user")
    with crm.system("tasks") as ctx:
        for title, due, status in (
            ("Late", "2020-01-01", "open"),
            ("Closed", "2020-01-01", "done"),
            ("Far", "2099-01-01", "open"),
        ):
            data = {"title": title, "due_at": f"{due}T09:00:00Z", "status": status, "owner_id": reader.user_id}
            records.create(ctx, "crm.task", data)
        records.create(ctx, "crm.task", {"title": "Hers", "due_at": "2020-01-01T09:00:00Z", "visibility": "read"})
    page = text(reader, "/crm/tasks")
    tabs = dict(
        reversed(pair)
        for pair in re.findall(
            r'<a href="([^"]+)"[^>]*>([^<]+)</a>', page.partition('class="views"')[2].partition("</nav>")[0]
        )
    )
    assert list(tabs) == ["All", "Mine", "Today", "This week", "Overdue"]
    shown = {
        name: re.findall(r'<th scope=row><a href="[^"]+">([^<]+)<', text(reader, url.replace("&amp;", "&")))
        for name, url in tabs.items()
    }
    assert set(shown["Mine"]) == {"Late", "Closed", "Far"}
    assert set(shown["Overdue"]) == {"Late", "Hers"}
    assert shown["Today"] == []


def test_chosen_columns_are_remembered(leads: None, root: Visitor) -> None:
    root.post("/crm/leads/columns", {"apply": "1", "column": "city"})
    assert re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', text(root, "/crm/leads"))[-2:] == ["Name", "City"]
    root.post("/crm/leads/columns", {"apply": "reset"})
    assert "Estimated amount" in text(root, "/crm/leads")


def tabs_of(page: str) -> dict[str, str]:
    """The addresses of the views above a list by their names."""
    part = page.partition('class="views"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?([^<]+)</a>', part)
    return {name: url.replace("&amp;", "&") for url, name in found}


def test_a_view_is_saved_opened_changed_and_shared_by_right_only(leads: None, visit: Any) -> None:
    boss, mate = visit("manager"), visit("user")
    state = {"filter": '{"field":"status","op":"in","value":["new"]}', "sort": "-amount", "fields": "city"}
    boss.get("/crm/leads/views")
    saved = boss.post("/crm/leads/views", {"name": "Fresh", "shared": "all", **state})
    assert saved.status_code == 303
    page = text(boss, saved.location)
    assert len(names(page)) == 20
    assert names(page)[0] == "Amélie Number 057"
    assert 'aria-current="page"' in page.partition(">Fresh<")[0].rpartition("<a")[2]
    url = tabs_of(text(mate, "/crm/leads"))["Fresh"]
    assert names(text(mate, url)) == names(page)
    number = url.rpartition("=")[2]
    assert "Save the changes" in text(boss, f"/crm/leads/views?from={number}&sort=amount")
    assert "Save the changes" not in text(mate, f"/crm/leads/views?from={number}&sort=amount")
    assert mate.post(f"/crm/leads/views/{number}", {"name": "Stolen"}).status_code == 422
    assert mate.post("/crm/leads/views", {"name": "For all", "shared": "all"}).status_code == 422
    boss.post(f"/crm/leads/views/{number}", {"take": "1", "from": number, "as": "cards"})
    assert 'class="gcard"' in text(mate, url)
    boss.post(f"/crm/leads/views/{number}/delete", {})
    assert "Fresh" not in tabs_of(text(mate, "/crm/leads"))


def test_a_list_opens_with_the_view_that_its_reader_chose(leads: None, root: Visitor) -> None:
    root.get("/crm/leads/views")
    made = root.post("/crm/leads/views", {"name": "Wall", "as": "board"}).location
    root.post("/crm/leads/views/default", {"key": made.rpartition("=")[2]})
    opened = root.get("/crm/leads")
    assert opened.location.startswith("/crm/leads/board?")
    whole = tabs_of(text(root, opened.location))["All"]
    assert len(names(text(root, whole))) == 50
    root.post("/crm/leads/views/default", {"key": "all"})
    assert root.get("/crm/leads").status_code == 200


def test_sections_by_status_hold_the_first_of_each(leads: None, root: Visitor) -> None:
    page = text(root, "/crm/leads?as=status&q=number")
    sections = page.split('<tr class="group">')[1:]
    assert [len(names(section)) for section in sections] == [15, 0, 15, 0, 15, 0, 0, 0]
    more = re.search(r'href="([^"]+)">Show all', sections[0])
    assert more
    assert len(names(text(root, more[1].replace("&amp;", "&")))) == 20


def test_the_menu_of_a_record_tells_what_its_reader_may_do(crm: Crm, leads: None, visit: Any) -> None:
    mine, theirs = visit("user"), visit("manager")
    with crm.system("own") as ctx:
        number = records.create(
            ctx, "crm.lead", {"last_name": "Own", "owner_id": mine.user_id, "visibility": "read"}
        ).id
    own = text(mine, f"/crm/leads/{number}/menu")
    assert "/edit" in own
    assert "/delete" in own
    assert f'action="/crm/leads/{number}/actions/won"' in own
    other = text(theirs, f"/crm/leads/{number}/menu")
    assert "/edit" not in other
    assert "your right to" in other


def test_many_records_are_changed_by_a_job_that_shows_its_progress_and_what_it_refused(
    crm: Crm, leads: None, visit: Any
) -> None:
    reader, other = visit("user"), visit("manager")
    with crm.system("more") as ctx:
        own = {"owner_id": reader.user_id, "status": "new", "visibility": "write"}
        made = records.create_many(ctx, "crm.lead", [{"last_name": f"X{n:03}", **own} for n in range(120)])
        closed = made[7].id  # type: ignore[union-attr]
        records.run_action(ctx, "crm.lead", closed, "won", {})
    back = "/crm/leads?q=x"
    reader.get(back)
    sent = {"action": "add", "id": ["1"], "whole": "1", "_go": "1", "tags.new": "vip", "back": back}
    listed = reader.post("/crm/leads/bulk", sent).location
    assert listed.startswith(f"{back}&job=")
    number = listed.rpartition("=")[2]
    progress = text(reader, f"/crm/leads/bulk/{number}")
    assert 'hx-trigger="every' in progress
    assert "0 of 120" in progress
    assert other.get(f"/crm/leads/bulk/{number}").status_code == 404
    crm.jobs.run_pending()
    report = text(reader, f"/crm/leads/bulk/{number}")
    assert "119 changed." in report
    assert re.search(rf'href="/crm/leads/{closed}">X007</a>: .*Reopen it', report)
    assert '<span class="count" id="count" title="Records in this list">119<' in text(
        reader, '/crm/leads?filter={"field":"tags","op":"contains","value":"vip"}'
    )


def test_a_deletion_of_many_is_taken_back(crm: Crm, leads: None, root: Visitor) -> None:
    with crm.system("more") as ctx:
        records.create_many(ctx, "crm.lead", [{"last_name": f"Y{n:03}"} for n in range(110)])
    root.get("/crm/leads")
    listed = root.post("/crm/leads/bulk", {"action": "delete", "whole": "1", "id": "1", "back": "/crm/leads?q=y"})
    crm.jobs.run_pending()
    assert names(text(root, "/crm/leads?q=y00")) == []
    few = root.post("/crm/leads/bulk", {"action": "delete", "id": ["1", "2"], "back": "/crm/leads"})
    undo = re.search(r'<form method="post" action="(/crm/leads/bulk/restore[^"]+)"', text(root, few.location))
    assert undo
    root.post(undo[1], {})
    assert names(text(root, "/crm/leads?q=number 000")) == ["Amélie Number 000"]
    number = listed.location.rpartition("=")[2]
    assert number.isdigit()
    root.post("/crm/leads/bulk/restore", {"job": number})
    crm.jobs.run_pending()
    assert len(names(text(root, "/crm/leads?q=y00"))) == 10


def test_an_export_holds_the_columns_and_the_order_that_are_shown(leads: None, root: Visitor) -> None:
    page = root.get("/crm/leads/export?columns=1&fields=city,amount&sort=-amount&status=new").get_data(as_text=True)
    lines = page.lstrip("\ufeff").splitlines()
    assert lines[0] == "Name,City,Estimated amount"
    assert lines[1] == "Amélie Number 057,,570.50 EUR"
    assert len(lines) == 21


def test_a_cell_is_edited_by_whoever_may_change_the_record_and_no_other(crm: Crm, visit: Any) -> None:
    mine, other = visit("user"), visit("manager")
    with crm.system("own") as ctx:
        lead = {"last_name": "Own", "owner_id": mine.user_id, "visibility": "read", "city": "Lyon"}
        number = records.create(ctx, "crm.lead", lead).id
    cell = f"/crm/leads/{number}/cells/city"
    assert 'data-f="city"' in text(mine, "/crm/leads?fields=city")
    assert 'data-f="name"' not in text(mine, "/crm/leads?fields=city")
    assert 'value="Lyon"' in text(mine, cell)
    assert other.get(cell).status_code == 403
    assert other.post(cell, {"city": "Nice"}).status_code == 403
    assert mine.get(f"/crm/leads/{number}/cells/score").status_code == 404
    assert mine.post(cell, {"city": "Nice", "_was": "Paris"}).status_code == 412
    saved = mine.post(cell, {"city": "<b>Nice</b>", "_was": "Lyon"})
    assert (saved.status_code, saved.get_data(as_text=True)) == (200, "&lt;b&gt;Nice&lt;/b&gt;")


def test_a_team_has_its_own_view_and_today_holds_what_is_open(crm: Crm, visit: Any) -> None:
    boss, mate = visit("manager"), visit("user")
    now = crm.clock.now().isoformat()
    with crm.system("team") as ctx:
        team = teams.create(ctx, "North", manager_id=boss.user_id, members=[mate.user_id])
        for title, owner, status in (
            ("Theirs", mate.user_id, "open"),
            ("Done", mate.user_id, "done"),
            ("Mine", boss.user_id, "open"),
        ):
            task = {"title": title, "due_at": now, "status": status, "owner_id": owner}
            records.create(ctx, "crm.task", task | ({"team_id": team} if owner == mate.user_id else {}))
    tabs = tabs_of(text(boss, "/crm/tasks"))
    assert list(tabs) == ["All", "Mine", "My team&#39;s", "Today", "This week", "Overdue"]

    def titles(name: str) -> set[str]:
        return set(re.findall(r'<th scope=row><a href="[^"]+">([^<]+)<', text(boss, tabs[name])))

    assert titles("My team&#39;s") == {"Theirs", "Done"}
    assert titles("Mine") == {"Mine"}
    assert titles("Today") == {"Theirs", "Mine"}


def test_a_large_export_is_written_by_a_job_for_its_person_alone(
    crm: Crm, leads: None, visit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host_app.exports.DIRECT", 30)
    boss, other = visit("admin"), visit("super_admin")
    listed = boss.get("/crm/leads/export?columns=1&fields=amount&sort=amount").location
    assert listed.startswith("/crm/leads?sort=amount&fields=amount&job=")
    number = listed.rpartition("=")[2]
    crm.jobs.run_pending()
    address = re.search(r'href="(/files/[^"]+)"', text(boss, f"/crm/leads/bulk/{number}"))
    assert address
    lines = boss.get(address[1]).get_data(as_text=True).splitlines()
    assert (len(lines), lines[1]) == (61, "Amélie Number 000,0.50 EUR")
    assert other.get(address[1]).status_code == 404
