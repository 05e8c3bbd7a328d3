"""A lead becomes contact, company and opportunity: duplicates are found first, nothing is lost."""

from typing import Any

import pytest

from gigacore import Actor, Crm, customfields, records
from gigacore.crm import find_duplicates, panels
from gigacore.crm.duplicates import Traits
from gigacore.crm.leads import Lead
from gigacore.data import activities
from gigacore.errors import Conflict, NotFound

LEAD = {
    "first_name": "Élodie",
    "last_name": "Garnier",
    "company_name": "Garnier & Fils",
    "job_title": "Gérante",
    "email": "elodie@garnier.example",
    "email2": "contact@garnier.example",
    "phone": "+33 6 12 34 56 78",
    "phone2": "+33 1 40 00 00 00",
    "website": "https://garnier.example",
    "city": "Nantes",
    "country": "France",
    "source": "referral",
    "amount": {"amount": "12500.50", "currency": "EUR"},
    "tags": ["vip"],
    "description": "Wants to renew everything.",
    "visibility": "read",
}


def convert(sales: Any, lead: int, **params: Any) -> tuple[Any, ...]:
    made = sales.act("crm.lead", lead, "convert", **params)
    names = ("contact", "company", "opportunity")
    return tuple(sales.read(f"crm.{name}", made[name]["id"]) if made[name] else None for name in names)


def test_one_click_makes_all_three_and_keeps_everything(crm: Crm, sales: Any) -> None:
    number = sales.create("crm.lead", **LEAD)
    note = sales.create("crm.note", title="First call", category="call_out", lead_id=number)
    task = sales.create("crm.task", title="Send a catalogue", lead_id=number)
    contact, company, opportunity = convert(sales, number)
    lead = sales.read("crm.lead", number)

    assert (contact["name"], contact["job_title"], contact["city"]) == ("Élodie Garnier", "Gérante", "Nantes")
    assert [row["email"] for row in contact["emails"]] == [LEAD["email"], LEAD["email2"]]
    assert [row["phone"] for row in contact["phones"]] == [LEAD["phone"], LEAD["phone2"]]
    assert contact["links"][0]["url"].startswith(LEAD["website"])
    assert (contact["source"], contact["tags"], contact["visibility"]) == ("referral", ["vip"], "read")
    assert contact["company_id"]["id"] == company["id"]
    assert (company["name"], company["city"], company["kind"]) == ("Garnier & Fils", "Nantes", "prospect")
    assert (opportunity["amount"], opportunity["source"]) == (LEAD["amount"], "referral")
    assert opportunity["description"] == LEAD["description"]
    assert (opportunity["contact_id"]["id"], opportunity["company_id"]["id"]) == (contact["id"], company["id"])
    assert opportunity["lead_id"]["id"] == number
    assert {one["owner_id"]["id"] for one in (lead, contact, company, opportunity)} == {sales.actor.user_id}
    assert (lead["status"], lead["contact_id"]["id"], lead["company_id"]["id"]) == ("won", contact["id"], company["id"])
    for entity, about in (("crm.note", note), ("crm.task", task)):
        assert sales.read(entity, about)["opportunity_id"]["id"] == opportunity["id"]
    with crm.read(sales.actor) as ctx:
        for entity, record in (("crm.contact", contact), ("crm.company", company), ("crm.opportunity", opportunity)):
            assert "First call" in [entry.title for entry in activities.timeline(ctx, entity, record["id"])]


def test_custom_fields_of_the_same_name_are_carried_over(crm: Crm, sales: Any) -> None:
    with crm.unit_of_work(sales.actor) as ctx:
        for entity in ("crm.lead", "crm.opportunity"):
            wanted = {"entity": entity, "key": "x_region", "kind": "text", "label": "Region"}
            customfields.define(ctx, wanted)
    crm.refresh()
    number = sales.create("crm.lead", **LEAD, x_region="West")
    _, _, opportunity = convert(sales, number)
    assert opportunity["x_region"] == "West"


def test_a_contact_with_the_same_address_and_a_company_of_the_same_name_are_used(sales: Any) -> None:
    company = sales.create("crm.company", name="GARNIER & fils", city="Rezé")
    contact = sales.create(
        "crm.contact", first_name="Élodie", last_name="Garnier", emails=[{"email": "Elodie@garnier.example"}]
    )
    number = sales.create("crm.lead", **LEAD)
    found_contact, found_company, _ = convert(sales, number)
    assert (found_contact["id"], found_company["id"]) == (contact, company)
    assert found_company["city"] == "Rezé"
    assert [row["email"] for row in found_contact["emails"]] == ["Elodie@garnier.example", LEAD["email2"]]
    assert len(found_contact["phones"]) == 2
    assert found_contact["job_title"] == "Gérante"


def test_new_records_are_made_when_asked_for(sales: Any) -> None:
    company = sales.create("crm.company", name="Garnier & Fils")
    _, made, _ = convert(sales, sales.create("crm.lead", **LEAD), new=True)
    assert made["id"] != company


def test_named_records_are_used_and_hidden_ones_are_not_found(crm: Crm, sales: Any, make_user: Any) -> None:
    anna = make_user("user")
    hidden = sales.create("crm.contact", first_name="Marc", last_name="Petit")
    with crm.unit_of_work(anna) as ctx:
        lead = records.create(ctx, "crm.lead", LEAD).id
    with pytest.raises(NotFound), crm.unit_of_work(anna) as ctx:
        records.run_action(ctx, "crm.lead", lead, "convert", {"contact_id": hidden})
    with crm.unit_of_work(anna) as ctx:
        records.run_action(ctx, "crm.lead", lead, "convert", {})
    assert len(sales.all("crm.contact")) == 2


def test_it_happens_once_and_not_to_a_lost_lead(sales: Any) -> None:
    number = sales.create("crm.lead", **LEAD)
    convert(sales, number)
    with pytest.raises(Conflict):
        convert(sales, number)
    lost = sales.create("crm.lead", last_name="Roux", status="lost")
    with pytest.raises(Conflict):
        convert(sales, lost)
    assert len(sales.all("crm.opportunity")) == 1


def test_a_refusal_at_the_end_leaves_nothing_behind(crm: Crm, sales: Any) -> None:
    number = sales.create("crm.lead", **LEAD)
    for pipeline in {stage["pipeline_id"]["id"] for stage in sales.all("crm.stage")}:
        sales.update("crm.pipeline", pipeline, active=False)
    with pytest.raises(Exception, match="pipeline"):
        convert(sales, number)
    assert sales.all("crm.contact") == sales.all("crm.company") == []
    assert sales.read("crm.lead", number)["converted_at"] is None


@pytest.mark.parametrize(
    ("values", "person", "organisation"),
    [
        ({"company_name": "Alpha", "email": "info@alpha.example"}, None, "Alpha"),
        ({"email": "jean.dupont@mail.example"}, "Jean Dupont", None),
        ({"email": "jdupont@mail.example"}, "jdupont", None),
        ({"last_name": "Dupont"}, "Dupont", None),
    ],
)
def test_leads_that_name_little(sales: Any, values: dict[str, Any], person: str | None, organisation: str) -> None:
    contact, company, opportunity = convert(sales, sales.create("crm.lead", **values))
    assert (contact and contact["name"], company and company["name"]) == (person, organisation)
    assert opportunity
    kept = contact["emails"][0]["email"] if contact and contact["emails"] else company and company["email"]
    assert kept == values.get("email")


def test_without_opportunity_and_without_closing(sales: Any) -> None:
    number = sales.create("crm.lead", **LEAD)
    _, _, opportunity = convert(sales, number, opportunity=False, close=False)
    assert opportunity is None
    assert sales.read("crm.lead", number)["status"] == "new"


def test_duplicates_are_found_by_address_number_and_name(crm: Crm, sales: Any, make_user: Any, admin: Actor) -> None:
    emails, phones = [{"email": "a@x.example"}], [{"phone": "06 11 22 33 44"}]
    contact = sales.create("crm.contact", first_name="Léa", last_name="Noël", emails=emails, phones=phones)
    lead = sales.create("crm.lead", last_name="Noel", company_name="Île bleue", email2="A@x.example")
    traits = Traits(("A@X.example",), ("0611223344",), "lea", "NOEL", "ile bleue")
    with crm.read(admin) as ctx:
        found = {(one.entity, one.id): one.reasons for one in find_duplicates(ctx, traits)}
        assert find_duplicates(ctx, Traits(last_name="Noel")) == []
        links = panels.known_people(ctx, ctx.session.get(Lead, lead))
    assert found == {("crm.contact", contact): ("email", "phone"), ("crm.lead", lead): ("email", "name")}
    assert [link.id for link in links] == [contact]
    with crm.read(make_user("user")) as ctx:
        assert find_duplicates(ctx, traits) == []


def test_what_came_of_a_lead_can_be_deleted_although_the_lead_is_locked(crm: Crm, sales: Any) -> None:
    number = sales.create("crm.lead", **LEAD)
    contact, company, opportunity = convert(sales, number)
    with crm.unit_of_work(sales.actor) as ctx:
        records.delete(ctx, "crm.opportunity", opportunity["id"])
        records.delete(ctx, "crm.contact", contact["id"])
        records.delete(ctx, "crm.company", company["id"])
    lead = sales.read("crm.lead", number)
    assert (lead["contact_id"], lead["company_id"], lead["status"]) == (None, None, "won")
