"""Tasks and notes: closing, titles, timelines; what is emptied takes its default again."""

from datetime import datetime
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.data import activities, trash
from gigacore.errors import Forbidden, NotFound


def titles(crm: Crm, sales: Any, entity: str, number: int) -> list[str]:
    with crm.read(sales.actor) as ctx:
        return [entry.title for entry in activities.timeline(ctx, entity, number)]


def test_a_task_is_closed_and_reopened_and_tells_the_timeline(crm: Crm, sales: Any) -> None:
    contact = sales.create("crm.contact", first_name="Léa", last_name="Noël")
    task = sales.create("crm.task", title="Call back", contact_id=contact, due_at="2026-11-23T09:00:00Z")
    assert (sales.read("crm.task", task)["remind"], sales.read("crm.task", task)["closed_at"]) == ("1_day", None)
    sales.act("crm.task", task, "close")
    closed = sales.read("crm.task", task)
    assert closed["status"] == "done"
    assert closed["closed_at"] is not None
    assert titles(crm, sales, "crm.contact", contact) == ["Call back"]
    sales.act("crm.task", task, "reopen")
    assert sales.read("crm.task", task)["closed_at"] is None


def test_a_note_takes_its_title_from_its_text(sales: Any) -> None:
    note = sales.read("crm.note", sales.create("crm.note", text="Met at the fair.\nWill call in May."))
    assert note["title"] == "Met at the fair."
    assert datetime.fromisoformat(note["happened_at"]).tzinfo is not None


def test_a_changed_note_stands_once_on_each_timeline(crm: Crm, sales: Any) -> None:
    company = sales.create("crm.company", name="Atelier Nord")
    contact = sales.create("crm.contact", first_name="Léa", last_name="Noël", company_id=company)
    note = sales.create("crm.note", title="Visit", category="meeting", contact_id=contact, company_id=company)
    sales.update("crm.note", note, title="Visit of the workshop")
    for entity, number in (("crm.contact", contact), ("crm.company", company)):
        assert titles(crm, sales, entity, number) == ["Visit of the workshop"]


def test_what_cannot_be_empty_takes_its_default_again(sales: Any) -> None:
    lead = sales.create("crm.lead", last_name="Noël", priority="high")
    sales.update("crm.lead", lead, priority=None)
    assert sales.read("crm.lead", lead)["priority"] == "normal"


def test_a_note_is_as_open_as_the_records_that_it_is_about(crm: Crm, sales: Any, make_user: Any) -> None:
    ben = make_user("user")
    contact = sales.create("crm.contact", first_name="Léa", last_name="Noël", visibility="read")
    company = sales.create("crm.company", name="Atelier Nord")
    shown = sales.create("crm.note", title="Open", contact_id=contact)
    sales.create("crm.note", title="Mine", contact_id=contact, visibility="private")
    sales.create("crm.note", title="About both", contact_id=contact, company_id=company)

    def seen() -> tuple[set[int], list[str]]:
        with crm.read(ben) as ctx:
            found = {item["id"] for item in records.page(ctx, "crm.note", records.ListRequest()).items}
            return found, [entry.title for entry in activities.timeline(ctx, "crm.contact", contact)]

    assert seen() == ({shown}, ["Open"])
    sales.update("crm.contact", contact, visibility="private")
    crm.worker().run_pending()
    assert sales.read("crm.note", shown)["visibility"] == "private"
    with crm.read(ben) as ctx:
        assert records.page(ctx, "crm.note", records.ListRequest()).items == []


def test_a_record_goes_whatever_colleagues_have_said_about_it(crm: Crm, make_user: Any) -> None:
    anna, ben = make_user("user"), make_user("user")
    with crm.unit_of_work(anna) as ctx:
        values = {"first_name": "Léa", "last_name": "Noël", "visibility": "read"}
        contact = records.create(ctx, "crm.contact", values).id
    with crm.unit_of_work(ben) as ctx:
        about = {"contact_id": contact, "visibility": "private"}
        task = records.create(ctx, "crm.task", {"title": "Call", **about}).id
        records.create(ctx, "crm.note", {"title": "Called", **about})
    with pytest.raises(Forbidden), crm.unit_of_work(ben) as ctx:
        records.delete(ctx, "crm.contact", contact)
    with crm.unit_of_work(anna) as ctx:
        records.delete(ctx, "crm.contact", contact)
        with pytest.raises(NotFound):
            records.load(ctx, "crm.task", task)
    with crm.read(ben) as ctx:
        assert records.get(ctx, "crm.task", task)["contact_id"] is None
        assert records.page(ctx, "crm.note", records.ListRequest()).items == []
    with crm.unit_of_work(anna) as ctx:
        trash.restore(ctx, trash.listing(ctx, entity="crm.contact")[0].id)
    with crm.read(ben) as ctx:
        assert [item["title"] for item in records.page(ctx, "crm.note", records.ListRequest()).items] == ["Called"]
