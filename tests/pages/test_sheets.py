"""What scripts ask of forms: sheets, one effect per form, dates in the reader's order, and the palette."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.data import settings
from gigacore.text import Formats
from host_app.pages.dates import date_text, moment_text, typed_date, typed_moment
from tests.pages.conftest import Visitor

ONCE = re.compile(r'name="_once" value="([\w-]+)"')


def count(crm: Crm, entity: str) -> int:
    with crm.system("count") as ctx:
        return len(records.page(ctx, entity, records.ListRequest()).items)


def test_a_form_sent_twice_has_one_effect_and_a_changed_one_is_another(crm: Crm, root: Visitor) -> None:
    found = ONCE.search(root.get("/crm/leads/new").get_data(as_text=True))
    assert found
    sent = {"last_name": "Twice", "_once": found[1]}
    places = {root.post("/crm/leads/new", sent).location for _ in range(2)}
    assert places == {"/crm/leads/1"}
    assert root.post("/crm/leads/new", sent | {"last_name": "Other"}).location == "/crm/leads/2"
    assert count(crm, "crm.lead") == 2
    edit = {"last_name": "Once", "status": "new", "priority": "normal", "_once": "e", "_version": "1"}
    assert [root.post("/crm/leads/1/edit", edit).status_code for _ in range(2)] == [303, 303]
    assert root.post("/crm/leads/1/edit", edit | {"_once": "f"}).status_code == 412


def test_a_sheet_is_a_part_and_answers_what_was_saved(root: Visitor) -> None:
    form = root.get("/crm/companies/new?_title=Acme", X_Sheet="open")
    text = form.get_data(as_text=True)
    assert form.headers["X-Sheet"] == "form"
    assert "<html" not in text
    assert 'value="Acme"' in text
    refused = root.post("/crm/companies/new", {"name": ""}, **{"X-Sheet": "open"})
    assert (refused.status_code, refused.headers["X-Sheet"]) == (422, "form")
    saved = root.post("/crm/companies/new", {"name": "Acme"}, **{"X-Sheet": "pick"})
    assert saved.headers["X-Sheet"] == "saved"
    assert saved.get_json() == {
        "id": 1, "label": "Acme", "text": "“Acme” was created.", "next": "/crm/companies/1", "again": False,
    }  # fmt: skip
    assert "giga_note" not in saved.headers.get("Set-Cookie", "")
    assert "<html" in root.get("/crm/companies/new").get_data(as_text=True)


def test_pickers_offer_to_create_what_the_reader_may_create(crm: Crm, root: Visitor, visit: Any) -> None:
    assert 'data-create="/crm/companies/new"' in root.get("/crm/contacts/new").get_data(as_text=True)
    page = root.get("/crm/opportunities/new").get_data(as_text=True)
    assert 'data-create="/crm/pipelines/new"' in page
    reader = visit("user").get("/crm/opportunities/new").get_data(as_text=True)
    assert 'data-create="/crm/companies/new"' in reader
    assert 'data-create="/crm/pipelines/new"' not in reader


@pytest.mark.parametrize(
    ("locale", "typed", "day"),
    [
        ("fr", "22/11/2026", "2026-11-22"), ("fr", "2.1.26", "2026-01-02"), ("en", "11/22/2026", "2026-11-22"),
        ("fr", "2026-11-22", "2026-11-22"), ("fr", "31/02/2026", ""), ("fr", "11/22/2026", ""), ("en", "soon", ""),
    ],
)  # fmt: skip
def test_days_are_read_in_the_readers_order(locale: str, typed: str, day: str) -> None:
    formats = Formats(locale, "Europe/Paris")
    if not day:
        with pytest.raises(ValueError, match="such as"):
            typed_date(typed, formats)
        return
    found = typed_date(typed, formats)
    assert found.isoformat() == day
    assert typed_date(date_text(found, formats), formats) == found


@pytest.mark.parametrize("typed", ["22/11/2026 14:05", "22/11/2026 14h05", "2026-11-22T14:05", "22/11/2026 à 14:05"])
def test_moments_are_read_in_the_readers_zone(typed: str) -> None:
    formats = Formats("fr", "Europe/Paris")
    moment = typed_moment(typed, formats)
    assert moment == dt.datetime(2026, 11, 22, 13, 5, tzinfo=dt.UTC)
    assert moment_text(moment, formats) == "22/11/2026 14:05"


def test_a_french_form_takes_and_shows_french_dates_and_money(crm: Crm, visit: Any) -> None:
    reader = visit("super_admin", "fr")
    sent = {"title": "Appeler", "due_at": "22/11/2026 09:30"}
    assert reader.post("/crm/tasks/new", sent).status_code == 303
    assert 'value="22/11/2026 09:30"' in reader.get("/crm/tasks/1/edit").get_data(as_text=True)
    deal = {"title": "Affaire", "amount": "1 234,56 €", "amount.currency": "EUR", "expected_close": "22/11/2026"}
    reader.post("/crm/companies/new", {"name": "Acme"})
    deal["company_id.text"] = "acme"
    assert reader.post("/crm/opportunities/new", deal).status_code == 303
    with crm.system("look") as ctx:
        stored = records.get(ctx, "crm.opportunity", 1)
    assert (str(stored["amount"].amount), str(stored["expected_close"])) == ("1234.5600", "2026-11-22")
    refused = reader.post("/crm/opportunities/new", {"title": "", "amount": "12x", "amount.currency": "EUR"})
    assert 'href="#f-title"' in refused.get_data(as_text=True)
    assert 'href="#f-amount"' in refused.get_data(as_text=True)


def test_a_switched_off_field_is_not_asked_for_and_a_hint_says_so(crm: Crm, root: Visitor, visit: Any) -> None:
    on = root.get("/crm/opportunities/new").get_data(as_text=True)
    assert 'name="recurring"' in on
    assert "Switched off" not in on
    with crm.system("switch") as ctx:
        settings.put(ctx, "crm.recurring_revenue", False)
    off = root.get("/crm/opportunities/new").get_data(as_text=True)
    assert 'name="recurring"' not in off
    assert re.search(r'Switched off in the settings: Recurring revenue[^<]*<a href="/settings/plugin/crm.sales"', off)
    user = visit("user").get("/crm/opportunities/new").get_data(as_text=True)
    assert "Switched off" in user
    assert "/settings/plugin/" not in user


def test_the_palette_finds_all_kinds_in_one_statement_for_records(crm: Crm, visit: Any, statements: Any) -> None:
    with crm.system("records") as ctx:
        for entity, data in (
            ("crm.lead", {"last_name": "Zorg lead", "visibility": "write"}),
            ("crm.company", {"name": "Zorg company", "visibility": "write"}),
            ("crm.company", {"name": "Zorg hidden", "visibility": "private"}),
        ):
            records.create(ctx, entity, data)
    user = visit("user")
    user.get("/search?q=zo", HX_Request="true")
    with statements() as seen:
        page = user.get("/search?q=zorg", HX_Request="true").get_data(as_text=True)
    assert sum("zorg" in str(text) or "title" in text for text in seen if "SELECT" in text) <= 1
    assert len([text for text in seen if "SELECT" in text]) <= 3
    assert "Zorg lead" in page
    assert "Zorg company" in page
    assert "Zorg hidden" not in page
    assert "Zorg hidden" in visit("super_admin").get("/search?q=zorg").get_data(as_text=True)
    assert 'href="/crm/leads/new"' in user.get("/search?q=new+lead", HX_Request="true").get_data(as_text=True)
    assert "/settings/users" not in user.get("/search?q=users", HX_Request="true").get_data(as_text=True)
    assert "theme=dark" in user.get("/search?q=dark", HX_Request="true").get_data(as_text=True)
    assert "/crm/leads/1" in user.get("/search?q=lead-000001", HX_Request="true").get_data(as_text=True)
