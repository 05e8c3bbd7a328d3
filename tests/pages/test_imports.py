"""Import by the pages: a file, its columns, the report; and the export of a list."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from gigacore import Crm
from tests.pages.conftest import Visitor

CSV = b"First Name,Last Name,Email 1,Amount\nAda,Lovelace,ada@example.test,12\nBob,,not an address,\n"


def upload(visitor: Visitor, content: bytes, name: str = "leads.csv") -> Any:
    visitor.get("/crm/leads/import")
    return visitor.post("/crm/leads/import", {"file": (BytesIO(content), name)})  # type: ignore[dict-item]


def test_a_file_is_mapped_imported_and_reported(crm: Crm, root: Visitor) -> None:
    place = upload(root, CSV).location
    page = root.get(place).get_data(as_text=True)
    assert re.search(r'name="column\.1" aria-label="Last Name".*?<option value="last_name" selected', page, re.DOTALL)
    chosen = {"column.0": "first_name", "column.1": "last_name", "column.2": "email", "column.3": "", "key": "Email 1"}
    assert root.post(place, chosen | {"do": "begin", "duplicates": "skip", "currency": "EUR"}).location == place
    assert 'hx-trigger="every 1s"' in root.get(place).get_data(as_text=True)
    crm.jobs.run_pending()
    report = root.get(place).get_data(as_text=True)
    assert "The import is finished." in report
    assert re.search(r"Created</dt><dd>1<.*Refused</dt><dd>1<", report, re.DOTALL)
    faults = root.get(f"{place}/errors.csv").get_data().decode("utf-8-sig")
    assert faults.splitlines()[0] == "Row,Column,Value,Reason"
    assert "not an address" in faults
    assert "Ada Lovelace" in root.get("/crm/leads").get_data(as_text=True)


def test_two_columns_into_one_field_are_told_beside_the_column(root: Visitor) -> None:
    place = upload(root, CSV).location
    answer = root.post(place, {"column.0": "last_name", "column.1": "last_name", "do": "begin"})
    assert answer.status_code == 422
    assert 'aria-label="Last Name" aria-invalid="true"' in answer.get_data(as_text=True)


def test_binary_junk_is_refused_with_a_reason(root: Visitor) -> None:
    answer = upload(root, bytes(range(256)) * 40)
    assert answer.status_code == 422
    assert 'class="notice error"' in answer.get_data(as_text=True)


def test_a_list_goes_out_as_a_workbook_and_comes_in_as_one(crm: Crm, root: Visitor) -> None:
    root.post("/crm/leads/new", {"last_name": "Lovelace"})
    book = root.client.get("/crm/leads/export?format=xlsx&columns=1")
    assert book.headers["Content-Disposition"] == 'attachment; filename="leads.xlsx"'
    page = root.get(upload(root, book.data, "leads.xlsx").location).get_data(as_text=True)
    assert "Lovelace" in page
    assert "leads.xlsx" in page


def test_a_list_is_exported_as_it_is_filtered(crm: Crm, visit: Any) -> None:
    reader = visit("super_admin", "fr")
    for name in ("Alpha", "Omega"):
        reader.post("/crm/leads/new", {"last_name": name, "source": "website" if name == "Alpha" else "event"})
    answer = reader.get("/crm/leads/export?source=website")
    text = answer.get_data().decode("utf-8-sig")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="leads.csv"'
    assert len(text.strip().splitlines()) == 2
    assert ";" in text.splitlines()[0]
    assert "Omega" not in text


def test_who_may_not_import_or_export_is_refused(visit: Any) -> None:
    reader = visit("user")
    answers = {path: reader.get(f"/crm/leads/{path}").status_code for path in ("import", "export")}
    page = reader.get("/crm/leads").get_data(as_text=True)
    for path, status in answers.items():
        assert (status == 403) == (f"/crm/leads/{path}" not in page), path
