"""Formulas of administrators: worked out with every change, on all records after a change of theirs, and bounded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, Invalid, customfields, records
from gigacore.access import roles
from gigacore.data.tables import core_outbox
from gigacore.records import ListRequest
from gigacore.testing.people import People

LEAD = "crm.lead"


@pytest.fixture
def admin(crm: Crm) -> Actor:
    return People(crm).make("admin")


def define(crm: Crm, admin: Actor, key: str, formula: str, kind: str = "decimal", **more: Any) -> None:
    data = {"entity": LEAD, "key": key, "label": key, "kind": kind, "formula": formula, **more}
    with crm.unit_of_work(admin) as ctx:
        customfields.define(ctx, data)
    crm.refresh()


def plain(crm: Crm, admin: Actor, key: str, kind: str) -> None:
    with crm.unit_of_work(admin) as ctx:
        customfields.define(ctx, {"entity": LEAD, "key": key, "label": key, "kind": kind})
    crm.refresh()


def make(crm: Crm, admin: Actor, **values: Any) -> int:
    with crm.unit_of_work(admin) as ctx:
        return int(records.create(ctx, LEAD, {"last_name": "Lee", **values}).id)


def read(crm: Crm, admin: Actor, number: int) -> dict[str, Any]:
    with crm.read(admin) as ctx:
        return records.get(ctx, LEAD, number)


def settle(crm: Crm) -> None:
    crm.jobs.run_pending()


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_it_follows_its_sources_and_one_formula_may_read_another(crm: Crm, admin: Actor) -> None:
    plain(crm, admin, "x_share", "decimal")
    define(crm, admin, "x_part", "amount * x_share / 100")
    define(crm, admin, "x_size", 'IF(x_part >= 1000; "big"; "small")', "text")
    number = make(crm, admin, amount=euros("5000"), x_share="10")
    assert (read(crm, admin, number)["x_part"], read(crm, admin, number)["x_size"]) == (Decimal(500), "small")
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, LEAD, number, {"x_share": "30"})
    item = read(crm, admin, number)
    assert (item["x_part"], item["x_size"], item["version"]) == (Decimal(1500), "big", 2)
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, LEAD, number, {"amount": None})
    assert read(crm, admin, number)["x_part"] is None


def test_lists_filter_and_sort_by_it_and_input_does_not_hold_it(crm: Crm, admin: Actor) -> None:
    define(crm, admin, "x_double", "amount * 2", indexed=True)
    numbers = [make(crm, admin, amount=euros(text)) for text in ("30", "10", "20")]
    with crm.read(admin) as ctx:
        wanted = ListRequest(filter={"field": "x_double", "op": "ge", "value": 40}, sort=("-x_double",))
        found = [item["id"] for item in records.page(ctx, LEAD, wanted).items]
    assert found == [numbers[0], numbers[2]]
    with pytest.raises(Invalid), crm.unit_of_work(admin) as ctx:
        records.create(ctx, LEAD, {"last_name": "Lee", "x_double": "1"})


def test_a_new_or_changed_formula_reaches_present_records_without_version_or_event(crm: Crm, admin: Actor) -> None:
    numbers = [make(crm, admin, amount=euros("7")) for _ in range(3)]
    settle(crm)
    before = _events(crm)
    define(crm, admin, "x_twice", "amount * 2")
    settle(crm)
    items = [read(crm, admin, number) for number in numbers]
    assert [(item["x_twice"], item["version"]) for item in items] == [(Decimal(14), 1)] * 3
    with crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, LEAD, "x_twice", {"formula": "amount * 3"})
    crm.refresh()
    settle(crm)
    assert read(crm, admin, numbers[0])["x_twice"] == Decimal(21)
    assert _events(crm) == before


def _events(crm: Crm) -> int:
    with crm.database.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).where(core_outbox.c.entity == LEAD)) or 0)


def test_a_source_that_goes_leaves_no_figure_and_one_that_comes_back_brings_it_back(crm: Crm, admin: Actor) -> None:
    plain(crm, admin, "x_hours", "integer")
    define(crm, admin, "x_pay", "x_hours * 25", "integer")
    number = make(crm, admin, x_hours=4)
    with crm.unit_of_work(admin) as ctx:
        customfields.remove(ctx, LEAD, "x_hours")
    crm.refresh()
    settle(crm)
    assert read(crm, admin, number)["x_pay"] is None
    with crm.read(admin) as ctx:
        fault = customfields.fault_of(customfields.find(ctx, LEAD, "x_pay"), crm.registry)
    assert "x_hours" in str(fault)
    with crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, LEAD, "x_hours", {"active": True})
    crm.refresh()
    settle(crm)
    assert read(crm, admin, number)["x_pay"] == 100


@pytest.mark.parametrize(
    ("formula", "kind", "told"),
    [
        ("9 ** 9 ** 9", "decimal", "nothing else"),
        ("'a' * 99999999", "text", "does not go with"),
        ("last_name.__class__", "text", "nothing else"),
        ("__import__('os')", "text", "no function"),
        ("[x for x in y]", "text", "nothing else"),
        ("amount +", "decimal", "no formula"),
        ("nowhere + 1", "decimal", "nowhere"),
        ("amount", "text", "a number"),
        ("+".join(["1"] * 400), "decimal", "too large"),
        ("1+" * 600 + "1", "decimal", "too long"),
        ("-" * 60 + "1", "decimal", "too large"),
        ("amount * 2", "money", "A formula gives"),
    ],
)
def test_what_is_no_formula_is_told_beside_its_field(
    crm: Crm, admin: Actor, formula: str, kind: str, told: str
) -> None:
    with pytest.raises(Invalid) as caught:
        define(crm, admin, "x_bad", formula, kind)
    assert [(one.path, told in str(one.message)) for one in caught.value.errors] == [("formula", True)]


def test_formulas_that_build_on_each_other_in_a_circle_are_refused(crm: Crm, admin: Actor) -> None:
    define(crm, admin, "x_a", "amount + 1")
    define(crm, admin, "x_b", "x_a + 1")
    with pytest.raises(Invalid, match="x_a → x_b → x_a"), crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, LEAD, "x_a", {"formula": "x_b + 1"})


def test_whoever_may_not_read_a_source_reads_no_result(crm: Crm, admin: Actor) -> None:
    define(crm, admin, "x_half", "amount / 2")
    number = make(crm, admin, amount=euros("2469.26"), visibility="read")
    with crm.system("test") as ctx:
        roles.set_field_rule(ctx, "user", LEAD, "amount", read=False, write=False)
    reader, other = (
        People(crm).make("user", email="r@example.test"),
        People(crm).make("manager", email="m@example.test"),
    )
    with crm.read(reader) as ctx:
        assert "1234.63" not in json.dumps(records.get(ctx, LEAD, number), default=str)
        with pytest.raises(Invalid):
            records.page(ctx, LEAD, ListRequest(filter={"field": "x_half", "op": "eq", "value": 1}))
    with crm.read(other) as ctx:
        assert records.get(ctx, LEAD, number)["x_half"] == Decimal("1234.6300")
