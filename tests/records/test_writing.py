"""Writing: child rows keep their identity, references are checked, deletion says what stands in the way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gigacore import Actor, Crm, Invalid, customfields, records
from gigacore.data import settings, trash
from gigacore.errors import InTheWay, NotFound, StaleVersion


def create(crm: Crm, actor: Actor, entity: str, **values: Any) -> int:
    with crm.unit_of_work(actor) as ctx:
        return records.create(ctx, entity, values).id


def read(crm: Crm, actor: Actor, entity: str, number: int) -> dict[str, Any]:
    with crm.read(actor) as ctx:
        return records.get(ctx, entity, number)


def change(crm: Crm, actor: Actor, entity: str, number: int, version: int | None = None, **values: Any) -> None:
    with crm.unit_of_work(actor) as ctx:
        records.update(ctx, entity, number, values, version=version)


@pytest.fixture
def contact(crm: Crm, admin: Actor) -> int:
    emails = [{"email": "a@example.test"}, {"email": "b@example.test", "kind": "home"}]
    return create(crm, admin, "crm.contact", first_name="Zoé", last_name="Durand", emails=emails)


def test_rows_named_by_id_stay_others_are_new_or_go(crm: Crm, admin: Actor, contact: int) -> None:
    first, second = read(crm, admin, "crm.contact", contact)["emails"]
    change(
        crm, admin, "crm.contact", contact, emails=[{**second, "email": "c@example.test"}, {"email": "d@example.test"}]
    )
    rows = read(crm, admin, "crm.contact", contact)["emails"]
    assert [row["email"] for row in rows] == ["c@example.test", "d@example.test"]
    assert rows[0]["id"] == second["id"]
    assert first["id"] not in {row["id"] for row in rows}


def test_a_row_of_another_record_cannot_be_taken_over(crm: Crm, admin: Actor, contact: int) -> None:
    other = create(crm, admin, "crm.contact", first_name="Ada", last_name="Other", emails=[{"email": "x@example.test"}])
    row = read(crm, admin, "crm.contact", other)["emails"][0]
    with pytest.raises(Invalid):
        change(crm, admin, "crm.contact", contact, emails=[row])
    assert read(crm, admin, "crm.contact", other)["emails"] == [row]


def test_a_change_of_rows_raises_the_version_of_their_record(crm: Crm, admin: Actor, contact: int) -> None:
    before = read(crm, admin, "crm.contact", contact)["version"]
    change(crm, admin, "crm.contact", contact, phones=[{"phone": "0612345678"}])
    assert read(crm, admin, "crm.contact", contact)["version"] == before + 1


def test_a_fault_in_a_row_is_named_by_its_place(crm: Crm, admin: Actor, contact: int) -> None:
    with pytest.raises(Invalid) as caught:
        change(crm, admin, "crm.contact", contact, emails=[{"email": "fine@example.test"}, {"email": "not one"}])
    assert [error.path for error in caught.value.errors] == ["emails.1.email"]


def test_a_reference_to_nothing_is_refused(crm: Crm, admin: Actor) -> None:
    with pytest.raises(Invalid) as caught:
        create(crm, admin, "crm.contact", first_name="A", last_name="B", company_id=424242)
    assert caught.value.errors[0].path == "company_id"


def test_an_earlier_version_is_refused(crm: Crm, admin: Actor, contact: int) -> None:
    change(crm, admin, "crm.contact", contact, version=1, last_name="Martin")
    with pytest.raises(StaleVersion) as caught:
        change(crm, admin, "crm.contact", contact, version=1, last_name="Petit")
    assert caught.value.current == 2
    assert read(crm, admin, "crm.contact", contact)["last_name"] == "Martin"


def test_a_contact_of_an_opportunity_cannot_be_deleted_and_the_answer_names_it(
    crm: Crm, admin: Actor, contact: int
) -> None:
    opportunity = create(crm, admin, "crm.opportunity", title="A sale", contact_id=contact)
    with pytest.raises(InTheWay) as caught, crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.contact", contact)
    assert [(one.entity, one.id, one.label) for one in caught.value.obstacles] == [
        ("crm.opportunity", opportunity, "A sale")
    ]
    assert read(crm, admin, "crm.contact", contact)["id"] == contact


def test_what_refers_loosely_is_released(crm: Crm, admin: Actor) -> None:
    company = create(crm, admin, "crm.company", name="Acme")
    contact = create(crm, admin, "crm.contact", first_name="A", last_name="B", company_id=company)
    with crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.company", company)
    assert read(crm, admin, "crm.contact", contact)["company_id"] is None


def test_a_deleted_record_comes_back_whole_under_its_number(crm: Crm, admin: Actor, contact: int) -> None:
    before = read(crm, admin, "crm.contact", contact)
    with crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.contact", contact)
    with pytest.raises(NotFound):
        read(crm, admin, "crm.contact", contact)
    with crm.unit_of_work(admin) as ctx:
        trash.restore(ctx, trash.listing(ctx)[0].id)
    after = read(crm, admin, "crm.contact", contact)
    same = {"name", "uid", "email", "last_name", "created_at"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert [row["email"] for row in after["emails"]] == [row["email"] for row in before["emails"]]


def test_an_open_list_takes_a_new_value_once(crm: Crm, admin: Actor) -> None:
    create(crm, admin, "crm.company", name="One", tags=["Grand compte"])
    crm.refresh()
    create(crm, admin, "crm.company", name="Two", tags=["grand COMPTE", "grand_compte"])
    keys = [choice.key for choice in crm.registry.choice_lists["crm.tag"].choices]
    assert keys.count("grand_compte") == 1


def test_a_batch_writes_the_good_rows_and_says_why_not_the_others(crm: Crm, admin: Actor) -> None:
    rows = [{"last_name": "Good"}, {"last_name": "Bad", "email": "none"}, {}, {"company_name": "Good too"}]
    with crm.unit_of_work(admin) as ctx:
        results = records.create_many(ctx, "crm.lead", rows)
    failed = [place for place, one in enumerate(results) if isinstance(one, records.Failed)]
    assert failed == [1, 2]
    with crm.read(admin) as ctx:
        assert len(records.page(ctx, "crm.lead", records.ListRequest()).items) == 2


def test_a_batch_treats_custom_fields_as_single_records_are_treated(crm: Crm, admin: Actor) -> None:
    firm = create(crm, admin, "crm.company", name="Nord")
    with crm.system("fields") as ctx:
        for wish in (
            {"key": "x_firm", "kind": "ref", "label": "Firm", "target": "crm.company"},
            {"key": "x_zone", "kind": "text", "label": "Zone", "default": "North"},
        ):
            customfields.define(ctx, {"entity": "crm.lead", **wish})
    rows = [
        {"last_name": "A", "x_firm": firm},
        {"last_name": "B", "x_firm": firm + 1},
        {"last_name": "C", "x_zone": None},
    ]
    with crm.unit_of_work(admin) as ctx:
        first, second, third = records.create_many(ctx, "crm.lead", rows)
    assert isinstance(second, records.Failed)
    assert second.error.errors[0].code == "unknown_record"
    assert not isinstance(first, records.Failed)
    assert not isinstance(third, records.Failed)
    assert (first.custom, third.custom) == ({"x_firm": firm, "x_zone": "North"}, {})


def test_bulk_changes_what_it_can_and_tells_the_rest(crm: Crm, admin: Actor) -> None:
    open_, won = (
        create(crm, admin, "crm.lead", last_name="A"),
        create(crm, admin, "crm.lead", last_name="B", status="won"),
    )
    with crm.unit_of_work(admin) as ctx:
        result = records.bulk(ctx, "crm.lead", "update", [open_, won], {"priority": "high"})
    assert result.done == (open_,)
    assert [number for number, _ in result.failed] == [won]


def test_what_stands_in_memory_otherwise_than_in_the_database_is_read(crm: Crm, admin: Actor) -> None:
    values = {"last_name": "Durand", "company_name": "Nord SA", "email": "d@example.test"}
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", values)
        assert records.shown(ctx, "crm.lead", lead) == records.get(ctx, "crm.lead", lead.id)
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - a moment without its zone is what is odd about it
        for attribute, odd in (("closed_at", naive), ("exchanges", "3"), ("tags", ("a",))):
            before = lead.__dict__[attribute]
            lead.__dict__[attribute] = odd
            assert records.shown(ctx, "crm.lead", lead) == records.get(ctx, "crm.lead", lead.id)
            lead.__dict__[attribute] = before
        lead.__dict__["city"] = "Lyon"
        assert records.shown(ctx, "crm.lead", lead)["city"] == "Lyon"


def test_a_setting_holds_from_the_next_session_on_and_only_once_committed(crm: Crm, admin: Actor) -> None:
    def held() -> Any:
        with crm.read(admin) as ctx:
            return settings.get(ctx, "crm.follow_up_days", 7)

    assert held() == 7
    with pytest.raises(NotFound), crm.unit_of_work(admin) as ctx:
        settings.put(ctx, "crm.follow_up_days", 9)
        assert settings.get(ctx, "crm.follow_up_days", 7) == 9
        raise NotFound
    assert held() == 7
    with crm.unit_of_work(admin) as ctx:
        settings.put(ctx, "crm.follow_up_days", 14)
    assert held() == 14
