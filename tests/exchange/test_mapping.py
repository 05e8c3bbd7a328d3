"""Headings of other programs find their fields without anybody's help."""

from __future__ import annotations

import pytest

from gigacore import Crm
from gigacore.errors import Invalid
from gigacore.exchange.mapping import is_identity, normal, parse, suggest
from tests.exchange.samples import CUSTOMER_HEADINGS, LEAD_HEADINGS


def test_lead_file(crm: Crm) -> None:
    found = suggest(LEAD_HEADINGS, crm.registry.entity("crm.lead"))
    assert found.columns == {
        "Index": "", "Account Id": "external_id", "Lead Owner": "owner_id", "First Name": "first_name",
        "Last Name": "last_name", "Company": "company_name", "Phone 1": "phone", "Phone 2": "phone2",
        "Email 1": "email", "Email 2": "email2", "Website": "website", "Source": "source", "Deal Stage": "status",
        "Notes": "description",
    }  # fmt: skip
    assert found.key == "Account Id"
    assert found.ignored == ["Index"]


def test_customer_file(crm: Crm) -> None:
    found = suggest(CUSTOMER_HEADINGS, crm.registry.entity("crm.contact"))
    assert found.columns["Company"] == "company_id"
    assert (found.columns["Phone 1"], found.columns["Phone 2"]) == ("phones.0.phone", "phones.1.phone")
    assert found.columns["Email"] == "emails.0.email"
    assert found.columns["Website"] == "links.0.url"
    assert found.ignored == ["Index", "Subscription Date"]
    assert found.key == "Customer Id"


def test_french_headings(crm: Crm) -> None:
    headings = ["Prénom", "Nom", "Société", "Téléphone", "Portable", "Courriel", "Ville", "Propriétaire",
                "Identifiant client", "Commentaires"]  # fmt: skip
    found = suggest(headings, crm.registry.entity("crm.contact"))
    assert list(found.columns.values()) == [
        "first_name", "last_name", "company_id", "phones.0.phone", "phones.1.phone", "emails.0.email", "city",
        "owner_id", "external_id", "description",
    ]  # fmt: skip


def test_a_heading_in_the_words_of_a_translation(crm: Crm) -> None:
    def klingon(text: str) -> str:
        return {"First name": "pong wa'DIch"}.get(text, text)

    found = suggest(["Pong wa'DIch"], crm.registry.entity("crm.contact"), [klingon])
    assert list(found.columns.values()) == ["first_name"]


def test_no_field_is_taken_twice(crm: Crm) -> None:
    found = suggest(["City", "Town", "Ville"], crm.registry.entity("crm.company"))
    targets = [target for target in found.columns.values() if target]
    assert len(targets) == len(set(targets))
    assert found.columns["City"] == "city"


@pytest.mark.parametrize(
    "heading", ["Account Id", "customer_id", "OrganizationId", "Identifiant client", "ID", "Lead Reference"]
)
def test_keys_of_other_systems_are_recognised(heading: str) -> None:
    assert is_identity(normal(heading))


@pytest.mark.parametrize("heading", ["Name", "Idea", "Hotel id", "Country code"])
def test_other_headings_are_no_keys(heading: str) -> None:
    assert not is_identity(normal(heading))


@pytest.mark.parametrize(
    "mapping",
    [
        {"A": "no_such_field"},
        {"A": "created_at"},
        {"A": "version"},
        {"A": "phones.0.nothing"},
        {"A": "phones.99.phone"},
        {"A": "city", "B": "city"},
        {"C": "city"},
        {"A": ""},
        {"A": "email"},
    ],
    ids=str,
)
def test_faulty_mapping_is_refused(crm: Crm, mapping: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        parse(mapping, ["A", "B"], crm.registry.entity("crm.contact"))
