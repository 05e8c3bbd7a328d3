"""Scores appear, follow what happens to a lead, explain themselves, and leave no trace when the plugin is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from gigacore_lead_scoring import plugin
from gigacore_lead_scoring.rules import FAMILIES, Facts, score
from hypothesis import given
from hypothesis import strategies as st

from gigacore import Actor, Crm, Invalid, Plugin, records
from gigacore.data import settings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [plugin]


def new_lead(crm: Crm, actor: Actor, **values: object) -> int:
    with crm.unit_of_work(actor) as ctx:
        return records.create(ctx, "crm.lead", {"last_name": "Martin", **values}).id


def read(crm: Crm, actor: Actor, lead: int) -> dict[str, Any]:
    with crm.read(actor) as ctx:
        return records.get(ctx, "crm.lead", lead)


def scored(crm: Crm, actor: Actor, lead: int) -> dict[str, Any]:
    crm.worker().run_pending()
    found: dict[str, Any] = read(crm, actor, lead)["lead_scoring"]
    return found


def test_a_new_lead_gets_a_score_by_itself(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, email="m@example.test", phone="0612345678", company_name="Acme")
    assert 0 < scored(crm, admin, lead)["score"] <= 100


def test_the_lines_of_the_explanation_add_up_to_the_score(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, email="m@example.test", amount={"amount": "5000", "currency": "EUR"})
    found = scored(crm, admin, lead)
    lines = found["explanation"]["lines"]
    assert round(sum(line["points"] for line in lines)) == found["score"]
    assert sum(line["possible"] for line in lines) == pytest.approx(100, abs=0.1)


def test_the_score_follows_a_change_and_leaves_the_version_alone(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin)
    before = scored(crm, admin, lead)["score"]
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.lead", lead, {"email": "m@example.test", "company_name": "Acme"})
    version = read(crm, admin, lead)["version"]
    assert scored(crm, admin, lead)["score"] > before
    assert read(crm, admin, lead)["version"] == version


def test_weights_are_a_setting(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, email="m@example.test", phone="0612345678", company_name="Acme")
    first = scored(crm, admin, lead)["score"]
    with crm.unit_of_work(admin) as ctx:
        for family in FAMILIES:
            settings.put(ctx, f"lead_scoring.weight_{family}", 100 if family == "profile" else 0)
        records.update(ctx, "crm.lead", lead, {"description": "now only the profile counts"})
    assert scored(crm, admin, lead)["score"] != first


def test_a_closed_lead_keeps_its_score(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, email="m@example.test")
    before = scored(crm, admin, lead)["score"]
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.lead", lead, {"status": "won"})
    assert scored(crm, admin, lead)["score"] == before


def test_lists_sort_and_filter_by_score(crm: Crm, admin: Actor) -> None:
    poor, rich = new_lead(crm, admin), new_lead(crm, admin, email="m@example.test", company_name="Acme")
    threshold = (scored(crm, admin, poor)["score"] + scored(crm, admin, rich)["score"]) // 2
    with crm.read(admin) as ctx:
        request = records.ListRequest(sort=("-lead_scoring.score",), fields=("lead_scoring.score",))
        assert [item["id"] for item in records.page(ctx, "crm.lead", request).items] == [rich, poor]
        tree = {"field": "lead_scoring.score", "op": "gt", "value": threshold}
        found = records.page(ctx, "crm.lead", records.ListRequest(filter=tree))
        assert [item["id"] for item in found.items] == [rich]


def test_nobody_writes_a_score_by_hand(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin)
    with pytest.raises(Invalid), crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.lead", lead, {"lead_scoring": {"score": 100}})


def test_disabled_the_crm_runs_as_if_it_had_never_been_there(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin)
    crm.worker().run_pending()
    crm.disable("lead_scoring")
    assert "lead_scoring" not in read(crm, admin, lead)
    with pytest.raises(Invalid), crm.read(admin) as ctx:
        records.page(ctx, "crm.lead", records.ListRequest(sort=("lead_scoring.score",)))
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.lead", lead, {"description": "still works"})


def test_enabled_again_the_scores_are_still_there(crm: Crm, admin: Actor) -> None:
    lead = new_lead(crm, admin, email="m@example.test")
    before = scored(crm, admin, lead)
    crm.disable("lead_scoring")
    crm.enable("lead_scoring")
    assert read(crm, admin, lead)["lead_scoring"] == before


facts = st.builds(
    Facts,
    now=st.just(NOW),
    created_at=st.datetimes(datetime(2020, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    last_contact_at=st.none() | st.just(NOW - timedelta(days=3)),
    email=st.booleans(),
    phone=st.booleans(),
    amount=st.none() | st.decimals(0, 10**9, places=2),
    status_kind=st.sampled_from(["", "new", "open", "qualified", "blocked"]),
    contacts=st.integers(0, 100),
)
weights = st.fixed_dictionaries({family: st.integers(0, 100) for family in FAMILIES})


@given(facts, weights)
def test_a_score_lies_between_0_and_100(known: Facts, given_weights: dict[str, int]) -> None:
    assert 0 <= score(known, given_weights).value <= 100


@given(facts, weights)
def test_knowing_the_e_mail_never_lowers_the_score(known: Facts, given_weights: dict[str, int]) -> None:
    without, with_it = replace(known, email=False), replace(known, email=True)
    assert score(with_it, given_weights).value >= score(without, given_weights).value


def test_without_weights_nothing_is_earned() -> None:
    known = Facts(now=NOW, created_at=NOW, email=True, amount=Decimal(10**6))
    assert score(known, {}).value == 0
