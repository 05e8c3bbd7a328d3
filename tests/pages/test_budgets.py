"""Every kind of page stays within its statements and its size, with data on it."""

from __future__ import annotations

from typing import Any

import pytest

from gigacore import Crm, records

BUDGETS = {
    "/": (8, 20_000), "/crm/leads": (5, 40_000), "/crm/leads?as=cards": (5, 40_000),
    "/crm/leads?as=status": (14, 45_000), "/crm/leads/board": (29, 45_000), "/crm/leads/1": (14, 40_000),
    "/crm/leads/1?tab=changes": (10, 35_000), "/crm/leads/new": (5, 30_000), "/crm/leads/1/edit": (6, 30_000),
    "/crm/leads/builder?status=new": (5, 25_000), "/search?q=number": (4, 20_000), "/settings": (3, 30_000),
    "/settings/fields": (5, 25_000), "/settings/lists": (3, 30_000), "/settings/pipelines": (7, 50_000),
    "/settings/users": (8, 20_000), "/settings/roles/manager": (8, 80_000),
    "/settings/jobs/schedules": (4, 25_000), "/automations": (7, 25_000),
    "/crm/opportunities/1": (17, 35_000), "/crm/opportunities/board": (9, 45_000), "/crm/contacts/1/edit": (11, 35_000),
    "/crm/companies": (3, 40_000), "/crm/leads/import": (2, 20_000), "/notifications": (2, 20_000),
    "/settings/general": (4, 20_000), "/settings/currencies": (8, 25_000), "/settings/backups": (3, 20_000),
    "/settings/lists/crm.lead_status": (1, 45_000), "/settings/plugins": (4, 20_000), "/core/reports": (1, 20_000),
}  # fmt: skip


@pytest.fixture
def filled(crm: Crm) -> None:
    with crm.system("leads") as ctx:
        statuses = ("new", "contacted", "qualified")
        rows = [
            {"last_name": f"Number {n}", "status": statuses[n % 3], "amount": {"amount": str(n), "currency": "EUR"}}
            for n in range(60)
        ]
        records.create_many(ctx, "crm.lead", rows)
        companies = records.create_many(ctx, "crm.company", [{"name": f"Company {n}"} for n in range(60)])
        contacts = [
            {"first_name": "Ada", "last_name": f"Number {n}", "company_id": one.id} for n, one in enumerate(companies)
        ]
        records.create_many(ctx, "crm.contact", contacts)
        stages = records.page(ctx, "crm.stage", records.ListRequest(sort=("position",), count=False)).items
        deals = [
            {
                "title": f"Deal {n}",
                "company_id": one.id,
                "stage_id": stages[n % 3]["id"],
                "amount": {"amount": str(n), "currency": "EUR"},
            }
            for n, one in enumerate(companies)
        ]
        records.create_many(ctx, "crm.opportunity", deals)


def test_no_page_is_over_its_budget(filled: None, root: Any, statements: Any) -> None:
    over = {}
    for path, (most, size) in BUDGETS.items():
        root.get(path)
        with statements() as seen:
            answer = root.get(path)
        assert answer.status_code == 200, path
        found = len(seen), len(answer.get_data())
        if found[0] > most or found[1] > size:
            over[path] = found
    assert over == {}
