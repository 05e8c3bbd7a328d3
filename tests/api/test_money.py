"""Currencies, rates and sums over the API: a missing rate is shown, not guessed."""

from __future__ import annotations

import pytest

from tests.api.conftest import Digest, People


def test_sums_are_per_currency_with_a_total_in_ones_own(people: People) -> None:
    for amount, currency in (("10.50", "EUR"), ("4.50", "EUR"), ("20", "USD")):
        people.ann.make("/crm/leads", {"last_name": "A", "amount": {"amount": amount, "currency": currency}})
    found = people.ann("GET", "/crm/leads/sums?field=amount").get_json()
    assert found["sums"] == [{"amount": "15.00", "currency": "EUR"}, {"amount": "20.00", "currency": "USD"}]
    assert found["missing_rates"] == ["USD"]
    rate = {"base": "EUR", "code": "USD", "on": "2020-01-01", "rate": "2"}
    assert people.admin("POST", "/core/rates", rate).status_code == 201
    found = people.ann("GET", "/crm/leads/sums?field=amount").get_json()
    assert found["total"] == {"amount": "25.00", "currency": "EUR"}
    assert found["missing_rates"] == []


def test_sums_follow_filter_and_sight(people: People) -> None:
    euros = {"amount": "7", "currency": "EUR"}
    people.ann.make("/crm/leads", {"last_name": "A", "city": "Lyon", "amount": euros, "visibility": "private"})
    people.ann.make("/crm/leads", {"last_name": "B", "city": "Lille", "amount": euros, "visibility": "private"})
    assert people.ann("GET", "/crm/leads/sums?field=amount&city=lyon").get_json()["total"]["amount"] == "7.00"
    assert people.ben("GET", "/crm/leads/sums?field=amount").get_json()["sums"] == []


def test_sums_over_a_condition_on_another_record(people: People) -> None:
    firm = people.ann.make("/crm/companies", {"name": "Un"})["id"]
    for title in ("Deal", "Other"):
        amount = {"amount": "40", "currency": "EUR"}
        people.ann.make("/crm/opportunities", {"title": title, "company_id": firm, "amount": amount})
    query = '?field=amount&filter={"field": "company_id.name", "op": "eq", "value": "un"}'
    assert people.ann("GET", f"/crm/opportunities/sums{query}").get_json()["total"]["amount"] == "80.00"


@pytest.mark.parametrize("query", ["", "?field=nothing", "?field=last_name", "?field=amount&nothing=1"])
def test_only_money_that_is_there_is_summed(people: People, query: str) -> None:
    assert people.ann("GET", f"/crm/leads/sums{query}").status_code == 422


@pytest.mark.parametrize(
    "change",
    [{"rate": "0"}, {"rate": "x"}, {"code": "EUR"}, {"code": "ZZZ"}, {"on": "soon"}, {"more": 1}, {"rate": None}],
)
def test_a_bad_rate_changes_nothing(people: People, change: dict[str, object], digest: Digest) -> None:
    before = digest()
    body = {"base": "EUR", "code": "USD", "on": "2026-01-01", "rate": "1.1", **change}
    assert people.admin("POST", "/core/rates", body).status_code == 422
    assert digest() == before


def test_rates_are_stated_by_administrators_and_read_by_all(people: People) -> None:
    body = {"base": "EUR", "code": "USD", "on": "2026-01-01", "rate": "1.0832"}
    assert people.ann("POST", "/core/rates", body).status_code == 403
    assert people.admin("POST", "/core/rates", body).status_code == 201
    assert people.ann("GET", "/core/rates").get_json()["items"][0]["rate"] == "1.0832"
    assert people.ann("GET", "/core/currencies").get_json()["base"] == "EUR"
