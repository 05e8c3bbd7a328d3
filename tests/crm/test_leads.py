"""Leads: the lock of closed ones, dates, stage, suggested action, last contact, remark on the address."""

from datetime import timedelta
from typing import Any

import pytest

from gigacore import Actor, Crm, records
from gigacore.clock import FixedClock
from gigacore.crm import settings as crm_settings
from gigacore.crm.jobs import REFRESH_LEADS
from gigacore.crm.leads import Lead, StageMode
from gigacore.data import activities, bulk, settings, trash
from gigacore.errors import Forbidden, Invalid, Locked
from gigacore.jobs import enqueue


def new_lead(crm: Crm, actor: Actor, **values: Any) -> int:
    with crm.unit_of_work(actor) as ctx:
        return records.create(ctx, "crm.lead", {"last_name": "Martin", **values}).id


def change(crm: Crm, actor: Actor, lead: int, **values: Any) -> None:
    with crm.unit_of_work(actor) as ctx:
        records.update(ctx, "crm.lead", lead, values)


def act(crm: Crm, actor: Actor, lead: int, action: str, **params: Any) -> Any:
    with crm.unit_of_work(actor) as ctx:
        return records.run_action(ctx, "crm.lead", lead, action, params)


def read(crm: Crm, actor: Actor, lead: int) -> dict[str, Any]:
    with crm.read(actor) as ctx:
        return records.get(ctx, "crm.lead", lead)


@pytest.mark.parametrize("status", ["won", "lost"])
def test_closing_sets_the_date_and_locks_every_door_until_reopened(crm: Crm, admin: Actor, status: str) -> None:
    lead = new_lead(crm, admin)
    assert read(crm, admin, lead)["closed_at"] is None
    change(crm, admin, lead, status=status)
    assert read(crm, admin, lead)["closed_at"] is not None

    with pytest.raises(Locked, match="won or lost"):
        change(crm, admin, lead, city="Lyon")
    with pytest.raises(Locked), crm.unit_of_work(admin) as ctx:
        ctx.session.get(Lead, lead).city = "Lyon"
    with pytest.raises(Locked), crm.system("an automation") as ctx:
        ctx.session.get(Lead, lead).city = "Lyon"
    with crm.unit_of_work(admin) as ctx:
        result = records.bulk(ctx, "crm.lead", "update", [lead], {"city": "Lyon"})
    assert [(number, type(error)) for number, error in result.failed] == [(lead, Locked)]
    assert read(crm, admin, lead)["city"] is None

    act(crm, admin, lead, "reopen")
    change(crm, admin, lead, city="Lyon")
    after = read(crm, admin, lead)
    assert (after["city"], after["closed_at"], after["lost_reason"]) == ("Lyon", None, None)


def test_only_somebody_allowed_reopens(crm: Crm, make_user: Any, admin: Actor) -> None:
    anna = make_user("user", "sales")
    lead = new_lead(crm, anna)
    act(crm, anna, lead, "lost", lost_reason="price")
    with pytest.raises(Forbidden):
        act(crm, anna, lead, "reopen")
    act(crm, admin, lead, "reopen", status="contacted")
    assert read(crm, anna, lead)["status"] == "contacted"


def test_reopening_into_a_closed_status_is_refused(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, status="lost")
    with pytest.raises(Invalid):
        act(crm, admin, lead, "reopen", status="won")
    assert read(crm, admin, lead)["status"] == "lost"


def test_one_of_name_company_and_address_is_required_through_every_door(crm: Crm, admin: Actor) -> None:
    with pytest.raises(Invalid) as refused, crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"first_name": "Zoé"})
    assert {error.path for error in refused.value.errors} == {"last_name", "company_name", "email"}
    with pytest.raises(Invalid), crm.unit_of_work(admin) as ctx:
        ctx.session.add(Lead(first_name="Zoé"))
    lead = new_lead(crm, admin)
    with pytest.raises(Invalid):
        change(crm, admin, lead, last_name=None)
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"email": "zoe@example.test"})


def test_the_stage_follows_activity_until_somebody_sets_it(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, phone="0612345678")
    assert read(crm, admin, lead)["stage"] == "discovery"
    change(crm, admin, lead, status="contacted")
    assert read(crm, admin, lead)["stage"] == "engaged"
    change(crm, admin, lead, status="qualified")
    assert read(crm, admin, lead)["stage"] == "decision"

    change(crm, admin, lead, stage="evaluation")
    after = read(crm, admin, lead)
    assert (after["stage"], after["stage_mode"]) == ("evaluation", "manual")
    change(crm, admin, lead, status="contacted")
    assert read(crm, admin, lead)["stage"] == "evaluation"
    change(crm, admin, lead, stage_mode="auto")
    assert read(crm, admin, lead)["stage"] == "engaged"


def test_the_setting_makes_stages_manual_and_a_lead_may_differ(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        settings.put(ctx, crm_settings.LEAD_STAGE_MODE.name, "manual")
    manual, auto = new_lead(crm, admin, status="qualified"), new_lead(crm, admin, status="qualified", stage_mode="auto")
    assert read(crm, admin, manual)["stage"] == "discovery"
    assert read(crm, admin, auto)["stage"] == "decision"
    with crm.read(admin) as ctx:
        assert ctx.session.get(Lead, auto).stage_mode is StageMode.auto


def test_contact_moves_date_count_stage_and_suggestion(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, phone="0612345678", email="m@example.test")
    before = read(crm, admin, lead)
    assert (before["next_action_suggested"], before["exchanges"], before["last_contact_at"]) == ("call", 0, None)
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.note", {"title": "Wants a quote", "category": "call_out", "lead_id": lead})
    after = read(crm, admin, lead)
    assert (after["exchanges"], after["last_exchange"], after["stage"]) == (1, "Wants a quote", "engaged")
    assert after["last_contact_at"] is not None
    assert after["next_action_suggested"] == "follow_up"


def test_a_remark_is_no_contact_and_a_deleted_call_never_happened(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin)
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.note", {"text": "Met at a fair", "lead_id": lead})
        call = records.create(ctx, "crm.note", {"text": "Called", "category": "call_in", "lead_id": lead}).id
    assert read(crm, admin, lead)["exchanges"] == 1
    with crm.unit_of_work(admin) as ctx:
        records.delete(ctx, "crm.note", call)
    after = read(crm, admin, lead)
    assert (after["exchanges"], after["last_contact_at"]) == (0, None)
    with crm.unit_of_work(admin) as ctx:
        trash.restore(ctx, trash.listing(ctx)[0].id)
    crm.worker().run_pending()
    assert read(crm, admin, lead)["last_exchange"] == "Called"


def test_activities_of_other_plugins_count_and_neither_lock_nor_version_stands_in_the_way(
    crm: Crm, admin: Actor
) -> None:
    lead = new_lead(crm, admin, status="won")
    before = read(crm, admin, lead)
    with crm.unit_of_work(admin) as ctx:
        activities.log(ctx, "voip.call", "Thanked us", [("crm.lead", lead)], direction="in")
    after = read(crm, admin, lead)
    assert after["last_exchange"] == "Thanked us"
    assert after["version"] == before["version"]


def test_without_contact_for_a_week_the_suggestion_is_to_follow_up(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, status="qualified", email="m@example.test")
    with crm.unit_of_work(admin) as ctx:
        activities.log(ctx, "crm.meeting", "Demo", [("crm.lead", lead)], at=ctx.now - timedelta(days=8))
    assert read(crm, admin, lead)["next_action_suggested"] == "follow_up"
    with crm.unit_of_work(admin) as ctx:
        activities.log(ctx, "crm.meeting", "Demo", [("crm.lead", lead)])
    assert read(crm, admin, lead)["next_action_suggested"] == "quote"


def test_the_address_is_remarked_upon(crm: Crm, admin: Actor) -> None:
    alone = new_lead(crm, admin)
    assert read(crm, admin, alone)["email_note"] == "missing"
    assert read(crm, admin, alone)["next_action_suggested"] == "fix_data"
    first = new_lead(crm, admin, email="Same@example.test")
    assert read(crm, admin, first)["email_note"] is None
    second = new_lead(crm, admin, email="same@example.test")
    assert [read(crm, admin, one)["email_note"] for one in (first, second)] == ["duplicate", "duplicate"]
    change(crm, admin, second, email="other@example.test")
    assert [read(crm, admin, one)["email_note"] for one in (first, second)] == [None, None]
    with crm.unit_of_work(admin) as ctx:
        ctx.session.get(Lead, second).email = "not an address"
    assert read(crm, admin, second)["email_note"] == "invalid"


def test_duplicates_within_one_batch_are_seen(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        made = records.create_many(ctx, "crm.lead", [{"email": "a@example.test"}, {"email": "A@example.test"}])
    assert {read(crm, admin, one.id)["email_note"] for one in made} == {"duplicate"}


def test_a_new_status_stands_on_the_timeline(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin)
    change(crm, admin, lead, status="contacted")
    with crm.read(admin) as ctx:
        (entry,) = activities.timeline(ctx, "crm.lead", lead)
    assert (entry.kind, entry.title) == ("crm.change", "New → Contacted")
    assert entry.data == {"field": "status", "from": "new", "to": "contacted"}


def test_the_owner_is_whoever_creates(crm: Crm, make_user: Any) -> None:
    anna = make_user("user")
    lead = new_lead(crm, anna)
    assert read(crm, anna, lead)["owner_id"]["id"] == anna.user_id


def test_rows_written_in_bulk_obey_the_same_rules(crm: Crm, admin: Actor) -> None:
    closed = new_lead(crm, admin, status="won")
    with crm.unit_of_work(admin) as ctx:
        rows = [Lead(last_name="A", email="a@example.test"), Lead(last_name="B", email="A@example.test", status="lost")]
        made = bulk.insert(ctx, [*rows, Lead(first_name="C")], keep_going=True)
    assert [type(error) for error in made.refused.values()] == [Invalid]
    first, second = (read(crm, admin, number) for number in made.ids)
    assert (first["stage"], first["email_note"], first["closed_at"]) == ("discovery", "duplicate", None)
    assert (second["stage"], second["email_note"]) == ("closed", "duplicate")
    assert second["closed_at"] is not None
    with pytest.raises(Locked), crm.unit_of_work(admin) as ctx:
        bulk.update(ctx, ctx.session.registry.entity("crm.lead"), [closed], {"city": "Lyon"})


def test_time_alone_brings_a_lead_up_to_date(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, status="qualified", email="m@example.test")
    closed = new_lead(crm, admin, status="won")
    with crm.unit_of_work(admin) as ctx:
        activities.log(ctx, "crm.meeting", "Demo", [("crm.lead", lead), ("crm.lead", closed)])
        enqueue(ctx, REFRESH_LEADS)
    assert read(crm, admin, lead)["next_action_suggested"] == "quote"
    before = read(crm, admin, lead)["version"]
    crm.database.clock = FixedClock(crm.clock.now() + timedelta(days=8))
    crm.worker().run_pending()
    after = read(crm, admin, lead)
    assert (after["next_action_suggested"], after["version"]) == ("follow_up", before)
    assert read(crm, admin, closed)["next_action_suggested"] == "none"
