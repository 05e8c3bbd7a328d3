"""Administrators edit choice lists; keys and the kinds that rules rely on stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gigacore import Actor, Crm, Forbidden, Invalid, NotFound, records
from gigacore.errors import Conflict
from gigacore.plugins import choices

LIST = "crm.lead_status"


def keys(crm: Crm) -> list[str]:
    crm.refresh()
    return [choice.key for choice in crm.registry.choice_lists[LIST].choices]


def test_a_choice_is_added_changed_arranged_and_removed(crm: Crm, admin: Actor) -> None:
    before = keys(crm)
    with crm.unit_of_work(admin) as ctx:
        made = choices.add(ctx, LIST, {"label": "À rappeler", "kind": "open", "labels": {"fr": "À rappeler"}})
    assert made.key == "a_rappeler"
    assert keys(crm) == [*before, "a_rappeler"]
    with crm.unit_of_work(admin) as ctx:
        choices.change(ctx, LIST, "a_rappeler", {"label": "Call back", "colour": "#1f6feb", "active": False})
        choices.arrange(ctx, LIST, ["a_rappeler"])
    assert keys(crm) == ["a_rappeler", *before]
    found = crm.registry.choice_lists[LIST].get("a_rappeler")
    assert found is not None
    assert (found.label, found.labels["fr"], found.colour, found.active) == (
        "Call back",
        "À rappeler",
        "#1f6feb",
        False,
    )
    with crm.unit_of_work(admin) as ctx:
        choices.remove(ctx, LIST, "a_rappeler")
    assert keys(crm) == before


def test_a_choice_in_use_is_not_removed(crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        choices.add(ctx, LIST, {"label": "Parked", "kind": "open"})
    crm.refresh()
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Durand", "status": "parked"})
    with pytest.raises(Conflict, match="1 records use this choice"), crm.unit_of_work(admin) as ctx:
        choices.remove(ctx, LIST, "parked")


@pytest.mark.parametrize("change", [{"active": False}, {"kind": "open"}])
def test_the_last_choice_of_a_kind_stays(crm: Crm, admin: Actor, change: dict[str, object]) -> None:
    with pytest.raises(Conflict, match="last choice of the kind “won”"), crm.unit_of_work(admin) as ctx:
        choices.change(ctx, LIST, "won", change)
    with pytest.raises(Conflict, match="last choice of the kind “won”"), crm.unit_of_work(admin) as ctx:
        choices.remove(ctx, LIST, "won")


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"label": ""}, "label"),
        ({"label": "x" * 121}, "label"),
        ({"label": "New"}, "key"),
        ({"label": "a", "colour": "red; }"}, "colour"),
        ({"label": "a", "kind": "nonsense"}, "kind"),
        ({"label": "a", "labels": {"../x": "y"}}, "labels"),
        ({"label": "a", "active": "yes"}, "active"),
        ({"label": "a", "plugin": "crm"}, "plugin"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(crm: Crm, admin: Actor, data: dict[str, object], path: str) -> None:
    before = keys(crm)
    with pytest.raises(Invalid) as caught, crm.unit_of_work(admin) as ctx:
        choices.add(ctx, LIST, data)
    assert [error.path for error in caught.value.errors] == [path]
    assert keys(crm) == before


def test_only_who_may_edit_choice_lists_does(crm: Crm, make_user: Callable[..., Actor]) -> None:
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("user")) as ctx:
        choices.add(ctx, LIST, {"label": "Mine"})


def test_an_unknown_list_or_choice_is_not_found(crm: Crm, admin: Actor) -> None:
    for name, key in (("crm.nowhere", "new"), (LIST, "nowhere")):
        with pytest.raises(NotFound), crm.unit_of_work(admin) as ctx:
            choices.change(ctx, name, key, {"label": "x"})


def test_a_change_holds_for_the_next_session_here_and_soon_elsewhere(crm: Crm, admin: Actor) -> None:
    with Crm(crm.settings, plugins=()) as other:
        other.start()
        with crm.unit_of_work(admin) as ctx:
            choices.add(ctx, LIST, {"label": "Parked", "kind": "open"})
        with crm.read(admin) as ctx:
            assert ctx.session.registry.choice_lists[LIST].get("parked") is not None
        with other.read(admin) as ctx:
            assert ctx.session.registry.choice_lists[LIST].get("parked") is None
        other._fresh_at -= 3
        with other.read(admin) as ctx:
            assert ctx.session.registry.choice_lists[LIST].get("parked") is not None
