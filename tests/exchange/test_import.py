"""A file goes in as it is: rows become records, faults are told by row and column, a second time changes nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, records
from gigacore.context import Context
from gigacore.data.tables import core_audit, core_outbox
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound
from gigacore.exchange import imports
from gigacore.exchange.imports import Import
from gigacore.jobs import cancel
from gigacore.records import ListRequest
from tests.exchange.samples import CUSTOMER_HEADINGS, LEAD_HEADINGS, as_csv, customers, leads, real

Run = Callable[..., Import]


@pytest.fixture
def run(crm: Crm, admin: Actor) -> Run:
    """Stages a file and imports it with the suggested mapping, apart from what the test says."""

    def one(entity: str, content: bytes, actor: Actor | None = None, mapping: Any = None, **options: Any) -> Import:
        who = actor or admin
        staged = imports.stage(crm, who, entity, io.BytesIO(content), "file.csv")
        imports.configure(crm, who, staged.id, mapping=mapping, options=options or None)
        imports.begin(crm, who, staged.id)
        crm.jobs.run_pending()
        with crm.read(who) as ctx:
            return imports.get(ctx, staged.id)

    return one


def listed(crm: Crm, actor: Actor, entity: str, **options: Any) -> list[dict[str, Any]]:
    with crm.read(actor) as ctx:
        return records.page(ctx, entity, ListRequest(sort=("id",), limit=200, **options)).items


def errors(crm: Crm, actor: Actor, found: Import) -> list[tuple[int, str, str]]:
    with crm.read(actor) as ctx:
        return [(row, one.column, str(one.message)) for row, one in imports.errors(ctx, found.id)]


def counted(found: Import) -> tuple[str, int, int, int, int]:
    return found.state, found.created, found.updated, found.skipped, found.failed


def test_leads_go_in_without_a_mapping_by_hand(crm: Crm, admin: Actor, run: Run) -> None:
    found = run("crm.lead", as_csv(LEAD_HEADINGS, leads(40)))
    assert counted(found) == ("done", 40, 0, 0, 0)
    first, _, third, fourth = listed(crm, admin, "crm.lead")[:4]
    assert first["external_id"] == "Acc0000001"
    assert first["status"] == "new"
    assert first["company_name"]
    assert first["description"] == "Line one\nof note 1"
    assert (third["status"], fourth["status"]) == ("qualified", "won")


def test_customers_become_contacts_with_rows_and_companies(crm: Crm, admin: Actor, run: Run) -> None:
    found = run("crm.contact", as_csv(CUSTOMER_HEADINGS, customers(30)))
    assert counted(found) == ("done", 30, 0, 0, 0)
    assert len(listed(crm, admin, "crm.company")) == len({row[4] for row in customers(30)})
    with crm.read(admin) as ctx:
        contact = records.get(ctx, "crm.contact", listed(crm, admin, "crm.contact")[0]["id"])
    assert len(contact["phones"]) == 2
    assert contact["emails"][0]["email"] == "c1@example.org"
    assert contact["company_id"]["label"] == customers(1)[0][4]


def test_importing_a_file_twice_creates_nothing_new(crm: Crm, admin: Actor, run: Run) -> None:
    content = as_csv(CUSTOMER_HEADINGS, customers(30))
    run("crm.contact", content)
    assert counted(run("crm.contact", content)) == ("done", 0, 0, 30, 0)
    assert counted(run("crm.contact", content, duplicates="update")) == ("done", 0, 0, 30, 0)


def test_a_file_without_any_key_creates_nothing_new_either(run: Run) -> None:
    content = as_csv(["Name", "City"], [["Dupont", "Lyon"], ["Gray", "Paris"], ["Dupont", "Lyon"]])
    assert counted(run("crm.company", content)) == ("done", 2, 0, 1, 0)
    assert counted(run("crm.company", content)) == ("done", 0, 0, 3, 0)


def test_known_rows_are_updated_by_key_when_asked(crm: Crm, admin: Actor, run: Run) -> None:
    headings = ["Organization Id", "Name", "City"]
    run("crm.company", as_csv(headings, [["O1", "Dupont", "Lyon"], ["O2", "Gray", "Paris"]]))
    changed = as_csv(headings, [["O1", "Dupont", "Nice"], ["O2", "Gray", "Paris"], ["O3", "New", ""]])
    assert counted(run("crm.company", changed, duplicates="update")) == ("done", 1, 1, 1, 0)
    assert [one["city"] for one in listed(crm, admin, "crm.company")] == ["Nice", "Paris", None]


def test_an_update_adds_child_rows_and_takes_none_away(crm: Crm, admin: Actor, run: Run) -> None:
    headings = ["Customer Id", "First Name", "Last Name", "Phone 1"]
    run("crm.contact", as_csv(headings, [["C1", "Ann", "Lee", "01 23 45 67 89"]]))
    more = run("crm.contact", as_csv(headings, [["C1", "Ann", "Lee", "09 87 65 43 21"]]), duplicates="update")
    assert counted(more) == ("done", 0, 1, 0, 0), errors(crm, admin, more)
    with crm.read(admin) as ctx:
        contact = records.get(ctx, "crm.contact", listed(crm, admin, "crm.contact")[0]["id"])
    assert [row["phone"] for row in contact["phones"]] == ["01 23 45 67 89", "09 87 65 43 21"]


def test_another_column_can_be_the_key(crm: Crm, run: Run) -> None:
    headings = ["First Name", "Last Name", "Email"]
    run("crm.contact", as_csv(headings, [["Ann", "Lee", "ann@example.org"]]), key="Email")
    again = as_csv(headings, [["Anna", "Lee", "ANN@example.org"], ["Tom", "Lee", "tom@example.org"]])
    assert counted(run("crm.contact", again, key="Email")) == ("done", 1, 0, 1, 0)


def test_each_fault_is_told_by_row_and_column(crm: Crm, admin: Actor, run: Run) -> None:
    rows = [
        ["Ann", "Lee", "ann@example.org", "new"],
        ["Tom", "Lee", "no address", "new"],
        ["", "", "", "new"],
        ["Eva", "Lee", "eva@example.org", "spaceship"],
    ]
    found = run("crm.lead", as_csv(["First Name", "Last Name", "Email", "Status"], rows))
    assert counted(found) == ("done", 1, 0, 0, 3)
    told = errors(crm, admin, found)
    assert [(row, column) for row, column, _ in told] == [
        (2, "Email"), (3, "Last Name"), (3, ""), (3, "Email"), (4, "Status")
    ]  # fmt: skip
    assert "spaceship" in told[-1][2]


def test_what_was_refused_can_be_mended_and_brought_again(crm: Crm, admin: Actor, run: Run) -> None:
    headings = ["Account Id", "Last Name", "Email"]
    run("crm.lead", as_csv(headings, [["A1", "Lee", "no address"], ["A2", "Day", "day@example.org"]]))
    mended = as_csv(headings, [["A1", "Lee", "lee@example.org"], ["A2", "Day", "day@example.org"]])
    assert counted(run("crm.lead", mended)) == ("done", 1, 0, 1, 0)


def test_words_of_the_file_can_be_given_values(crm: Crm, admin: Actor, run: Run) -> None:
    content = as_csv(["Last Name", "Status"], [["Lee", "Spaceship"]])
    run("crm.lead", content, words={"Status": {"spaceship": "contacted"}})
    assert [one["status"] for one in listed(crm, admin, "crm.lead")] == ["contacted"]


def test_french_numbers_dates_and_labels(crm: Crm, admin: Actor, run: Run) -> None:
    text = "Nom;Montant;Prochaine action le;Statut\nLee;1 234,50;31/12/2026;Gagné\n".encode("cp1252")
    headings = {"Nom": "last_name", "Montant": "amount", "Prochaine action le": "next_action_at", "Statut": "status"}
    assert counted(run("crm.lead", text, mapping=headings, locale="fr", currency="EUR"))[:2] == ("done", 1)
    [lead] = listed(crm, admin, "crm.lead")
    assert str(lead["amount"].amount) == "1234.5000"
    assert lead["next_action_at"].isoformat().startswith("2026-12-31")
    assert lead["status"] == "won"


def test_owner_is_found_by_name_and_otherwise_is_who_imports(crm: Crm, admin: Actor, run: Run, make_user: Any) -> None:
    lindsay = make_user("user", name="Lindsay Weaver")
    rows = [["Lee", "lindsay weaver"], ["Day", "Nobody Known"]]
    run("crm.lead", as_csv(["Last Name", "Lead Owner"], rows))
    assert [one["owner_id"]["id"] for one in listed(crm, admin, "crm.lead")] == [lindsay.user_id, admin.user_id]


def test_a_name_that_is_no_users_is_told_with_its_row_and_the_way_to_keep_it(
    crm: Crm, admin: Actor, run: Run, make_user: Any
) -> None:
    make_user("user", name="Lindsay Weaver")
    rows = [["Marquez", "Lindsay Weaver"], ["French", "Joan Francis"], ["Noname", ""]]
    found = run("crm.lead", as_csv(["Last Name", "Lead Owner"], rows))
    with crm.read(admin) as ctx:
        noted = imports.errors(ctx, found.id, refused=False)
        assert imports.errors(ctx, found.id, refused=True) == []
    assert (found.created, found.failed, found.noted) == (3, 0, 1)
    assert [(row, one.column, one.value) for row, one in noted] == [(2, "Lead Owner", "Joan Francis")]
    assert "new text field" in str(noted[0][1].message)
    again = run("crm.lead", as_csv(["Last Name", "Lead Owner"], rows))
    assert (again.skipped, again.noted) == (3, 0), "what was left alone lacks nothing"


def test_a_preview_tells_it_before_anything_is_imported(crm: Crm, admin: Actor) -> None:
    content = as_csv(["Last Name", "Lead Owner"], [["French", "Joan Francis"]])
    found = imports.stage(crm, admin, "crm.lead", io.BytesIO(content), "file.csv")
    (row,) = imports.preview(crm, admin, found.id).rows
    assert [(one.column, one.value) for one in row.notes] == [("Lead Owner", "Joan Francis")]


def test_unknown_reference_is_a_fault_when_nothing_may_be_added(crm: Crm, admin: Actor, run: Run) -> None:
    content = as_csv(["First Name", "Last Name", "Company"], [["Ann", "Lee", "Nowhere Inc"]])
    found = run("crm.contact", content, create_references=False)
    assert counted(found) == ("done", 0, 0, 0, 1)
    assert errors(crm, admin, found)[0][1] == "Company"


def test_every_row_leaves_audit_and_event(crm: Crm, run: Run) -> None:
    run("crm.company", as_csv(["Name"], [[f"Company {n}"] for n in range(20)]))
    with crm.database.connect() as connection:
        for table in (core_audit, core_outbox):
            query = sa.select(sa.func.count()).where(table.c.entity == "crm.company", table.c.record_id.is_not(None))
            assert connection.scalar(query) == 20


def test_rules_are_off_unless_ticked(crm: Crm, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    create_many = records.create_many

    def spy(ctx: Context, *arguments: Any) -> Any:
        seen.append(ctx.rules_enabled)
        return create_many(ctx, *arguments)

    monkeypatch.setattr(records, "create_many", spy)
    run("crm.company", as_csv(["Name"], [["A"]]))
    run("crm.company", as_csv(["Name"], [["B"]]), rules=True)
    assert seen == [False, True]


def test_an_import_that_was_killed_goes_on_where_it_ended(
    crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 10)
    staged = imports.stage(crm, admin, "crm.lead", io.BytesIO(as_csv(LEAD_HEADINGS, leads(35))), "leads.csv")

    def die(ctx: Context, done: int, total: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.run(crm, admin, staged.id, die)
    with crm.read(admin) as ctx:
        half = imports.get(ctx, staged.id)
    assert (half.state, half.cursor, half.created) == ("running", 20, 20)
    assert counted(imports.run(crm, admin, staged.id)) == ("done", 35, 0, 0, 0)


def test_preview_writes_nothing_and_tells_faults_and_duplicates(crm: Crm, admin: Actor, run: Run) -> None:
    headings = ["Organization Id", "Name", "Founded"]
    run("crm.company", as_csv(headings, [["O1", "Dupont", "1999"]]))
    content = as_csv(headings, [["O1", "Dupont", "1999"], ["O2", "Gray", "long ago"]])
    staged = imports.stage(crm, admin, "crm.company", io.BytesIO(content), "x.csv")
    preview = imports.preview(crm, admin, staged.id)
    assert [row.duplicate for row in preview.rows] == [True, False]
    assert [[one.column for one in row.errors] for row in preview.rows] == [[], ["Founded"]]
    assert len(listed(crm, admin, "crm.company")) == 1


def test_a_column_can_become_a_custom_field(crm: Crm, admin: Actor, run: Run) -> None:
    content = as_csv(["Name", "Loyalty card"], [["Dupont", "Gold"]])
    found = run("crm.company", content, mapping={"Name": "name", "Loyalty card": "new:text"})
    key = found.mapping["Loyalty card"]
    assert key.startswith("x_")
    assert [one[key] for one in listed(crm, admin, "crm.company")] == ["Gold"]


def test_binary_junk_is_refused_and_leaves_no_file(crm: Crm, admin: Actor) -> None:
    with pytest.raises(Invalid):
        imports.stage(crm, admin, "crm.lead", io.BytesIO(bytes(range(256)) * 50), "junk.csv")
    assert list(crm.storage.objects()) == []


def test_a_person_without_the_right_cannot_import(crm: Crm, make_user: Any) -> None:
    reader = make_user("user")
    with pytest.raises(Forbidden):
        imports.stage(crm, reader, "crm.lead", io.BytesIO(b"Name\nx\n"), "x.csv")


def test_another_persons_import_is_not_there(crm: Crm, admin: Actor, make_user: Any) -> None:
    staged = imports.stage(crm, admin, "crm.lead", io.BytesIO(b"Last name\nx\n"), "x.csv")
    stranger = make_user("user")
    with pytest.raises(NotFound), crm.read(stranger) as ctx:
        imports.get(ctx, staged.id)


def test_an_import_begins_once(crm: Crm, admin: Actor) -> None:
    staged = imports.stage(crm, admin, "crm.lead", io.BytesIO(b"Last name\nx\n"), "x.csv")
    imports.begin(crm, admin, staged.id)
    with pytest.raises(Conflict):
        imports.begin(crm, admin, staged.id)
    with pytest.raises(Conflict):
        imports.configure(crm, admin, staged.id, options={"rules": True})


def test_an_import_that_is_cancelled_while_it_waits_says_so(crm: Crm, admin: Actor) -> None:
    staged = imports.stage(crm, admin, "crm.lead", io.BytesIO(b"Last name\nLee\n"), "x.csv")
    begun = imports.begin(crm, admin, staged.id)
    assert begun.job_id is not None
    with crm.unit_of_work(admin) as ctx:
        cancel(ctx, begun.job_id)
    crm.jobs.run_pending()
    with crm.read(admin) as ctx:
        assert imports.get(ctx, staged.id).state == imports.CANCELLED
        assert [one.state for one in imports.recent(ctx)] == [imports.CANCELLED]
    assert listed(crm, admin, "crm.lead") == []


def test_the_real_leads(crm: Crm, run: Run) -> None:
    content = real("leads-1000.csv")
    assert counted(run("crm.lead", content)) == ("done", 1000, 0, 0, 0)
    assert counted(run("crm.lead", content)) == ("done", 0, 0, 1000, 0)


@pytest.mark.slow_on_postgres
def test_the_real_customers(crm: Crm, run: Run) -> None:
    content = real("customers-10000.csv")
    assert counted(run("crm.contact", content)) == ("done", 10_000, 0, 0, 0)
    assert counted(run("crm.contact", content)) == ("done", 0, 0, 10_000, 0)
