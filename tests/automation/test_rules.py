"""Rules: what starts them, what they do, with whose rights, and that nothing is lost or done twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, notices, records
from gigacore.clock import FixedClock
from gigacore.data import activities
from gigacore.data.tables import core_delivery, core_outbox
from gigacore.entity.kinds import iso
from gigacore.errors import Conflict, Forbidden, Invalid, NotFound
from gigacore.jobs.tables import core_schedule
from tests.automation.conftest import LEAD, Rules, put

MakeUser = Callable[..., Actor]
WON = {"kind": "core.becomes", "field": "status", "value": "won"}


def test_a_rule_fills_fields_of_a_new_record_and_the_log_and_timeline_tell(crm: Crm, rules: Rules) -> None:
    rule = rules.on("core.created", [put(city="{{ record.last_name }}ville")])
    lead = rules.lead()
    assert rules.read(lead)["city"] == "Martinville"
    (run,) = rules.runs(rule_id=rule)
    assert (run.state, run.record_id, run.label) == ("done", lead, "Martin")
    assert run.steps == [{"at": "steps[0]", "do": "core.set_fields", "did": {"fields": ["city"]}}]
    with crm.read(rules.actor) as ctx:
        kinds = [one.kind for one in activities.timeline(ctx, "crm.lead", lead)]
    assert "core.automation" in kinds


def test_without_the_rule_nothing_happens(rules: Rules) -> None:
    assert rules.read(rules.lead())["city"] is None
    assert rules.runs() == []


def test_conditions_see_the_change(rules: Rules) -> None:
    when = {
        "all": [
            {"field": "city", "op": "changed_to", "value": "Paris"},
            {"field": "last_name", "op": "starts", "value": "Mar"},
        ]
    }
    rule = rules.on("core.updated", [put(country="FR")], when=when)
    lead = rules.lead()
    rules.change(lead, job_title="Buyer")
    assert rules.runs(rule_id=rule) == []
    rules.change(lead, city="Paris")
    assert rules.read(lead)["country"] == "FR"
    (run,) = rules.runs(rule_id=rule)
    assert [part["is"] for part in run.trace["all"]] == [True, True]
    rules.change(lead, job_title="Director", country="BE")
    assert rules.read(lead)["country"] == "BE"


def test_a_field_becomes_a_value_only_when_it_was_another(rules: Rules) -> None:
    rule = rules.on({"kind": "core.becomes", "field": "city", "value": "Paris"}, [put(country="FR")])
    lead = rules.lead(city="Paris")
    rules.change(lead, job_title="x")
    rules.change(lead, city="Lyon")
    rules.change(lead, city="Paris")
    assert len(rules.runs(rule_id=rule)) == 2


def test_branch_wait_create_and_assign(crm: Crm, rules: Rules, make_user: MakeUser) -> None:
    clock = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
    crm.database.clock = crm.clock = clock
    one, two = make_user(name="One"), make_user(name="Two")
    branch = {
        "if": {"field": "city", "op": "eq", "value": "Lyon"},
        "then": [{"do": "core.assign", "with": {"to": [one.user_id]}}],
        "else": [{"do": "core.assign", "with": {"to": two.user_id}}],
    }
    task = {"title": "Call {{ record.last_name }}", "due_at": {"ahead": "P2D"}}
    steps = [branch, {"wait": "P1D"}, {"do": "core.create_record", "with": {"entity": "crm.task", "values": task}}]
    rules.on("core.created", steps)
    lyon, paris = rules.lead(city="Lyon"), rules.lead(city="Paris")
    assert rules.read(lyon)["owner_id"]["id"] == one.user_id
    assert rules.read(paris)["owner_id"]["id"] == two.user_id
    assert [run.state for run in rules.runs()] == ["waiting", "waiting"]
    assert tasks(rules) == []
    clock.advance(timedelta(days=1, minutes=1))
    crm.jobs.run_pending()
    assert sorted(task["title"] for task in tasks(rules)) == ["Call Martin", "Call Martin"]
    assert {run.state for run in rules.runs()} == {"done"}


def tasks(rules: Rules) -> list[dict[str, Any]]:
    with rules.crm.read(rules.actor) as ctx:
        return records.page(ctx, "crm.task", records.ListRequest()).items


def test_a_rule_acts_with_its_owners_rights(crm: Crm, rules: Rules, make_user: MakeUser) -> None:
    seller = make_user("user", name="Sam Seller")
    rule = rules.on("core.created", [put(city="Lyon")], actor=seller)
    own = rules.lead(actor=seller)
    assert rules.read(own)["city"] == "Lyon"
    secret = rules.lead(visibility="private")
    assert rules.read(secret)["city"] is None
    hidden, done = rules.runs(rule_id=rule)
    assert (hidden.state, done.state) == ("skipped", "done")
    assert rules.runs(actor=seller)[0].label == ""
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("user").automation("x")) as ctx:
        crm.automation.hand_over(ctx, rule, seller.user_id or 0)


def test_another_persons_rules_and_runs_are_out_of_sight(crm: Crm, rules: Rules, make_user: MakeUser) -> None:
    rule = rules.on("core.created", [put(city="Lyon")])
    rules.lead()
    other = make_user("user")
    with crm.unit_of_work(other) as ctx:
        assert crm.automation.rules(ctx) == []
        with pytest.raises(NotFound):
            crm.automation.switch(ctx, rule, active=False)
    assert rules.runs(actor=other) == []
    assert len(rules.runs()) == 1


def test_what_a_record_refuses_fails_the_run_undoes_its_steps_and_can_be_tried_again(crm: Crm, rules: Rules) -> None:
    rule = rules.on(
        "core.updated",
        [put(city="Lyon"), put(email="{{ record.job_title }}")],
        when={"field": "job_title", "op": "changed", "value": True},
    )
    lead = rules.lead()
    rules.change(lead, job_title="no address")
    (run,) = rules.runs(rule_id=rule)
    assert run.state == "failed"
    assert str(run.error) == "E-mail: This is not an e-mail address."
    assert rules.read(lead)["city"] is None
    with crm.unit_of_work(rules.actor) as ctx:
        records.update(ctx, "crm.lead", lead, {"job_title": "a@example.test"})
        crm.automation.retry(ctx, run.id)
    crm.jobs.run_pending()
    assert rules.read(lead)["city"] == "Lyon"
    assert {one.state for one in rules.runs(rule_id=rule)} == {"done"}
    with pytest.raises(Conflict), crm.unit_of_work(rules.actor) as ctx:
        crm.automation.retry(ctx, run.id)


def test_two_rules_that_set_each_other_off_stop(rules: Rules) -> None:
    rules.on(
        {"kind": "core.updated", "fields": ["city"]},
        [put(country="{% if record.country == 'FR' %}BE{% else %}FR{% endif %}")],
    )
    rules.on({"kind": "core.updated", "fields": ["country"]}, [put(city="{{ record.city }}x")])
    lead = rules.lead(city="a")
    rules.change(lead, city="b")
    assert rules.read(lead)["city"] == "bx"
    assert len(rules.runs()) == 2


def test_a_chain_over_new_records_stops_at_five(rules: Rules) -> None:
    copy = {"entity": "crm.lead", "values": {"last_name": "{{ record.last_name }}x"}}
    rules.on("core.created", [{"do": "core.create_record", "with": copy}])
    rules.lead(last_name="a")
    states = [run.state for run in rules.runs()]
    assert states.count("done") == 5
    assert states.count("skipped") == 1


def test_an_event_delivered_twice_starts_one_run(crm: Crm, rules: Rules) -> None:
    rules.on("core.created", [put(city="{{ record.city or '' }}x")])
    lead = rules.lead()
    with crm.database.begin() as connection:
        connection.execute(core_delivery.update().values(state="new", attempts=0, done_at=None))
        assert connection.execute(core_outbox.select()).first() is not None
    crm.jobs.run_pending()
    assert rules.read(lead)["city"] == "x"
    assert len(rules.runs()) == 1


def test_rules_are_off_where_they_were_switched_off(crm: Crm, rules: Rules) -> None:
    rule = rules.on("core.created", [put(city="Lyon")])
    with crm.unit_of_work(rules.actor, rules_enabled=False) as ctx:
        imported = records.create(ctx, "crm.lead", LEAD).id
    crm.jobs.run_pending()
    assert rules.read(imported)["city"] is None
    with crm.unit_of_work(rules.actor) as ctx:
        crm.automation.switch(ctx, rule, active=False)
    assert rules.read(rules.lead())["city"] is None
    with crm.unit_of_work(rules.actor) as ctx:
        crm.automation.switch(ctx, rule, active=True)
    assert rules.read(rules.lead())["city"] == "Lyon"


def test_deleted_records_and_actions_start_rules(crm: Crm, rules: Rules) -> None:
    note = {"entity": "crm.company", "values": {"name": "Once {{ record.last_name }}"}}
    rules.on("core.deleted", [{"do": "core.create_record", "with": note}])
    rules.on(
        {"kind": "core.action", "action": "won"},
        [{"do": "core.run_action", "with": {"action": "reopen", "values": {}}}],
    )
    gone, won = rules.lead(last_name="Durand"), rules.lead()
    with crm.unit_of_work(rules.actor) as ctx:
        records.delete(ctx, "crm.lead", gone)
        records.run_action(ctx, "crm.lead", won, "won", {})
    crm.jobs.run_pending()
    with crm.read(rules.actor) as ctx:
        assert [one["name"] for one in records.page(ctx, "crm.company", records.ListRequest()).items] == ["Once Durand"]
    assert rules.read(won)["closed_at"] is None


@pytest.fixture
def clock(crm: Crm) -> FixedClock:
    found = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
    crm.database.clock = crm.clock = found
    return found


def test_the_clock_starts_rules_once_for_each_occasion(crm: Crm, rules: Rules, clock: FixedClock) -> None:
    near = {"kind": "core.date", "field": "next_action_at", "distance": 1, "unit": "days", "side": "before"}
    rules.on(near, [put(city="near")])
    rules.on({"kind": "core.inactive", "days": 14}, [put(job_title="idle")])
    rules.on(
        {"kind": "core.schedule", "cron": "0 9 * * *"},
        [{"do": "core.create_record", "with": {"entity": "crm.company", "values": {"name": "Morning"}}}],
        entity=None,
    )
    lead = rules.lead(next_action_at="2026-03-10T12:00:00Z")
    tick(crm, clock, days=1)
    assert rules.read(lead)["city"] is None
    for _ in range(3):
        tick(crm, clock, days=3)
    assert rules.read(lead)["city"] == "near"
    assert rules.read(lead)["job_title"] is None
    for _ in range(3):
        tick(crm, clock, days=3)
    assert rules.read(lead)["job_title"] == "idle"
    names = [run.event_name for run in rules.runs()]
    assert (names.count("core.date"), names.count("core.inactive"), names.count("core.schedule")) == (1, 1, 7)


def test_a_date_starts_its_rule_within_a_minute_and_once(crm: Crm, rules: Rules, clock: FixedClock) -> None:
    rules.on({"kind": "core.date", "field": "next_action_at", "distance": 0}, [put(city="now")])
    lead = rules.lead(next_action_at=iso(clock.now() + timedelta(minutes=3, seconds=10)))
    seen = []
    for _ in range(16):
        tick(crm, clock, minutes=1)
        seen.append(rules.read(lead)["city"])
    assert seen == [None] * 3 + ["now"] * 13
    assert len(rules.runs()) == 1
    crm.jobs.start("inline")
    with crm.database.connect() as connection:
        rows = connection.execute(sa.select(core_schedule.c.name, core_schedule.c.every_seconds)).all()
    assert {("core.rule_clock", 60), ("crm.remind", 60)} <= {tuple(row) for row in rows}


def tick(crm: Crm, clock: FixedClock, **later: int) -> None:
    clock.advance(timedelta(**later))
    with crm.system("tick") as ctx:
        crm.jobs.enqueue(ctx, "core.rule_clock")
    crm.jobs.run_pending()


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"entity": "crm.nothing"}, "entity"),
    ({"trigger": {"kind": "sms.received"}}, "trigger.kind"),
    ({"trigger": WON | {"field": "colour"}}, "trigger.field"),
    ({"when": {"field": "colour", "op": "eq", "value": 1}}, "when.field"),
    ({"steps": []}, "steps"),
    ({"steps": [{"do": "core.fly"}]}, "steps[0].do"),
    ({"steps": [{"wait": "soon"}]}, "steps[0].wait"),
    ({"steps": [put(colour="red")]}, "steps[0].with.values.colour"),
    ({"steps": [put(email="not an address")]}, "steps[0].with.values.email"),
    ({"steps": [put(city="{{ record.city")]}, "steps[0].with.values.city"),
    ({"steps": [put(city="{{ record.town }}")]}, "steps[0].with.values.city"),
    ({"steps": [put(city="{{ lead.city }}")]}, "steps[0].with.values.city"),
    ({"steps": [{"if": {"field": "x", "op": "eq", "value": 1}, "then": []}]}, "steps[0].if.field"),
    ({"steps": [{"jump": 3}]}, "steps[0]"),
    ({"colour": "red"}, "colour"),
]


def test_a_name_that_may_be_missing_is_allowed(crm: Crm, admin: Actor) -> None:
    texts = ["{{ record.town | default('-') }}", "{% if record.town is defined %}x{% endif %}", "{{ event.any.thing }}"]
    body = {"entity": "crm.lead", "trigger": {"kind": "core.created"}, "steps": [put(city=text) for text in texts]}
    with crm.unit_of_work(admin) as ctx:
        assert crm.automation.create(ctx, "Careful", body).definition is not None


@pytest.mark.parametrize(("part", "path"), BROKEN)
def test_a_rule_that_cannot_work_is_refused_with_its_place(
    crm: Crm, admin: Actor, part: dict[str, Any], path: str
) -> None:
    body = {"entity": "crm.lead", "trigger": {"kind": "core.created"}, "steps": [put(city="Lyon")]} | part
    with pytest.raises(Invalid) as refused, crm.unit_of_work(admin) as ctx:
        crm.automation.create(ctx, "Broken", body)
    assert [error.path for error in refused.value.errors] == [path]


def test_versions_and_concurrent_changes(crm: Crm, rules: Rules) -> None:
    rule = rules.on("core.created", [put(city="Lyon")])
    with crm.unit_of_work(rules.actor) as ctx:
        old = crm.automation.rule(ctx, rule)
        crm.automation.update(ctx, rule, name="Second", body=old.body, version=old.version)
        with pytest.raises(Conflict):
            crm.automation.update(ctx, rule, name="Third", body=old.body, version=old.version)
        assert [(one.version, one.name) for one in crm.automation.versions(ctx, rule)] == [
            (2, "Second"),
            (1, "Welcome"),
        ]
        copy = crm.automation.duplicate(ctx, rule, "Copy")
        assert (copy.active, copy.body) == (False, old.body)
        crm.automation.delete(ctx, rule)
        with pytest.raises(NotFound):
            crm.automation.rule(ctx, rule)


def test_a_rule_sends_a_mail_and_notifies(crm: Crm, rules: Rules) -> None:
    welcome = {"do": "core.send_mail", "with": {"subject": "Hello {{ record.last_name }}", "text": "Welcome"}}
    tell = {"do": "core.notify", "with": {"to": ["owner"], "text": "New: {{ record.last_name }}"}}
    rules.on("core.created", [welcome, tell])
    lead = rules.lead(email="martin@example.test")
    (written,) = (crm.settings.data_dir / "mail").glob("*.eml")
    assert "Subject: Hello Martin" in written.read_text("utf-8")
    with crm.read(rules.actor) as ctx:
        (notice,) = notices.listing(ctx)
        kinds = [one.kind for one in activities.timeline(ctx, "crm.lead", lead)]
    assert (str(notice.message), notice.record_id) == ("New: Martin", lead)
    assert {"core.mail", "core.automation"} <= set(kinds)
    rules.lead()
    failed = rules.runs()[0]
    assert (failed.state, str(failed.error)) == ("failed", "The record has no e-mail address.")
