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
from gigacore.access.tables import core_share
from gigacore.context import Context
from gigacore.entity import fold
from gigacore.records import ListRequest, few, read
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


def plans(crm: Crm, sent: list[Sent], *, large: bool = False) -> str:
    """The plans of statements; `large` keeps PostgreSQL from sorting, which is cheap as long as there are few rows."""
    lite = crm.engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if lite else "EXPLAIN"
    with crm.database.system_connection("explain") as connection:
        for setting in ("enable_sort", "enable_bitmapscan") if large and not lite else ():
            connection.exec_driver_sql(f"SET LOCAL {setting} = off")
        found = [connection.exec_driver_sql(f"{explain} {text}", text.values).all() for text in sent]
    return "\n".join(str(row[-1]) for rows in found for row in rows)


def reads_all(plan: str) -> bool:
    """Whether a plan looks at every lead, in the table or along an index that is not just of the few open ones."""
    return re.search(r"(SCAN|Seq Scan on) crm_lead\b(?! USING (COVERING )?INDEX ix_crm_lead_open)", plan) is not None


@pytest.mark.parametrize("what", ASKED)
def test_a_filtered_list_of_a_team_reads_by_the_index_of_the_filter(
    crm: Crm, people: tuple[Actor, Actor], what: str
) -> None:
    leads(crm, MANY, *people)
    found = asked(crm, people[0], ASKED[what])
    assert len(found) == 2
    assert not reads_all(plans(crm, found))


@pytest.mark.parametrize("what", ASKED)
def test_a_filtered_list_comes_in_the_order_of_names_by_its_index(
    crm: Crm, people: tuple[Actor, Actor], what: str
) -> None:
    leads(crm, MANY, *people)
    listed, counted = (plans(crm, [one], large=True) for one in asked(crm, people[0], ASKED[what]))
    assert not re.search(r"TEMP B-TREE|Sort", listed), listed
    index = r"_x_region" if what == "custom field" else "_city_key_last_name_key"
    assert index in listed
    if crm.engine.dialect.name == "sqlite":
        assert index in counted


def test_sorting_would_be_noticed(crm: Crm, people: tuple[Actor, Actor]) -> None:
    leads(crm, MANY, *people)
    request = ListRequest(filter={"field": "city", "op": "eq", "value": "Town 7"}, sort=("-updated_at",))
    assert re.search(r"TEMP B-TREE|Sort", plans(crm, asked(crm, people[0], request)[:1], large=True))


@pytest.mark.parametrize("sort", ["last_name", "-created_at", "-updated_at"])
def test_who_sees_few_records_is_not_made_to_wait_for_all_of_them(
    crm: Crm, people: tuple[Actor, Actor], make_user: MakeUser, sort: str
) -> None:
    new = make_user("manager", team="East")
    leads(crm, MANY, *people)
    leads(crm, FEW, new)
    found = asked(crm, new, ListRequest(sort=(sort,)))
    assert not reads_all(plans(crm, found))
    assert len(found) == 2


def test_who_sees_many_records_reads_them_in_their_order(
    crm: Crm, people: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few, "FEW", FEW)
    leads(crm, MANY, *people)
    (listed, _) = asked(crm, people[0], ListRequest(sort=("last_name",)))
    assert "ix_crm_lead_last_name_key" in plans(crm, [listed])


def test_a_page_far_down_the_list_is_entered_where_it_begins(
    crm: Crm, admin: Actor, people: tuple[Actor, Actor]
) -> None:
    leads(crm, MANY, *people)
    with crm.read(admin) as ctx:
        cursor = records.page(ctx, "crm.lead", ListRequest(fields=("id",), limit=200)).next
    request = ListRequest(fields=("id",), cursor=cursor, limit=20, count=False)
    plan = plans(crm, asked(crm, admin, request)[:1], large=True)
    assert re.search(r"SEARCH crm_lead .*created_at<|Index Cond: .*created_at <=", plan), plan


def test_few_records_are_those_that_are_owned_shared_open_or_of_the_team(
    crm: Crm, people: tuple[Actor, Actor], make_user: MakeUser
) -> None:
    table = crm.registry.entity("crm.lead").table
    leads(crm, FEW, *people)
    me = make_user("user", team="East")
    with crm.database.system_connection("sample") as connection:
        for number, values in enumerate(({"owner_id": me.user_id}, {"visibility": "read"}, {"visibility": "write"}), 1):
            connection.execute(sa.update(table).where(table.c.id == number).values(values))
        share = {"entity": "crm.lead", "record_id": 4, "verb": "view", "user_id": me.user_id, "created_at": NOW}
        connection.execute(sa.insert(core_share), share)
    with crm.read(me) as ctx:
        page = records.page(ctx, "crm.lead", ListRequest(sort=("last_name",)))
    assert sorted(item["id"] for item in page.items) == [1, 2, 3, 4]


def test_a_filter_on_a_custom_field_is_counted_as_far_as_rows_are_cheap(
    crm: Crm, people: tuple[Actor, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "ROW_COUNT_LIMIT", 55)
    leads(crm, MANY, people[0])
    with crm.read(people[0]) as ctx:
        built_in, custom = (records.page(ctx, "crm.lead", request).count for request in ASKED.values())
    assert built_in == records.Count(MANY // 50, exact=True)
    on_sqlite = crm.engine.dialect.name == "sqlite"
    assert custom == (built_in if on_sqlite else records.Count(55, exact=False))


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
