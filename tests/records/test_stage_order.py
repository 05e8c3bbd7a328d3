"""A list sorted by stage goes by the order of the pipelines and their stages, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from gigacore import Actor, Crm, records
from gigacore.crm.pipelines import DEFAULT_STAGES, add_pipeline
from gigacore.records import ListRequest

ENTITY = "crm.opportunity"


@pytest.fixture
def sales(crm: Crm, admin: Actor) -> None:
    """Three sales in every stage of two pipelines; a stage that came last stands second, the second pipeline first."""
    with crm.system("second pipeline") as ctx:
        second = add_pipeline(ctx, "Partners", DEFAULT_STAGES[:2], position=1).id
        records.update(ctx, "crm.pipeline", 1, {"position": 2})
        for stage in stages(ctx, 1)[1:]:
            records.update(ctx, "crm.stage", stage["id"], {"position": stage["position"] + 1})
        records.create(ctx, "crm.stage", {"pipeline_id": 1, "name": "Demonstration", "position": 1, "kind": "open"})
    with crm.unit_of_work(admin) as ctx:
        firm = records.create(ctx, "crm.company", {"name": "Ada & Co"}).id
        for stage in [*stages(ctx, 1), *stages(ctx, second)] * 3:
            title = f"{stage['pipeline_id']['label']} {stage['name']}"
            records.create(ctx, ENTITY, {"title": title, "company_id": firm, "stage_id": stage["id"]})


def stages(ctx: Any, pipeline: int) -> list[dict[str, Any]]:
    tree = {"field": "pipeline_id", "op": "eq", "value": pipeline}
    return records.page(ctx, "crm.stage", ListRequest(tree, sort=("position",), count=False)).items


def walk(crm: Crm, actor: Actor, sort: str) -> list[str]:
    """The stages of all pages of two, one after the other."""
    found, cursor = [], None
    while True:
        with crm.read(actor) as ctx:
            page = records.page(ctx, ENTITY, ListRequest(sort=(sort,), limit=2, cursor=cursor))
        found += [item["stage_id"]["label"] for item in page.items]
        cursor = page.next
        if cursor is None:
            return found


def test_stages_come_in_the_order_of_their_pipeline(crm: Crm, admin: Actor, sales: None) -> None:
    own = ["Prospect", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    order = ["Prospect", "Qualified", "Prospect", "Demonstration", *own[1:]]
    expected = [name for name in order for _ in range(3)]
    assert walk(crm, admin, "stage_id") == expected
    assert walk(crm, admin, "-stage_id") == expected[::-1]


def test_a_new_order_of_stages_counts_at_once(crm: Crm, admin: Actor, sales: None) -> None:
    assert walk(crm, admin, "stage_id")[0] == "Prospect"
    with crm.system("turn round") as ctx:
        records.update(ctx, "crm.pipeline", 1, {"position": 0})
        records.update(ctx, "crm.stage", 1, {"position": 99})
    assert walk(crm, admin, "stage_id")[0] == "Demonstration"


def test_the_order_costs_one_statement(crm: Crm, admin: Actor, sales: None, statements: Any) -> None:
    counts = {}
    for sort in ("title", "stage_id"):
        with crm.read(admin) as ctx, statements() as seen:
            records.page(ctx, ENTITY, ListRequest(sort=(sort,), fields=("title",), count=False))
        counts[sort] = len(seen)
    assert counts["stage_id"] == counts["title"] + 1


def test_stages_in_the_order_of_their_numbers_walk_the_index(crm: Crm, admin: Actor, statements: Any) -> None:
    """Nothing is ranked as long as stages stand as they were made: the database need not sort."""
    with crm.read(admin) as ctx, statements() as seen:
        records.page(ctx, ENTITY, ListRequest(sort=("stage_id",), fields=("title",), count=False))
    assert not any("CASE" in one.split("ORDER BY")[-1] for one in seen)
