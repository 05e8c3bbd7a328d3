"""Saved views: who sees, changes and shares them, and that what does not fit is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gigacore import Crm, Forbidden, Invalid, NotFound, views
from gigacore.access import load_actor, teams, users
from gigacore.context import Actor

STATE = {"name": "Big ones", "filter": {"field": "amount", "op": "gt", "value": 100}, "sort": "-amount"}


@pytest.fixture
def people(crm: Crm) -> dict[str, int]:
    with crm.system("people") as ctx:
        found = {
            name: users.create(ctx, f"{name}@example.test", name.title(), None, role)
            for name, role in (("ann", "manager"), ("ben", "user"), ("cleo", "user"), ("root", "admin"))
        }
        team = teams.create(ctx, "North", manager_id=found["ann"])
        teams.set_members(ctx, team, [found["ben"]])
    return found | {"team": team}


def actor(crm: Crm, number: int) -> Actor:
    with crm.engine.connect() as connection:
        return load_actor(connection, number)


def save(crm: Crm, number: int, **data: Any) -> views.View:
    with crm.unit_of_work(actor(crm, number)) as ctx:
        return views.save(ctx, "crm.lead", {**STATE, **data})


def names(crm: Crm, number: int) -> list[str]:
    with crm.read(actor(crm, number)) as ctx:
        return [view.name for view in views.views_of(ctx, "crm.lead")]


def test_a_view_is_ones_own_until_it_is_shared(crm: Crm, people: dict[str, int]) -> None:
    made = save(crm, people["ann"])
    assert [names(crm, people[who]) for who in ("ann", "ben", "cleo")] == [["Big ones"], [], []]
    with crm.unit_of_work(actor(crm, people["ann"])) as ctx:
        views.change(ctx, "crm.lead", made.id, {"shared": "team", "team_id": people["team"]})
    assert [names(crm, people[who]) for who in ("ben", "cleo")] == [["Big ones"], []]
    with crm.unit_of_work(actor(crm, people["ann"])) as ctx:
        views.change(ctx, "crm.lead", made.id, {"shared": "all"})
    assert names(crm, people["cleo"]) == ["Big ones"]


def test_sharing_and_changing_take_a_right(crm: Crm, people: dict[str, int]) -> None:
    with pytest.raises(Forbidden):
        save(crm, people["ben"], shared="all")
    with pytest.raises(Invalid):
        save(crm, people["root"], shared="team", team_id=people["team"])
    hers = save(crm, people["ann"], shared="all")
    own = save(crm, people["ann"])
    with pytest.raises(Forbidden), crm.unit_of_work(actor(crm, people["ben"])) as ctx:
        views.change(ctx, "crm.lead", hers.id, {"name": "Mine now"})
    with pytest.raises(NotFound), crm.unit_of_work(actor(crm, people["ben"])) as ctx:
        views.remove(ctx, "crm.lead", own.id)
    with crm.unit_of_work(actor(crm, people["root"])) as ctx:
        views.remove(ctx, "crm.lead", hers.id)
    assert names(crm, people["ben"]) == []


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({"name": " "}, "name"),
        ({"kind": "wall"}, "kind"),
        ({"filter": {"field": "nothing", "op": "eq", "value": 1}}, "filter.field"),
        ({"sort": "description"}, "sort"),
        ({"fields": ["nothing"]}, "fields"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(crm: Crm, people: dict[str, int], data: Any, at: str) -> None:
    with pytest.raises(Invalid) as caught:
        save(crm, people["ben"], **data)
    assert caught.value.errors[0].path == at


def test_a_choice_is_the_persons_own(crm: Crm, people: dict[str, int]) -> None:
    with crm.unit_of_work(actor(crm, people["ben"])) as ctx:
        views.choose(ctx, "crm.lead", fields=["city"])
        views.choose(ctx, "crm.lead", default_view="mine")
    with crm.read(actor(crm, people["ben"])) as ctx:
        assert views.choice_of(ctx, "crm.lead") == views.ListChoice("mine", ("city",))
    with crm.read(actor(crm, people["ann"])) as ctx:
        assert views.choice_of(ctx, "crm.lead") == views.ListChoice()
