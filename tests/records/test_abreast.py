"""Several lists read at once: the same pages as one by one, and an index under each."""

from __future__ import annotations

import pytest

from gigacore import Actor, Crm, records
from gigacore.records import ListRequest
from tests.counting import statements

STATUSES = ("new", "contacted", "qualified", "lost")
PARTS = [{"field": "status", "op": "eq", "value": key} for key in STATUSES]


@pytest.fixture
def leads(crm: Crm, admin: Actor) -> None:
    rows = [
        {
            "last_name": f"Lead {place:02}", "status": STATUSES[place % 3],
            "company_name": "Acme" if place % 2 else None,
            "amount": {"amount": str(place % 5), "currency": "EUR"} if place % 4 else None,
        }
        for place in range(30)
    ]  # fmt: skip
    with crm.unit_of_work(admin) as ctx:
        records.create_many(ctx, "crm.lead", rows)


@pytest.mark.parametrize("sort", [(), ("amount",), ("-amount", "company_name"), ("company_name", "-id")])
def test_the_parts_are_what_each_list_gives_by_itself(
    crm: Crm, admin: Actor, leads: None, sort: tuple[str, ...]
) -> None:
    wanted = ListRequest(sort=sort, fields=("id", "last_name", "amount", "owner_id"), limit=7)
    with crm.read(admin) as ctx:
        found = records.pages(ctx, "crm.lead", wanted, PARTS)
        alone = [records.page(ctx, "crm.lead", ListRequest(part, sort, wanted.fields, limit=7)) for part in PARTS]
    assert found == alone
    assert [page.count and page.count.value for page in found] == [10, 10, 10, 0]


def test_each_part_walks_an_index(crm: Crm, admin: Actor, leads: None) -> None:
    with crm.read(admin) as ctx, statements(crm) as seen:
        records.pages(ctx, "crm.lead", ListRequest(fields=("id", "last_name"), limit=5), PARTS)
    rows = next(one for one in seen if "UNION ALL" in one)
    with crm.database.system_connection("test") as connection:
        if connection.dialect.name == "sqlite":
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {rows}", rows.values).all())
            assert plan.count("USING INDEX ix_crm_lead_status_created_at (status=?)") == len(PARTS), plan
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            plan = str(connection.exec_driver_sql(f"EXPLAIN {rows}", rows.values).all())
            assert plan.count("Index Scan Backward using ix_crm_lead_status_created_at") == len(PARTS), plan
