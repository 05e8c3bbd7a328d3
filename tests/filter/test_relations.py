"""Filters over activities, links and child rows of the CRM, seen by people with and without rights."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.context import Actor
from gigacore.data import activities, links
from gigacore.errors import Invalid
from gigacore.records import ListRequest


def found(crm: Crm, actor: Actor, entity: str, tree: Any) -> list[str]:
    with crm.read(actor) as ctx:
        page = records.page(ctx, entity, ListRequest(filter=tree, sort=("id",)))
        return [item.get("last_name") or item["name"] for item in page.items]


@pytest.fixture
def people(crm: Crm, admin: Actor) -> None:
    """Ada had a call, sourced by a private task; Bob is linked to a private company; Eve has an address."""
    with crm.unit_of_work(admin) as ctx:
        made = {
            name: records.create(
                ctx, "crm.contact", {"first_name": "A", "last_name": name, "visibility": "read", **more}
            )
            for name, more in (
                ("Ada", {}),
                ("Bob", {}),
                ("Eve", {"emails": [{"email": "eve@example.test"}]}),
            )
        }
        company = records.create(ctx, "crm.company", {"name": "Hidden", "visibility": "private"})
        task = records.create(ctx, "crm.task", {"title": "Call", "visibility": "private"})
        ctx.session.flush()
        activities.log(ctx, "crm.call", "A call", [made["Ada"]], source=task, at=ctx.now - timedelta(days=3))
        activities.log(ctx, "crm.note", "A note", [made["Bob"]])
        links.link(ctx, made["Bob"], company)


CALLED = {"some": {"relation": "activities", "where": {"field": "kind", "op": "eq", "value": "crm.call"}}}
NOTED = {"some": {"relation": "activities", "where": {"field": "kind", "op": "eq", "value": "crm.note"}}}
LINKED = {"some": {"relation": "core.links"}}
LINKED_COMPANY = {"some": {"relation": "links.crm.company", "where": {"field": "name", "op": "eq", "value": "hidden"}}}


@pytest.mark.usefixtures("people")
def test_relations_select_what_the_reader_may_see(crm: Crm, admin: Actor, make_user: Any) -> None:
    user = make_user("user")
    assert found(crm, admin, "crm.contact", CALLED) == ["Ada"]
    assert found(crm, user, "crm.contact", CALLED) == []
    assert found(crm, user, "crm.contact", NOTED) == found(crm, admin, "crm.contact", NOTED) == ["Bob"]
    assert found(crm, admin, "crm.contact", LINKED) == found(crm, admin, "crm.contact", LINKED_COMPANY) == ["Bob"]
    assert found(crm, user, "crm.contact", LINKED) == found(crm, user, "crm.contact", LINKED_COMPANY) == []


@pytest.mark.usefixtures("people")
def test_the_other_end_of_a_link_is_found_too(crm: Crm, admin: Actor) -> None:
    tree = {"some": {"relation": "links.crm.contact", "where": {"field": "last_name", "op": "eq", "value": "BOB"}}}
    assert found(crm, admin, "crm.company", tree) == ["Hidden"]


@pytest.mark.usefixtures("people")
def test_time_and_absence_of_activities(crm: Crm, admin: Actor) -> None:
    recent = {"field": "at", "op": "ge", "value": {"ago": "P1D"}}
    assert found(crm, admin, "crm.contact", {"none": {"relation": "activities", "where": recent}}) == ["Ada", "Eve"]
    assert found(crm, admin, "crm.contact", {"none": {"relation": "activities"}}) == ["Eve"]


@pytest.mark.usefixtures("people")
def test_child_rows(crm: Crm, admin: Actor) -> None:
    tree = {"some": {"relation": "emails", "where": {"field": "email", "op": "eq", "value": "EVE@example.test"}}}
    assert found(crm, admin, "crm.contact", tree) == ["Eve"]


def test_unknown_relations_are_refused(crm: Crm, admin: Actor) -> None:
    for name in ("links.crm.nothing", "link", "activities.kind", "crm.lead.nothing"):
        with pytest.raises(Invalid):
            found(crm, admin, "crm.contact", {"some": {"relation": name}})
