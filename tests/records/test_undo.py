"""One change of a record taken back: every kind of value, rows with their identity, and what stands in the way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from gigacore import Crm, access, records
from gigacore.access import users
from gigacore.context import Context
from gigacore.crm.sales import Stage
from gigacore.data import audit, links
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


def test_what_was_changed_since_is_named_and_left_alone(crm: Crm) -> None:
    number, other = (
        created(crm, "crm.lead", {"last_name": "A", "city": "Lyon"}),
        created(crm, "crm.lead", {"last_name": "B"}),
    )
    change = changed(crm, "crm.lead", number, {"city": "Paris", "country": "France"})
    again = changed(crm, "crm.lead", number, {"city": "Nice"})
    with crm.system("undo") as ctx:
        assert [label.text for label in records.undo(ctx, "crm.lead", number, change)] == ["City"]
    with crm.system("look") as ctx:
        found = records.get(ctx, "crm.lead", number)
    assert (found["city"], found["country"]) == ("Nice", None)
    with pytest.raises(Conflict, match="“City” and 1 more"):
        undone(crm, "crm.lead", number, change)
    with pytest.raises(NotFound):
        undone(crm, "crm.lead", other, again)
    assert undone(crm, "crm.lead", number, again)["city"] == "Paris"
    won = changed(crm, "crm.lead", number, {"status": "won"})
    with pytest.raises(Locked):
        undone(crm, "crm.lead", number, won)


def act_of(crm: Crm, number: int, verb: str) -> UUID:
    with crm.system("look") as ctx:
        rows = audit.history(ctx.session.connection(), "crm.lead", number)
    return next(row.id for row in rows if row.verb == verb)


def ties(crm: Crm, number: int) -> tuple[list[tuple[str, str, int]], list[tuple[int | None, str]]]:
    with crm.system("look") as ctx:
        record = records.load(ctx, "crm.lead", number)
        found = [(one.label, one.entity, one.record_id) for one in links.links_of(ctx, record)]
        return found, [(one.user_id, one.verb) for one in access.shares.of(ctx, record)]


def test_links_are_taken_back_from_either_end_and_made_again_as_they_were(crm: Crm) -> None:
    number, other = (created(crm, "crm.lead", {"last_name": name}) for name in "AB")
    follows = links.kinds_by_key()["follows"]
    with crm.system("link") as ctx:
        links.link(ctx, *(records.load(ctx, "crm.lead", one) for one in (number, other)), follows)
    linked = act_of(crm, number, "linked")
    undone(crm, "crm.lead", other, act_of(crm, other, "linked"))
    assert ties(crm, number)[0] == []
    with pytest.raises(Conflict, match="taken away since"):
        undone(crm, "crm.lead", number, linked)
    unlinked = act_of(crm, other, "unlinked")
    undone(crm, "crm.lead", other, unlinked)
    assert ties(crm, number)[0] == [("Follows", "crm.lead", other)]
    with pytest.raises(Conflict, match="made again since"):
        undone(crm, "crm.lead", other, unlinked)
    undone(crm, "crm.lead", number, linked)
    with crm.system("delete") as ctx:
        records.delete(ctx, "crm.lead", number)
    with pytest.raises(Conflict, match="other record is gone"):
        undone(crm, "crm.lead", other, unlinked)


def test_shares_are_taken_back_and_made_again(crm: Crm) -> None:
    number = created(crm, "crm.lead", {"last_name": "A"})
    with crm.system("share") as ctx:
        user = users.create(ctx, "mate@example.test", "Mate", "Correct-horse-battery-1", "user")
        for verb in ("view", "edit"):
            access.shares.add(ctx, records.load(ctx, "crm.lead", number), user_id=user, verb=verb)
    undone(crm, "crm.lead", number, act_of(crm, number, "shared"))
    assert ties(crm, number)[1] == [(user, "view")]
    with pytest.raises(Conflict, match="taken away since"):
        undone(crm, "crm.lead", number, act_of(crm, number, "shared"))
    undone(crm, "crm.lead", number, act_of(crm, number, "unshared"))
    assert ties(crm, number)[1] == [(user, "view"), (user, "edit")]
    with pytest.raises(Conflict, match="made again since"):
        undone(crm, "crm.lead", number, act_of(crm, number, "unshared"))


def test_a_new_owner_and_a_stage_come_back_with_what_follows_from_them(crm: Crm) -> None:
    with crm.system("people") as ctx:
        first, second = (
            users.create(ctx, f"{name}@example.test", name, "Correct-horse-battery-1", "user")
            for name in ("one", "two")
        )
    number = created(
        crm,
        "crm.opportunity",
        {"title": "Deal", "owner_id": first, "company_id": created(crm, "crm.company", {"name": "Acme"})},
    )
    with crm.system("look") as ctx:
        before = records.get(ctx, "crm.opportunity", number)
        won = ctx.session.scalars(select(Stage.id).where(Stage.kind == "won")).first()
    owner = changed(crm, "crm.opportunity", number, {"owner_id": second})
    assert undone(crm, "crm.opportunity", number, owner)["owner_id"] == before["owner_id"]
    moved = changed(crm, "crm.opportunity", number, {"stage_id": won})
    after = undone(crm, "crm.opportunity", number, moved)
    assert [after[name] for name in ("stage_id", "closed_at")] == [before["stage_id"], None]
