"""The page of a record: what is changed in place, what is refused and why, and what others did meanwhile."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from gigacore import Crm, customfields, records
from gigacore.data import audit
from tests.pages.conftest import Visitor

PART = {"HX-Request": "true"}


def make(crm: Crm, entity: str, data: Mapping[str, Any]) -> int:
    with crm.system("test record") as ctx:
        return records.create(ctx, entity, {"visibility": "read", **data}).id


def stored(crm: Crm, entity: str, number: int) -> dict[str, Any]:
    with crm.system("look") as ctx:
        return records.get(ctx, entity, number)


def page(visitor: Visitor, path: str, **headers: str) -> str:
    response = visitor.get(path, **headers)
    assert response.status_code == 200, response.get_data(as_text=True)[:1000]
    return response.get_data(as_text=True)


def part(visitor: Visitor, path: str) -> str:
    return page(visitor, path, HX_Request="true")


def send(visitor: Visitor, path: str, data: Mapping[str, Any]) -> tuple[int, str]:
    """What a script gets for a small form; the words of a toast count as its answer."""
    response = visitor.post(path, data, **PART)
    toast = response.headers.get("HX-Trigger", "")
    return response.status_code, response.get_data(as_text=True) + toast.encode().decode("unicode_escape")


@pytest.fixture
def pair(visit: Any) -> tuple[Visitor, Visitor]:
    """Somebody who owns records, and somebody who may see them only."""
    return visit("user"), visit("manager")


def test_every_kind_of_fact_is_edited_in_place(crm: Crm, root: Visitor) -> None:
    with crm.system("field") as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "kind": "integer", "label": "Size"})
    company, number = make(crm, "crm.company", {"name": "Acme"}), make(crm, "crm.lead", {"last_name": "Doe"})
    deal = make(crm, "crm.opportunity", {"title": "Deal", "company_id": company})
    other = make(crm, "crm.company", {"name": "Umbrella"})
    for entity, record, name, sent, shown in (
        ("leads", number, "city", {"city": "Lyon"}, "Lyon"),
        ("leads", number, "amount", {"amount": "1,234.50", "amount.currency": "EUR"}, "1,234.50"),
        ("leads", number, "next_action_at", {"next_action_at": "2031-05-06T10:00"}, "2031"),
        ("leads", number, "priority", {"priority": "high"}, "High"),
        ("leads", number, "tags", {"tags": ["vip"], "tags.new": "fair, north"}, "fair"),
        ("leads", number, "x_size", {"x_size": "42"}, "42"),
        ("leads", number, "visibility", {"visibility": "write"}, "Public"),
        ("opportunities", deal, "company_id", {"company_id": str(other), "company_id.text": "Umbrella",
                                               "company_id.was": "Umbrella"}, "Umbrella"),
        ("opportunities", deal, "expected_close", {"expected_close": "2031-05-06"}, "2031"),
    ):  # fmt: skip
        path = f"/crm/{entity}/{record}/facts/{name}"
        editor = part(root, path)
        assert "inline-form" in editor, name
        was = re.search(r'name="_was" value="([^"]*)"', editor)
        status, answer = send(root, path, {"_was": was[1] if was else "", **sent})
        assert (status, shown in answer.partition('id="rec-head"')[0]) == (200, True), (name, answer[:600])
        assert shown in page(root, f"/crm/{entity}/{record}")
    assert stored(crm, "crm.lead", number)["tags"] == ["vip", "fair", "north"]


def test_a_fact_that_cannot_be_saved_keeps_what_was_typed(crm: Crm, root: Visitor) -> None:
    number = make(crm, "crm.company", {"name": "Acme"})
    status, answer = send(root, f"/crm/companies/{number}/facts/employees", {"employees": "-4", "_was": ""})
    assert status == 422
    assert 'value="-4"' in answer
    assert 'role="alert"' in answer
    assert send(root, f"/crm/companies/{number}/facts/name", {"name": "", "_was": "Acme"})[0] == 422
    assert stored(crm, "crm.company", number)["name"] == "Acme"


def test_two_people_on_one_record_meet_only_in_the_same_fact(crm: Crm, root: Visitor) -> None:
    number = make(crm, "crm.lead", {"last_name": "Doe", "city": "Lyon"})
    with crm.system("somebody else") as ctx:
        records.update(ctx, "crm.lead", number, {"city": "Paris"})
    path = f"/crm/leads/{number}/facts"
    assert send(root, f"{path}/country", {"country": "France", "_was": ""})[0] == 200
    status, answer = send(root, f"{path}/city", {"city": "Nice", "_was": "Lyon"})
    assert status == 412
    assert 'value="Nice"' in answer
    assert "Stored now: Paris" in answer
    assert send(root, f"{path}/city", {"city": "Nice", "_was": "Paris"})[0] == 200


def test_whoever_may_only_look_changes_nothing_and_reads_why(crm: Crm, pair: tuple[Visitor, Visitor]) -> None:
    owner, reader = pair
    data = {"first_name": "A", "last_name": "Doe", "owner_id": owner.user_id, "emails": [{"email": "a@example.test"}]}
    number = make(crm, "crm.contact", data)
    home = f"/crm/contacts/{number}"
    row = stored(crm, "crm.contact", number)["emails"][0]["id"]
    other = make(crm, "crm.company", {"name": "Acme"})
    before = stored(crm, "crm.contact", number)
    for visitor, refused in ((reader, True), (owner, False)):
        text = page(visitor, home)
        assert ('class="pen"' in text) is not refused
        assert ("your right to “Edit” does not reach it" in text) is refused
        assert ('id="add-share"' in part(visitor, f"{home}/around")) is not refused
        assert visitor.get(f"{home}/facts/city", HX_Request="true").status_code == (403 if refused else 200)
        assert visitor.get(f"{home}/edit").status_code == (403 if refused else 200)
        for path, sent in (
            ("facts/city", {"city": "Lyon", "_was": ""}),
            ("rows/emails/new", {"email": "b@example.test"}),
            (f"rows/emails/{row}/remove", {}),
            ("links", {"kind": "related", "other": f"crm.company:{other}"}),
            ("shares", {"with": f"user_id:{reader.user_id}", "level": "edit"}),
        ):
            status, answer = send(visitor, f"{home}/{path}", sent)
            assert (status == 403) is refused, (path, status, answer[:300])
            assert ("right" in answer) or not refused
        if refused:
            assert stored(crm, "crm.contact", number) == before
    assert stored(crm, "crm.contact", number)["city"] == "Lyon"


def test_a_locked_record_says_why_and_stays_as_it_is(crm: Crm, root: Visitor) -> None:
    number = make(crm, "crm.lead", {"last_name": "Doe", "status": "won"})
    home = f"/crm/leads/{number}"
    text = page(root, home)
    assert text.count("This lead is won or lost. Reopen it to change it.") > 1
    assert "This lead is won or lost already." in text
    assert 'class="pen"' not in text.partition('id="related"')[0]
    status, answer = send(root, f"{home}/facts/city", {"city": "Lyon", "_was": ""})
    assert (status, "Reopen it" in answer) == (409, True)
    form = root.get(f"{home}/edit")
    assert (form.status_code, "Reopen it" in form.get_data(as_text=True)) == (409, True)
    root.post(f"{home}/actions/reopen", {"_asked": "1", "status": "contacted"})
    assert send(root, f"{home}/facts/city", {"city": "Lyon", "_was": ""})[0] == 200


def test_rows_are_added_changed_put_first_and_removed(crm: Crm, root: Visitor) -> None:
    emails = [{"email": "a@example.test"}, {"email": "b@example.test"}]
    number = make(crm, "crm.contact", {"first_name": "A", "last_name": "Doe", "emails": emails})
    home = f"/crm/contacts/{number}/rows/emails"
    first, second = (row["id"] for row in stored(crm, "crm.contact", number)["emails"])
    was = re.search(r'name="_was" value="([^"]*)"', part(root, f"{home}/{first}"))
    assert was
    assert send(root, f"{home}/{first}", {"email": "bad", "kind": "work", "_was": was[1]})[0] == 422
    assert send(root, f"{home}/{first}", {"email": "x@example.test", "kind": "work", "_was": "old"})[0] == 412
    assert send(root, f"{home}/{first}", {"email": "x@example.test", "kind": "work", "_was": was[1]})[0] == 200
    status, answer = send(root, f"{home}/{second}/first", {})
    assert (status, "Main" in answer) == (200, True)
    assert stored(crm, "crm.contact", number)["email"] == "b@example.test"
    assert send(root, f"{home}/new", {"email": "c@example.test"})[0] == 200
    assert send(root, f"{home}/{first}/remove", {})[0] == 200
    found = stored(crm, "crm.contact", number)
    assert [(row["id"], row["email"]) for row in found["emails"][:1]] == [(second, "b@example.test")]
    assert [row["email"] for row in found["emails"]] == ["b@example.test", "c@example.test"]
    assert send(root, f"{home}/{first}/remove", {})[0] == 409


def test_notes_and_tasks_are_about_the_record_and_ticked_off_there(crm: Crm, root: Visitor) -> None:
    number, other = make(crm, "crm.lead", {"last_name": "Doe"}), make(crm, "crm.lead", {"last_name": "Roe"})
    home = f"/crm/leads/{number}"
    assert "Called" in send(root, f"{home}/notes", {"text": "Called\nwants a quote"})[1]
    status, answer = send(root, f"{home}/tasks", {"task-title": ""})
    assert (status, 'id="task-form"' in answer) == (422, True)
    sent = {"task-title": "Quote", "task-due_at": "2020-01-31T09:00", "task-owner_id": str(root.user_id),
            "task-owner_id.text": "x", "task-owner_id.was": "x"}  # fmt: skip
    status, answer = send(root, f"{home}/tasks", sent)
    assert (status, 'class="todo"' in answer, "late" in answer) == (200, True, True)
    with crm.system("look") as ctx:
        task = records.page(ctx, "crm.task", records.ListRequest()).items[0]
    assert (task["lead_id"]["id"], task["owner_id"]["id"]) == (number, root.user_id)
    assert send(root, f"/crm/leads/{other}/tasks/{task['id']}/close", {})[0] == 404
    assert 'class="todo"' not in send(root, f"{home}/tasks/{task['id']}/close", {})[1]
    assert stored(crm, "crm.task", task["id"])["status"] == "done"
    assert send(root, f"{home}/tasks/{task['id']}/close", {})[0] == 409
    assert root.post(f"{home}/tasks/{task['id']}/reopen", {}).location == home


def test_related_records_come_a_few_at_a_time_and_are_created_from_here(crm: Crm, root: Visitor) -> None:
    number = make(crm, "crm.company", {"name": "Acme"})
    for place in range(7):
        make(crm, "crm.note", {"title": f"Note {place}", "company_id": number})
    text = page(root, f"/crm/companies/{number}")
    assert re.findall(r"<span>(Note \d)</span>", text) == [f"Note {place}" for place in (6, 5, 4, 3, 2)]
    older = re.search(r'hx-get="(/crm/companies/\d+/related\?by=crm.note[^"]+)"', text)
    assert older
    rest = part(root, older[1].replace("&amp;", "&"))
    assert re.findall(r"<span>(Note \d)</span>", rest) == ["Note 1", "Note 0"]
    assert "related?by" not in rest
    create = re.search(r'href="(/crm/notes/new\?company_id=\d+&amp;back=[^"]+)"', text)
    assert create
    made = root.post(create[1].replace("&amp;", "&"), {"title": "New", "company_id": str(number)})
    assert made.location == f"/crm/companies/{number}"


def test_links_read_from_both_ends_and_hide_what_one_may_not_see(crm: Crm, root: Visitor, visit: Any) -> None:
    mine, secret = make(crm, "crm.lead", {"last_name": "Doe"}), make(crm, "crm.lead", {"last_name": "Secret"})
    with crm.system("hide") as ctx:
        records.update(ctx, "crm.lead", secret, {"visibility": "private"})
    home = f"/crm/leads/{mine}"
    assert "Secret" in part(root, f"{home}/links/options?q=secr")
    status, answer = send(root, f"{home}/links", {"kind": "duplicate<", "other": f"crm.lead:{secret}"})
    assert (status, "Has the duplicate" in answer) == (200, True)
    assert "Duplicate of" in part(root, f"/crm/leads/{secret}/around").partition("</form>")[2]
    assert send(root, f"{home}/links", {"kind": "related", "other.text": "nobody"})[0] == 422
    reader = visit("user")
    assert "Secret" not in part(reader, f"{home}/around")
    assert "Secret" not in part(reader, f"{home}/links/options?q=secr")
    link = re.search(r"/links/(\d+)/remove", part(root, f"{home}/around"))
    assert link
    assert "Secret" not in send(root, f"{home}/links/{link[1]}/remove", {})[1]


def test_a_share_opens_the_record_and_access_is_explained(crm: Crm, root: Visitor, visit: Any) -> None:
    reader, number = visit("user"), make(crm, "crm.lead", {"last_name": "Doe", "visibility": "private"})
    home = f"/crm/leads/{number}"
    assert reader.get(home).status_code == 404
    assert "User Tester" in part(root, f"{home}/shares/options?q=user t")
    assert "User Tester" in send(root, f"{home}/shares", {"with": f"user_id:{reader.user_id}", "level": "view"})[1]
    assert "Doe" in page(reader, home)
    why = page(reader, f"{home}/access")
    assert "It is shared with User Tester" in why
    assert send(root, f"{home}/shares", {"with.text": "Nobody", "level": "view"})[0] == 422
    send(root, f"{home}/shares/remove", {"user_id": str(reader.user_id), "level": "view"})
    assert reader.get(home).status_code == 404


def test_files_are_uploaded_read_and_taken_off_by_whoever_may(crm: Crm, pair: tuple[Visitor, Visitor]) -> None:
    owner, reader = pair
    number = make(crm, "crm.lead", {"last_name": "Doe", "owner_id": owner.user_id})
    home = f"/crm/leads/{number}"
    for visitor, expected in ((reader, 403), (owner, 200)):
        visitor.get(home)
        sent: dict[str, Any] = {"file": (io.BytesIO(b"An offer"), "offer.txt")}
        assert send(visitor, f"{home}/files", sent)[0] == expected
    card = part(reader, f"{home}/around")
    file = re.search(r'href="(/files/[0-9a-f-]+)" download', card)
    assert file
    assert "8 bytes" in card
    assert reader.get(file[1]).get_data() == b"An offer"
    uid = file[1].rpartition("/")[2]
    assert send(reader, f"{home}/files/{uid}/remove", {})[0] == 403
    assert "offer.txt" not in send(owner, f"{home}/files/{uid}/remove", {})[1]


def test_a_change_is_undone_unless_it_was_changed_since(crm: Crm, pair: tuple[Visitor, Visitor]) -> None:
    owner, reader = pair
    number = make(crm, "crm.lead", {"last_name": "Doe", "owner_id": owner.user_id, "city": "Lyon"})
    with crm.system("change") as ctx:
        records.update(ctx, "crm.lead", number, {"city": "Paris"})
    with crm.system("look") as ctx:
        change = audit.history(ctx.session.connection(), "crm.lead", number)[0].id
    home = f"/crm/leads/{number}"
    url = f"{home}/changes/{change}/undo"
    assert url in page(owner, f"{home}?tab=changes")
    assert url not in page(reader, f"{home}?tab=changes")
    assert send(reader, url, {})[0] == 403
    assert send(owner, f"{home}/changes/{uuid4()}/undo", {})[0] == 404
    assert owner.post(url, {}).location == home
    assert stored(crm, "crm.lead", number)["city"] == "Lyon"
    status, answer = send(owner, url, {})
    assert (status, "“City” was changed again since" in answer) == (409, True)


def test_links_and_shares_are_taken_back_and_hidden_ends_are_not_named(crm: Crm, pair: tuple[Visitor, Visitor]) -> None:
    owner, reader = pair
    number = make(crm, "crm.lead", {"last_name": "Doe", "owner_id": owner.user_id})
    other = make(crm, "crm.company", {"name": "Secret", "owner_id": owner.user_id, "visibility": "private"})
    home = f"/crm/leads/{number}"
    send(owner, f"{home}/links", {"kind": "partner", "other": f"crm.company:{other}"})
    send(owner, f"{home}/shares", {"with": f"user_id:{reader.user_id}", "level": "view"})
    mine, theirs = page(owner, f"{home}?tab=changes"), page(reader, f"{home}?tab=changes")
    assert f'<a href="/crm/companies/{other}">Secret</a>' in mine
    assert ("Secret" in theirs, "no access" in theirs, "/undo" in theirs) == (False, True, False)
    for undo in re.findall(r'action="([^"]+/undo)"', mine):
        assert owner.post(undo, {}).status_code == 303
    around = part(owner, f"{home}/around")
    assert ("Secret" in around, "shares/remove" in around) == (False, False)
    assert "Undone" not in page(reader, home)


def test_a_neighbour_that_is_hidden_or_gone_shows_no_access(crm: Crm, pair: tuple[Visitor, Visitor]) -> None:
    owner, reader = pair
    company = make(crm, "crm.company", {"name": "Secret", "owner_id": owner.user_id, "visibility": "private"})
    person = {"first_name": "Ada", "last_name": "Doe", "owner_id": owner.user_id, "company_id": company}
    home = f"/crm/contacts/{make(crm, 'crm.contact', person)}"
    assert f'<a href="/crm/companies/{company}">Secret</a>' in page(owner, home)
    hidden = page(reader, home)
    assert ("Secret" in hidden, f"/crm/companies/{company}" in hidden, "No access" in hidden) == (False, False, True)
    with crm.system("delete") as ctx:
        records.delete(ctx, "crm.company", company)
    gone = page(owner, home)
    assert ("Secret" in gone.partition('id="facts"')[2].partition("What happened")[0], owner.get(home).status_code) == (
        False,
        200,
    )


def test_news_tell_what_others_did_and_nothing_else(crm: Crm, pair: tuple[Visitor, Visitor], statements: Any) -> None:
    owner, reader = pair
    number = make(crm, "crm.lead", {"last_name": "Doe", "owner_id": owner.user_id})
    home = f"/crm/leads/{number}"

    def news(visitor: Visitor, url: str) -> tuple[int, str]:
        response = visitor.get(url, HX_Request="true")
        return response.status_code, response.get_data(as_text=True)

    def address(visitor: Visitor) -> str:
        found = re.search(r'data-url="([^"]+/news[^"]+)"', page(visitor, home))
        assert found
        return found[1]

    mine, theirs = address(owner), address(reader)
    send(owner, f"{home}/facts/city", {"city": "Lyon", "_was": ""})
    with statements() as seen:
        assert news(owner, mine) == (204, "")
    assert len(seen) <= 3, seen
    assert "User Tester changed this record." in news(reader, theirs)[1]
    later = address(reader)
    send(owner, f"{home}/notes", {"text": "Called"})
    assert "User Tester added to the timeline." in news(reader, later)[1]
    send(owner, f"{home}/facts/visibility", {"visibility": "private", "_was": "read"})
    assert "may not see it any more" in news(reader, later)[1]
    assert reader.get(f"{home}/news?since=x").status_code == 404


def test_the_page_stays_small_and_within_its_statements(crm: Crm, visit: Any, statements: Any) -> None:
    reader, company = visit("user"), make(crm, "crm.company", {"name": "Acme"})
    emails = [{"email": f"a{place}@example.test"} for place in range(3)]
    data = {"first_name": "A", "last_name": "Doe", "company_id": company, "emails": emails, "visibility": "write"}
    number = make(crm, "crm.contact", data)
    for place in range(6):
        make(crm, "crm.task", {"title": f"Task {place}", "contact_id": number})
        make(crm, "crm.note", {"title": f"Note {place}", "contact_id": number})
    home = f"/crm/contacts/{number}"
    for path, most, size in (("", 20, 45_000), ("/around", 17, 20_000), ("/facts/city", 10, 3_000)):
        get = page if not path else part
        get(reader, home + path)
        with statements() as seen:
            text = get(reader, home + path)
        assert len(seen) <= most, (path, "\n".join(seen))
        assert len(text.encode()) <= size, (path, len(text.encode()))


def test_changes_are_told_in_words_with_few_statements(crm: Crm, root: Visitor, statements: Any) -> None:
    companies = [make(crm, "crm.company", {"name": f"Company {place}"}) for place in range(12)]
    number = make(crm, "crm.contact", {"first_name": "A", "last_name": "Doe", "emails": [{"email": "a@example.test"}]})
    with crm.system("change") as ctx:
        records.update(ctx, "crm.contact", number, {"emails": [{"email": "b@example.test"}], "city": "Lyon"})
    for company in companies:
        with crm.system("change") as ctx:
            records.update(ctx, "crm.contact", number, {"company_id": company, "companies": [{"company_id": company}]})
    root.get(f"/crm/contacts/{number}?tab=changes")
    with statements() as seen:
        text = page(root, f"/crm/contacts/{number}?tab=changes")
    assert "<li>E-mails: <del>a@example.test</del> → <ins>b@example.test</ins></li>" in text
    assert "<li>Company: <del>Company 10</del> → <ins>Company 11</ins></li>" in text
    assert "<li>Further companies: <del>Company 10</del> → <ins>Company 11</ins></li>" in text
    assert len(seen) <= 20, "\n".join(seen)


def test_a_move_is_told_once_and_figures_of_rows_say_what_they_are(crm: Crm, root: Visitor) -> None:
    lead = make(crm, "crm.lead", {"last_name": "Doe", "status": "new"})
    with crm.system("move") as ctx:
        records.update(ctx, "crm.lead", lead, {"status": "contacted"})
    assert page(root, f"/crm/leads/{lead}").count("Contacted</ins>") == 1
    assert "New → Contacted" not in page(root, f"/crm/leads/{lead}")
    company = make(crm, "crm.company", {"name": "Acme"})
    deal = make(crm, "crm.opportunity", {"title": "Deal", "company_id": company})
    assert "<small>Entered</small>" in page(root, f"/crm/opportunities/{deal}")
