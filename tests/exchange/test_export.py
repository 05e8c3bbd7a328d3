"""An export shows what its reader may see, runs nothing in a spreadsheet, and goes in again."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from gigacore import Actor, Crm, records
from gigacore.access import roles
from gigacore.errors import Forbidden, Invalid
from gigacore.exchange import imports
from gigacore.exchange.cells import protect, unprotect
from gigacore.records import ListRequest
from gigacore.testing.databases import settings
from tests.exchange.samples import exported_csv

HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'quoted", "plain", "a=b"]


def exported(crm: Crm, actor: Actor, entity: str, **options: Any) -> list[dict[str, str]]:
    with crm.read(actor) as ctx:
        content = exported_csv(ctx, entity, **options)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def make(crm: Crm, actor: Actor, entity: str, **data: Any) -> int:
    with crm.unit_of_work(actor) as ctx:
        return records.create(ctx, entity, data).id


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_nothing_is_lost(text: str) -> None:
    assert not protect(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unprotect(protect(text)) == text


def test_cells_hold_labels_amounts_and_child_rows(crm: Crm, admin: Actor) -> None:
    company = make(crm, admin, "crm.company", name="=Dupont")
    make(crm, admin, "crm.contact", first_name="Ann", last_name="Lee", company_id=company,
         phones=[{"phone": "+33 1 23 45 67 89"}], tags=["VIP"])  # fmt: skip
    make(crm, admin, "crm.lead", last_name="Day", amount={"amount": "1234.5", "currency": "EUR"})
    [contact] = exported(crm, admin, "crm.contact")
    assert contact["Company"] == "'=Dupont"
    assert contact["Phones 1 Phone"] == "'+33 1 23 45 67 89"
    [lead] = exported(crm, admin, "crm.lead")
    assert lead["Estimated amount"] == "1234.50 EUR"
    assert lead["Status"] == "New"


def test_headings_and_labels_are_in_the_readers_language(crm: Crm, admin: Actor) -> None:
    make(crm, admin, "crm.lead", last_name="Day")
    words = {"Last name": "Nom", "New": "Nouveau"}
    [lead] = exported(crm, admin, "crm.lead", translate=lambda text: words.get(text, text))
    assert lead["Nom"] == "Day"
    assert "Nouveau" in lead.values()


def test_filter_and_fields_are_those_of_a_list(crm: Crm, admin: Actor) -> None:
    for name in ("Day", "Lee"):
        make(crm, admin, "crm.lead", last_name=name)
    request = ListRequest(filter={"field": "last_name", "op": "eq", "value": "lee"}, fields=("last_name",))
    assert exported(crm, admin, "crm.lead", request=request) == [{"Last name": "Lee"}]
    with pytest.raises(Invalid):
        exported(crm, admin, "crm.lead", request=ListRequest(fields=("nothing",)))


def test_only_what_the_reader_sees_is_exported(crm: Crm, admin: Actor, make_user: Any) -> None:
    make(crm, admin, "crm.lead", last_name="Hidden")
    with crm.unit_of_work(admin) as ctx:
        roles.create(ctx, "exporter", {"en": "Exporter"}, like="manager")
        roles.grant(ctx, "exporter", "crm.lead", "export")
    manager = make_user("exporter", team="North")
    make(crm, manager, "crm.lead", last_name="Own")
    assert [lead["Last name"] for lead in exported(crm, manager, "crm.lead")] == ["Own"]


def test_without_the_right_nothing_is_exported(crm: Crm, make_user: Any) -> None:
    with pytest.raises(Forbidden):
        exported(crm, make_user("user"), "crm.lead")


def test_many_pages_are_one_file(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        records.create_many(ctx, "crm.company", [{"name": f"Company {n}"} for n in range(450)])
    assert len({row["UID"] for row in exported(crm, admin, "crm.company")}) == 450


def filled(crm: Crm, actor: Actor) -> bytes:
    company = make(crm, actor, "crm.company", name="Dupont; & Fils", city="Évry")
    for number, text in enumerate(HOSTILE):
        make(crm, actor, "crm.contact", first_name=f"A{number}", last_name=text or "x", company_id=company,
             emails=[{"email": f"a{number}@example.org"}, {"email": f"b{number}@example.org"}],
             phones=[{"phone": "+33 1 23 45 67 89", "kind": "mobile"}], tags=["VIP", "Paris"],
             description="two\nlines, and; more", companies=[{"company_id": company, "job_title": "Boss"}])  # fmt: skip
    with crm.read(actor) as ctx:
        return exported_csv(ctx, "crm.contact")


def brought(crm: Crm, actor: Actor, content: bytes, **options: Any) -> imports.Import:
    staged = imports.stage(crm, actor, "crm.contact", io.BytesIO(content), "own.csv")
    if options:
        imports.configure(crm, actor, staged.id, options=options)
    return imports.run(crm, actor, staged.id)


def test_own_export_changes_nothing_where_it_comes_from(crm: Crm, admin: Actor) -> None:
    content = filled(crm, admin)
    count = len(HOSTILE)
    for options in ({}, {"duplicates": "update"}):
        found = brought(crm, admin, content, **options)
        assert (found.created, found.updated, found.skipped, found.failed) == (0, 0, count, 0)


def test_own_export_fills_another_installation_once(crm: Crm, admin: Actor, databases: Any, tmp_path: Any) -> None:
    content = filled(crm, admin)
    url = databases.ready()
    with Crm(settings(url, tmp_path / "other"), plugins=()) as other:
        other.start()
        from gigacore.testing.people import People

        ada = People(other).make("super_admin", name="Ada Admin")
        found = brought(other, ada, content)
        assert (found.created, found.failed) == (len(HOSTILE), 0)
        assert brought(other, ada, content).created == 0
        compare(crm, admin, other, ada)
    databases.drop(url)


def compare(crm: Crm, admin: Actor, other: Crm, ada: Actor) -> None:
    own = {"UID", "Created", "Updated", "Created by", "Updated by"}
    before, after = (exported(one, who, "crm.contact") for one, who in ((crm, admin), (other, ada)))
    strip = [[{k: v for k, v in row.items() if k not in own} for row in rows] for rows in (before, after)]
    assert strip[0] == strip[1]


def test_names_of_stages_in_other_languages_go_out_and_come_in_again(crm: Crm, admin: Actor) -> None:
    with crm.read(admin) as ctx:
        content = exported_csv(ctx, "crm.stage")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["Names by language"] for row in rows if row["Name"] == "Won"] == ['{"fr":"Gagnée"}']
    changed = content.replace("Gagnée".encode(), "Emportée".encode())
    staged = imports.stage(crm, admin, "crm.stage", io.BytesIO(changed), "own.csv")
    imports.configure(crm, admin, staged.id, options={"duplicates": "update"})
    assert imports.run(crm, admin, staged.id).updated == 1
    with crm.read(admin) as ctx:
        found = records.page(ctx, "crm.stage", ListRequest({"field": "name", "op": "eq", "value": "Won"})).items
    assert [one["labels"] for one in found] == [{"fr": "Emportée"}]
