"""Opportunities: pipeline and stage, probability, history, closing, money, stages' own tasks."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.clock import FixedClock
from gigacore.crm import panels
from gigacore.data import currency, settings
from gigacore.errors import Conflict, InTheWay, Invalid


@pytest.fixture
def company(sales: Any) -> int:
    return sales.create("crm.company", name="Atelier Nord")


def new(sales: Any, company: int, **values: Any) -> int:
    return sales.create("crm.opportunity", title="Workshop", company_id=company, **values)


def test_it_begins_in_the_first_stage_of_the_first_pipeline(sales: Any, company: int) -> None:
    made = sales.read("crm.opportunity", new(sales, company))
    assert made["stage_id"]["label"] == "Prospect"
    assert (made["probability"], made["visibility"], made["closed_at"]) == (10, "read", None)
    assert [visit["stage_id"]["label"] for visit in made["stage_visits"]] == ["Prospect"]


def test_the_stage_belongs_to_the_pipeline(sales: Any, company: int) -> None:
    other = sales.second_pipeline()
    number = new(sales, company, stage_id=sales.stages()["Proposal"])
    with pytest.raises(Invalid, match="another pipeline"):
        sales.update("crm.opportunity", number, stage_id=sales.stages(other)["Qualified"])
    assert sales.read("crm.opportunity", number)["stage_id"]["label"] == "Proposal"
    sales.update("crm.opportunity", number, pipeline_id=other)
    moved = sales.read("crm.opportunity", number)
    assert moved["stage_id"]["id"] == sales.stages(other)["Prospect"]
    sales.update("crm.opportunity", number, pipeline_id=other, stage_id=sales.stages(other)["Qualified"])
    assert sales.read("crm.opportunity", number)["probability"] == 30


def test_time_spent_in_each_stage_is_recorded(crm: Crm, sales: Any, company: int) -> None:
    start = crm.clock.now()
    crm.database.clock = FixedClock(start)
    number = new(sales, company)
    crm.database.clock = FixedClock(start + timedelta(hours=30))
    sales.update("crm.opportunity", number, stage_id=sales.stages()["Negotiation"])
    crm.database.clock = FixedClock(start + timedelta(hours=40))
    sales.act("crm.opportunity", number, "won")
    visits = sales.read("crm.opportunity", number)["stage_visits"]
    assert [(visit["stage_id"]["label"], visit["days"]) for visit in visits] == [
        ("Prospect", "1.25"),
        ("Negotiation", "0.42"),
        ("Won", None),
    ]


def test_the_history_cannot_be_written_by_people(sales: Any, company: int) -> None:
    number = new(sales, company)
    with pytest.raises(Invalid):
        sales.update("crm.opportunity", number, stage_visits=[])
    assert len(sales.read("crm.opportunity", number)["stage_visits"]) == 1


def test_won_lost_and_reopened(sales: Any, company: int) -> None:
    number = new(sales, company)
    sales.act("crm.opportunity", number, "lost", lost_reason="price")
    lost = sales.read("crm.opportunity", number)
    assert (lost["stage_id"]["label"], lost["probability"], lost["lost_reason"]) == ("Lost", 0, "price")
    assert lost["closed_at"] is not None
    sales.act("crm.opportunity", number, "reopen", stage_id=sales.stages()["Proposal"])
    again = sales.read("crm.opportunity", number)
    assert (again["stage_id"]["label"], again["closed_at"], again["lost_reason"]) == ("Proposal", None, None)
    sales.act("crm.opportunity", number, "won")
    assert sales.read("crm.opportunity", number)["probability"] == 100
    assert sales.read("crm.company", company)["kind"] == "customer"


def test_contact_or_company_is_required(sales: Any) -> None:
    with pytest.raises(Invalid) as refused:
        sales.create("crm.opportunity", title="For nobody")
    assert {error.path for error in refused.value.errors} == {"contact_id", "company_id"}


def test_budgets_per_period_have_a_number_of_periods(sales: Any, company: int) -> None:
    amount = {"amount": "400.10", "currency": "EUR"}
    number = new(sales, company, amount=amount, budget_kind="per_day", quantity=12)
    made = sales.read("crm.opportunity", number)
    assert made["total"] == {"amount": "4801.20", "currency": "EUR"}
    assert made["weighted"] == {"amount": "480.12", "currency": "EUR"}
    sales.update("crm.opportunity", number, budget_kind="fixed")
    assert sales.read("crm.opportunity", number)["total"] == {"amount": "400.10", "currency": "EUR"}


def test_a_changed_probability_of_the_stage_is_followed(crm: Crm, sales: Any, company: int) -> None:
    number = new(sales, company, amount={"amount": "1000", "currency": "EUR"})
    version = sales.read("crm.opportunity", number)["version"]
    sales.update("crm.stage", sales.stages()["Prospect"], probability=20)
    crm.worker().run_pending()
    after = sales.read("crm.opportunity", number)
    assert (after["probability"], after["weighted"]["amount"], after["version"]) == (20, "200.00", version)


def test_a_stage_creates_its_tasks(sales: Any, company: int) -> None:
    wanted = [{"title": "Send the proposal", "category": "email", "due_in_days": 2}]
    sales.update("crm.stage", sales.stages()["Proposal"], tasks=wanted)
    number = new(sales, company)
    assert sales.all("crm.task") == []
    sales.update("crm.opportunity", number, stage_id=sales.stages()["Proposal"])
    (task,) = sales.all("crm.task")
    assert (task["title"], task["opportunity_id"]["id"], task["status"]) == ("Send the proposal", number, "open")


def test_a_company_with_opportunities_cannot_be_deleted(sales: Any, company: int) -> None:
    number = new(sales, company)
    with pytest.raises(InTheWay) as refused, sales.crm.unit_of_work(sales.actor) as ctx:
        records.delete(ctx, "crm.company", company)
    assert [(one.entity, one.id) for one in refused.value.obstacles] == [("crm.opportunity", number)]
    with sales.crm.unit_of_work(sales.actor) as ctx:
        records.delete(ctx, "crm.opportunity", number)
        records.delete(ctx, "crm.company", company)
    assert sales.all("crm.company") == []


def test_totals_per_currency_and_in_the_base_currency(crm: Crm, sales: Any, company: int) -> None:
    for amount, code in (("100.10", "EUR"), ("200.20", "EUR"), ("110", "USD"), ("5000", "JPY")):
        new(sales, company, amount={"amount": amount, "currency": code})
    new(sales, company)
    with crm.unit_of_work(sales.actor) as ctx:
        currency.set_rate(ctx, "EUR", "USD", date(2020, 1, 1), Decimal("1.1"))
    with crm.read(sales.actor) as ctx:
        found = records.totals(ctx, "crm.opportunity", "amount")
        euros = records.totals(
            ctx, "crm.opportunity", "amount", {"field": "amount.currency", "op": "eq", "value": "EUR"}
        )
    sums = {money.currency: money.amount for money in found.sums}
    assert sums == {"EUR": Decimal("300.3"), "USD": Decimal(110), "JPY": Decimal(5000)}
    assert (found.total.amount, found.total.currency, found.missing) == (Decimal("400.3"), "EUR", ("JPY",))
    assert (euros.total.amount, euros.missing) == (Decimal("300.3"), ())


def test_recurring_revenue_has_a_usual_duration_and_can_be_switched_off(crm: Crm, sales: Any, company: int) -> None:
    monthly = {"amount": "50", "currency": "EUR"}
    number = new(sales, company, recurring=monthly)
    assert sales.read("crm.opportunity", number)["recurring_months"] == 12
    with crm.unit_of_work(sales.actor) as ctx:
        settings.put(ctx, "crm.recurring_revenue", False)
        settings.put(ctx, "crm.recurring_months", 24)
    with pytest.raises(Invalid, match="switched off"):
        new(sales, company, recurring=monthly)
    sales.update("crm.opportunity", number, title="Still sold as before")


def test_a_stage_that_was_ever_passed_cannot_be_deleted(crm: Crm, sales: Any, company: int) -> None:
    number = new(sales, company)
    sales.update("crm.opportunity", number, stage_id=sales.stages()["Qualified"])
    for name in ("Qualified", "Prospect"):
        with pytest.raises(Conflict), crm.unit_of_work(sales.actor) as ctx:
            records.delete(ctx, "crm.stage", sales.stages()[name])
    with crm.unit_of_work(sales.actor) as ctx:
        records.delete(ctx, "crm.stage", sales.stages()["Negotiation"])
    assert "Negotiation" not in sales.stages()


def test_a_team_begins_in_its_own_pipeline(crm: Crm, sales: Any, make_user: Any, company: int) -> None:
    anna, ben = make_user("user", "renewals"), make_user("user", "others")
    renewals = sales.second_pipeline()
    sales.update("crm.pipeline", renewals, teams=[{"team_id": anna.team_id}])
    sales.update("crm.company", company, visibility="read")
    found = []
    for actor in (anna, ben):
        with crm.unit_of_work(actor) as ctx:
            made = records.create(ctx, "crm.opportunity", {"title": "Contract", "company_id": company})
            found.append(made.pipeline_id == renewals)
    assert found == [True, False]


def test_what_is_known_of_the_customer_is_shown_unless_switched_off(crm: Crm, sales: Any, company: int) -> None:
    sales.update("crm.company", company, notes="Pays within a week")
    number = new(sales, company)
    with crm.unit_of_work(sales.actor) as ctx:
        (facts,) = panels.customer(ctx, records.load(ctx, "crm.opportunity", number))
        settings.put(ctx, "crm.customer_notes", False)
    assert [fact.value for fact in facts.items] == ["Pays within a week"]
    with crm.read(sales.actor) as ctx:
        assert panels.customer(ctx, records.load(ctx, "crm.opportunity", number)) == ()
