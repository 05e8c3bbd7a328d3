"""Excel workbooks: cells have types, texts are never formulas, and what was exported is imported again."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pytest
import python_calamine
import xlsxwriter

from gigacore import Actor, Crm, records
from gigacore.errors import Forbidden, Invalid
from gigacore.exchange import imports
from gigacore.exchange.export import Wording
from gigacore.exchange.workbook import export_xlsx
from gigacore.records import ListRequest
from tests.exchange.test_export import make

FIELDS = ("title", "amount", "expected_close", "probability", "created_at", "stage_id")


def workbook(crm: Crm, actor: Actor, entity: str, wording: Wording | None = None, **options: Any) -> bytes:
    with crm.read(actor) as ctx, export_xlsx(ctx, entity, wording=wording or Wording(), **options) as book:
        return book.read()


def rows(book: bytes) -> list[list[Any]]:
    found: list[list[Any]] = python_calamine.load_workbook(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    return found


def taken(crm: Crm, actor: Actor, entity: str, content: bytes, **options: Any) -> imports.Import:
    found = imports.stage(crm, actor, entity, io.BytesIO(content), "table.xlsx")
    imports.configure(crm, actor, found.id, options=options)
    return imports.run(crm, actor, found.id)


def test_cells_are_numbers_dates_and_amounts_with_their_currency(crm: Crm, admin: Actor) -> None:
    company = make(crm, admin, "crm.company", name="Acme")
    make(crm, admin, "crm.opportunity", title="=1+1", company_id=company, expected_close=date(2026, 12, 24),
         amount={"amount": "1234.5", "currency": "USD"})  # fmt: skip
    book = workbook(crm, admin, "crm.opportunity", Wording(locale="fr"), request=ListRequest(fields=FIELDS))
    heading, row = rows(book)
    assert heading == [
        "Title", "Budget", "Budget (currency)", "Expected close", "Probability (%)", "Created", "Stage"
    ]  # fmt: skip
    assert row[:5] == ["=1+1", 1234.5, "USD", date(2026, 12, 24), 10]
    assert abs((datetime.now(admin.zone).replace(tzinfo=None) - row[5]).total_seconds()) < 3600
    sheet = zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 'state="frozen"' in sheet
    assert "#,##0.00 &quot;USD&quot;" in zipfile.ZipFile(io.BytesIO(book)).read("xl/styles.xml").decode()


def test_an_exported_workbook_goes_in_again(crm: Crm, admin: Actor) -> None:
    made = [
        make(crm, admin, "crm.lead", last_name=name, amount={"amount": "12.34", "currency": code},
             next_action_at=datetime(2026, 12, 1, 9, 30, tzinfo=UTC), tags=["VIP"])
        for name, code in (("+Day", "EUR"), ("'Night", "CHF"))
    ]  # fmt: skip
    book = workbook(crm, admin, "crm.lead")
    with crm.unit_of_work(admin) as ctx:
        for number in made:
            records.update(ctx, "crm.lead", number, {"amount": None, "next_action_at": None})
    again = taken(crm, admin, "crm.lead", book, duplicates="update")
    assert (again.created, again.updated, again.failed) == (0, 2, 0)
    with crm.read(admin) as ctx:
        found = [records.get(ctx, "crm.lead", number) for number in made]
    assert [(str(one["amount"].amount), one["amount"].currency) for one in found] == [
        ("12.3400", "EUR"), ("12.3400", "CHF")
    ]  # fmt: skip
    assert {one["next_action_at"] for one in found} == {datetime(2026, 12, 1, 9, 30, tzinfo=UTC)}
    assert [one["last_name"] for one in found] == ["+Day", "'Night"]


def test_the_first_sheet_with_anything_in_it_is_imported(crm: Crm, admin: Actor) -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        book.add_worksheet("Empty")
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, ["Last name", "Phone", "Estimated amount"])
        sheet.write_row(1, 0, ["Zoé", 612345678, 99.5])
    done = taken(crm, admin, "crm.lead", target.getvalue(), currency="CHF")
    assert (done.created, done.failed, done.file_name) == (1, 0, "table.xlsx")
    with crm.read(admin) as ctx:
        [lead] = records.page(ctx, "crm.lead", ListRequest()).items
    assert (lead["last_name"], lead["phone"], lead["amount"].currency) == ("Zoé", "612345678", "CHF")


@pytest.mark.parametrize("inside", [{}, {"xl/workbook.xml": "junk"}, {"content.xml": "<a/>"}])
def test_what_is_no_workbook_is_refused_in_words(crm: Crm, admin: Actor, inside: dict[str, str]) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("readme", "x")
        for name, text in inside.items():
            packed.writestr(name, text)
    with pytest.raises(Invalid) as refused:
        imports.stage(crm, admin, "crm.lead", io.BytesIO(target.getvalue()), "table.xlsx")
    assert "workbook" in str(refused.value.message) or "ZIP" in str(refused.value.message)
    with pytest.raises(Invalid):
        imports.stage(crm, admin, "crm.lead", io.BytesIO(b"PK\x03\x04" + bytes(range(256)) * 9), "table.xlsx")


def test_exporting_takes_the_right_to(crm: Crm, make_user: Any) -> None:
    with pytest.raises(Forbidden):
        workbook(crm, make_user("user"), "crm.lead")
