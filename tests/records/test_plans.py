"""How the databases answer what people ask for most: by index, with as many statements for many records as for few."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, customfields, records
from gigacore.context import Context
from gigacore.entity import fold
from gigacore.records import ListRequest
from tests.counting import Sent, statements

FEW, MANY = 60, 6000
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
MakeUser = Callable[..., Actor]
ASKED: Final[dict[str, ListRequest]] = {
    "built-in field": ListRequest(filter={"field": "city", "op": "eq", "value": "Town 7"}, sort=("last_name",)),
    "custom field": ListRequest(filter={"field": "x_region", "op": "eq", "value": "r7"}, sort=("last_name",)),
}


def leads(crm: Crm, count: int, *owners: Actor) -> None:
    """Leads of these people in turn, each city and region with one in fifty."""
    table = crm.registry.entity("crm.lead").table
    with crm.database.system_connection("sample") as connection:
        connection.execute(sa.insert(table), [lead(number, owners[number % len(owners)]) for number in range(count)])
        connection.exec_driver_sql("ANALYZE")


def lead(number: int, owner: Actor) -> dict[str, Any]:
    texts = {"name": f"Ann Name {number}", "last_name": f"Name {number}", "city": f"Town {number % 50}"}
    ownership = {"org_id": 1, "owner_id": owner.user_id, "team_id": owner.team_ids[0], "visibility": "private"}
    custom = {"custom": {"x_region": f"r{number % 50}"}, "custom_key": {"x_region": f"r{number % 50}"}}
    stamps = {"created_at": NOW, "updated_at": NOW, "version": 1, "uid": uuid.uuid4()}
    keys = {f"{name}_key": fold(text) for name, text in texts.items()}
    return {**texts, **keys, **ownership, **custom, **stamps, "status": "new", "priority": "normal"}


@pytest.fixture
def people(crm: Crm, admin: Actor, make_user: MakeUser) -> tuple[Actor, Actor]:
    """Two managers of teams of their own; leads have an indexed custom field."""
    with crm.unit_of_work(admin) as ctx:
        region = {"entity": "crm.lead", "key": "x_region", "kind": "text", "label": "Region", "indexed": True}
        customfields.define(ctx, region)
    crm.refresh()
    return make_user("manager", team="North"), make_user("manager", team="South")


def asked(crm: Crm, actor: Actor, request: ListRequest) -> list[Sent]:
    """What a list sends, its count included."""
    return watched(crm, actor, lambda ctx: records.page(ctx, "crm.lead", request))


def watched(crm: Crm, actor: Actor, ask: Any) -> list[Sent]:
    with crm.read(actor) as ctx:
        ask(ctx)  # rights and statements are kept from now on
    with crm.read(actor) as ctx, statements(crm) as seen:
        ask(ctx)
    return [one for one in seen if one.startswith("SELECT")]


def plans(crm: Crm, sent: list[Sent]) -> str:
    explain = "EXPLAIN QUERY PLAN" if crm.engine.dialect.name == "sqlite" else "EXPLAIN"
    with crm.database.system_connection("explain") as connection:
        found = [connection.exec_driver_sql(f"{explain} {text}", text.values).all() for text in sent]
    return "\n".join(str(row[-1]) for rows in found for row in rows)


def reads_all(plan: str) -> bool:
    """Whether a plan looks at every lead, in the table or along an index."""
    return re.search(r"(SCAN|Seq Scan on) crm_lead\b", plan) is not None


@pytest.mark.parametrize("what", ASKED)
def test_a_filtered_list_of_a_team_reads_by_the_index_of_the_filter(
    crm: Crm, people: tuple[Actor, Actor], what: str
) -> None:
    leads(crm, MANY, *people)
    found = asked(crm, people[0], ASKED[what])
    assert len(found) == 2
    assert not reads_all(plans(crm, found))


def test_reading_all_would_be_noticed(crm: Crm, people: tuple[Actor, Actor]) -> None:
    leads(crm, MANY, *people)
    found = asked(crm, people[0], ListRequest(filter={"field": "job_title", "op": "empty", "value": False}))
    assert reads_all(plans(crm, found))


def test_search_asks_one_statement_of_the_index(crm: Crm, people: tuple[Actor, Actor]) -> None:
    leads(crm, MANY, *people)
    found = watched(crm, people[0], lambda ctx: records.find(ctx, "name 4711", ["crm.lead"], 12))
    assert len(found) == 1
    if crm.engine.dialect.name == "sqlite":  # for so few leads PostgreSQL may choose otherwise
        assert "crm_lead_search" in plans(crm, found)


def test_statements_do_not_grow_with_the_records(crm: Crm, people: tuple[Actor, Actor]) -> None:
    def counts() -> list[int]:
        return [len(asked(crm, people[0], request)) for request in ASKED.values()]

    leads(crm, FEW * 50, *people)
    before = counts()
    leads(crm, MANY, *people)
    assert counts() == before


def test_a_change_is_judged_in_one_statement(crm: Crm, people: tuple[Actor, Actor]) -> None:
    leads(crm, FEW, *people)
    numbers = iter(range(1, FEW, 2))

    def change() -> list[Sent]:
        with crm.unit_of_work(people[0]) as ctx, statements(crm) as seen:
            rename(ctx, next(numbers))
        return seen

    change()
    judged = [text for text in change() if "core_share" in text and "crm_lead.id = " in text]
    assert len(judged) <= 2  # the record is loaded, then judged


def rename(ctx: Context, number: int) -> None:
    records.update(ctx, "crm.lead", number, {"city": "Elsewhere"})
