"""One change of a record taken back: every kind of value, rows with their identity, and what stands in the way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from gigacore import Crm, records
from gigacore.context import Context
from gigacore.data import audit
from gigacore.errors import Conflict, Locked, NotFound


def last_change(ctx: Context, entity: str, number: int) -> UUID:
    rows = audit.history(ctx.session.connection(), entity, number)
    return next(row.id for row in rows if row.verb == "updated")


def changed(crm: Crm, entity: str, number: int, data: dict[str, Any]) -> UUID:
    with crm.system("change") as ctx:
        records.update(ctx, entity, number, data)
    with crm.system("look") as ctx:
        return last_change(ctx, entity, number)


def created(crm: Crm, entity: str, data: dict[str, Any]) -> int:
    with crm.system("create") as ctx:
        return records.create(ctx, entity, data).id


def undone(crm: Crm, entity: str, number: int, change: UUID) -> dict[str, Any]:
    with crm.system("undo") as ctx:
        records.undo(ctx, entity, number, change)
    with crm.system("look") as ctx:
        return records.get(ctx, entity, number)


def test_values_of_every_kind_come_back(crm: Crm) -> None:
    company = created(crm, "crm.company", {"name": "Acme"})
    number = created(crm, "crm.opportunity", {"title": "Deal", "company_id": company, "tags": ["a"]})
    with crm.system("look") as ctx:
        before = records.get(ctx, "crm.opportunity", number)
    data = {
        "title": "Other", "amount": {"amount": "12.50", "currency": "EUR"}, "expected_close": "2031-01-02",
        "budget_kind": "per_day", "tags": ["b", "c"], "recurring_months": 3, "company_id": company,
        "contact_id": created(crm, "crm.contact", {"first_name": "A", "last_name": "B"}),
    }  # fmt: skip
    after = undone(crm, "crm.opportunity", number, changed(crm, "crm.opportunity", number, data))
    kept = set(before) - {"version", "updated_at", "updated_by"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_rows_come_back_and_untouched_ones_stay_the_same(crm: Crm) -> None:
    emails = [{"email": f"{name}@example.test"} for name in "abc"]
    number = created(crm, "crm.contact", {"first_name": "A", "last_name": "B", "emails": emails})
    with crm.system("look") as ctx:
        a, b, c = records.get(ctx, "crm.contact", number)["emails"]
    rows = [a, b | {"email": "x@example.test"}]  # the third one goes
    change = changed(crm, "crm.contact", number, {"emails": rows})
    found = undone(crm, "crm.contact", number, change)["emails"]
    assert [row["email"] for row in found] == [row["email"] for row in (a, b, c)]
    assert [row["id"] for row in found[:2]] == [a["id"], b["id"]]
    changed(crm, "crm.contact", number, {"emails": [a]})
    with pytest.raises(Conflict, match="E-mails"):
        undone(crm, "crm.contact", number, change)


def test_a_new_order_of_rows_is_a_change_and_the_first_row_counts(crm: Crm) -> None:
    emails = [{"email": "a@example.test"}, {"email": "b@example.test"}]
    number = created(crm, "crm.contact", {"first_name": "A", "last_name": "B", "emails": emails})
    with crm.system("turn") as ctx:
        before = records.get(ctx, "crm.contact", number)
        records.update(ctx, "crm.contact", number, {"emails": before["emails"][::-1]})
    with crm.system("look") as ctx:
        after = records.get(ctx, "crm.contact", number)
        removed = [row.verb for row in audit.history(ctx.session.connection(), "crm.contact", number)]
    assert (after["email"], after["version"]) == ("b@example.test", before["version"] + 1)
    assert removed == ["updated", "created"]


def test_what_stands_in_the_way_is_named_and_nothing_is_changed(crm: Crm) -> None:
    number, other = (
        created(crm, "crm.lead", {"last_name": "A", "city": "Lyon"}),
        created(crm, "crm.lead", {"last_name": "B"}),
    )
    change = changed(crm, "crm.lead", number, {"city": "Paris", "country": "France"})
    again = changed(crm, "crm.lead", number, {"city": "Nice"})
    with pytest.raises(Conflict, match="City"):
        undone(crm, "crm.lead", number, change)
    with pytest.raises(NotFound):
        undone(crm, "crm.lead", other, again)
    assert undone(crm, "crm.lead", number, again)["city"] == "Paris"
    found = undone(crm, "crm.lead", number, change)
    assert (found["city"], found["country"]) == ("Lyon", None)
    won = changed(crm, "crm.lead", number, {"status": "won"})
    with pytest.raises(Locked):
        undone(crm, "crm.lead", number, won)
