"""Lists: every record once, in order, in either direction; what may be asked and what may not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigacore import Actor, Crm, Invalid, records
from gigacore.entity import Money, fold
from gigacore.records import ListRequest

CITIES = ["Lyon", "lyon", "Évreux", "Evreux", "Ärhus", "zürich", "Zug", None, None]
SORTS = ["city", "-city", "amount", "-amount", "id", "-id", "status", "-next_action_at", "next_action_at", "last_name"]


@pytest.fixture
def leads(crm: Crm, admin: Actor) -> int:
    source = random.Random(5)
    rows = [
        {
            "last_name": source.choice(["Durand", "durand", "Élan", "Zola"]),
            "city": source.choice(CITIES),
            "amount": source.choice([None, {"amount": str(source.randrange(3)), "currency": "EUR"}]),
            "status": source.choice(["new", "contacted", "qualified"]),
            "next_action_at": source.choice([None, f"2026-01-0{source.randrange(1, 5)}T10:00:00Z"]),
        }
        for _ in range(40)
    ]
    with crm.unit_of_work(admin) as ctx:
        assert all(not isinstance(one, records.Failed) for one in records.create_many(ctx, "crm.lead", rows))
    return len(rows)


def walk(crm: Crm, actor: Actor, sort: tuple[str, ...], limit: int) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = None
    while True:
        with crm.read(actor) as ctx:
            page = records.page(ctx, "crm.lead", ListRequest(sort=sort, limit=limit, cursor=cursor))
        yield page.items
        cursor = page.next
        if cursor is None:
            return


def rank(crm: Crm, item: dict[str, Any], name: str) -> Any:
    value = item[name]
    if isinstance(value, Money):
        return value.amount
    if name == "status":
        choices = crm.registry.choice_lists["crm.lead_status"].choices
        return next(place for place, choice in enumerate(choices) if choice.key == value)
    return fold(value) if isinstance(value, str) else value


@given(
    sort=st.lists(st.sampled_from(SORTS), min_size=1, max_size=2, unique_by=lambda s: s.lstrip("-")),
    limit=st.integers(1, 17),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_hold_every_record_once_and_in_order(
    crm: Crm, admin: Actor, leads: int, sort: list[str], limit: int
) -> None:
    items = [item for page in walk(crm, admin, tuple(sort), limit) for item in page]
    assert len({item["id"] for item in items}) == len(items) == leads
    for earlier, later in itertools.pairwise(items):
        for key in sort:
            name, descending = key.lstrip("-"), key.startswith("-")
            one, other = rank(crm, earlier, name), rank(crm, later, name)
            if one == other:
                continue
            assert other is None or (one is not None and (one > other) == descending), (sort, one, other)
            break


@pytest.mark.parametrize("sort", ["-city", "amount", "id"])
def test_one_can_go_back_the_way_one_came(crm: Crm, admin: Actor, leads: int, sort: str) -> None:
    def page(cursor: str | None) -> records.Page:
        with crm.read(admin) as ctx:
            return records.page(ctx, "crm.lead", ListRequest(sort=(sort,), limit=9, cursor=cursor))

    forward = [page(None)]
    while forward[-1].next:
        forward.append(page(forward[-1].next))
    back = [forward[-1]]
    while back[-1].previous:
        back.append(page(back[-1].previous))
    seen = [[item["id"] for item in one.items] for one in reversed(back)]
    assert [number for ids in seen for number in ids] == [item["id"] for one in forward for item in one.items]


def test_a_record_added_meanwhile_moves_no_other_to_another_page(crm: Crm, admin: Actor, leads: int) -> None:
    with crm.read(admin) as ctx:
        first = records.page(ctx, "crm.lead", ListRequest(sort=("-id",), limit=10))
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Meanwhile"})
    with crm.read(admin) as ctx:
        second = records.page(ctx, "crm.lead", ListRequest(sort=("-id",), limit=10, cursor=first.next))
    assert not {item["id"] for item in first.items} & {item["id"] for item in second.items}


@pytest.mark.parametrize(
    "request_",
    [
        ListRequest(sort=("nothing",)),
        ListRequest(sort=("tags",)),
        ListRequest(fields=("nothing",)),
        ListRequest(limit=0),
        ListRequest(limit=201),
        ListRequest(cursor="no cursor"),
        ListRequest(cursor="WyJuIixmYWxzZSxbMSwyLDNdXQ"),
        ListRequest(expand=("last_name",)),
        ListRequest(expand=("contact_id.company_id.parent_id",)),
        ListRequest(filter={"field": "nothing", "op": "eq", "value": 1}),
        ListRequest(filter={"field": "amount", "op": "contains", "value": 1}),
    ],
)
def test_what_makes_no_sense_is_refused(crm: Crm, admin: Actor, leads: int, request_: ListRequest) -> None:
    with pytest.raises(Invalid), crm.read(admin) as ctx:
        records.page(ctx, "crm.lead", request_)


def test_a_count_is_exact_as_far_as_it_goes(crm: Crm, admin: Actor, leads: int) -> None:
    with crm.read(admin) as ctx:
        page = records.page(ctx, "crm.lead", ListRequest(limit=5))
    assert page.count == records.Count(leads, exact=True)


def test_only_what_changed_since_is_listed(crm: Crm, admin: Actor, leads: int) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with crm.read(admin) as ctx:
        assert records.page(ctx, "crm.lead", ListRequest(updated_since=later)).items == []


def test_a_search_folds_case_and_accents(crm: Crm, admin: Actor, leads: int) -> None:
    with crm.read(admin) as ctx:
        found = records.page(ctx, "crm.lead", ListRequest(search="ELAN", limit=200))
    assert {item["last_name"] for item in found.items} == {"Élan"}


def test_a_statement_met_before_runs_with_the_values_of_the_moment(crm: Crm, admin: Actor, leads: int) -> None:
    def ids(tree: dict[str, Any]) -> set[int]:
        with crm.read(admin) as ctx:
            page = records.page(ctx, "crm.lead", ListRequest(filter=tree, limit=3))
            assert page.count is not None
            more = records.page(ctx, "crm.lead", ListRequest(filter=tree, limit=200))
        assert page.count.value == len(more.items)
        return {item["id"] for item in more.items}

    everything = ids({"all": []})
    by_status = [ids({"field": "status", "op": "eq", "value": key}) for key in ("new", "contacted", "qualified")]
    assert len(everything) == leads
    assert all(by_status)
    assert set.union(*by_status) == everything
    assert sum(map(len, by_status)) == leads
    some = sorted(everything)
    for count in (1, 2, 7):
        assert ids({"field": "id", "op": "in", "value": some[:count]}) == set(some[:count])
