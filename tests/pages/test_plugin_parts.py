"""What a plugin puts into pages: menu, column, panels, tabs, tiles, slots, bulk actions; two plugins never collide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from gigacore import Crm, Plugin, hookimpl, records
from gigacore.context import Context
from gigacore.entity import Entity, FieldSpec
from gigacore.ui import (
    BulkAction,
    Column,
    Content,
    Fact,
    Facts,
    Link,
    Meter,
    NavItem,
    Note,
    Panel,
    Rows,
    Slot,
    Tab,
    Widget,
)
from tests.pages.conftest import Visitor


def about(_ctx: Context, record: Entity) -> Sequence[Content]:
    return (
        Meter(40, label="Warmth"),
        Facts((Fact("Called", 3), Fact("Name", record.name))),  # type: ignore[attr-defined]
        Rows(("Day", "Calls"), (("Monday", 2),)),
        Note("<b>bold</b> is text"),
        Link("Away", url="https://evil.test/"),
    )


def fail(_ctx: Context, _record: Entity) -> Sequence[Content]:
    raise RuntimeError("secret detail")


def three(_ctx: Context, _record: Entity) -> int:
    return 3


def broken(_ctx: Context, _record: Entity) -> int:
    raise RuntimeError("secret detail")


COUNTS = {"warm": three, "cold": broken}


def tile(_ctx: Context) -> Sequence[Content]:
    return (Note("tile text"),)


def rename(ctx: Context, ids: Sequence[int], params: Mapping[str, object]) -> None:
    for number in ids:
        records.update(ctx, "crm.lead", number, {"first_name": params["word"]})


@hookimpl
def fill_slot(slot: Slot) -> Sequence[Content]:
    return (Note(f"slot {slot.value}"),)


def plugin(name: str) -> Plugin:
    return Plugin(
        name,
        requires=("crm",),
        nav=[NavItem(name=f"{name}.page", label=f"{name} page", url=f"/{name}/page", policy="signed_in")],
        columns=[Column(entity="crm.lead", field="country")],
        panels=[
            Panel(name=f"{name}.warmth", label=f"{name} warmth", entity="crm.lead", load=about),
            Panel(name=f"{name}.broken", label=f"{name} broken", entity="crm.lead", load=fail, slot=Slot.RECORD_MAIN),
            Panel(name=f"{name}.hidden", label=f"{name} hidden", entity="crm.lead", load=about, policy="super_admin"),
        ],
        tabs=[Tab(name=f"{name}.tab", label=f"{name} tab", entity="crm.lead", load=about, count=COUNTS[name])],
        widgets=[Widget(name=f"{name}.tile", label=f"{name} tile", load=tile, policy="signed_in")],
        bulk_actions=[
            BulkAction(
                name=f"{name}_rename", label=f"{name} rename", entity="crm.lead", run=rename, policy="crm.lead.edit",
                params=(FieldSpec("word", "text", label="Word", required=True),),
            )
        ],
        hooks=[SimpleNamespace(fill_slot=fill_slot)] if name == "warm" else [],
    )  # fmt: skip


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return plugin("warm"), plugin("cold")


@pytest.fixture
def lead(crm: Crm) -> str:
    crm.hooks.strict = False
    with crm.system("lead") as ctx:
        number = records.create(ctx, "crm.lead", {"last_name": "Doe", "visibility": "write"}).id
    return f"/crm/leads/{number}"


def test_panels_of_two_plugins_stand_side_by_side_and_a_broken_one_is_left_out(lead: str, visit: Any) -> None:
    page = visit("user").get(lead).get_data(as_text=True)
    for name in ("warm", "cold"):
        assert f"{name} warmth" in page
        assert f"{name} broken" in page
        assert f"{name} hidden" not in page
        assert f'href="{lead}?tab={name}.tab"' in page
    assert page.count("<meter") == 2
    assert 'warm tab<span class="count">3</span></a>' in page
    assert "cold tab</a>" in page
    assert "secret detail" not in page
    assert "&lt;b&gt;bold" in page
    assert "evil.test" not in page
    assert "slot record.side" in page
    assert "slot record.head" in page


def test_menu_column_tile_and_tab(lead: str, root: Visitor) -> None:
    home = root.get("/").get_data(as_text=True)
    assert 'href="/warm/page"' in home
    assert "tile text" in home
    assert "slot home" in home
    page = root.get("/crm/leads").get_data(as_text=True)
    assert re.search(r"<th[^>]*>(<a[^>]*>)?Country", page)
    assert "slot list.top" in page
    assert "Warmth" in root.get(f"{lead}?tab=cold.tab").get_data(as_text=True)
    assert "slot form.bottom" in root.get("/crm/leads/new").get_data(as_text=True)


def test_a_bulk_action_asks_for_what_it_needs(crm: Crm, lead: str, root: Visitor) -> None:
    assert 'value="plugin:warm_rename"' in root.get("/crm/leads").get_data(as_text=True)
    sent = {"action": "plugin:warm_rename", "id": [lead.rsplit("/", 1)[1]], "back": "/crm/leads"}
    asked = root.post("/crm/leads/bulk", sent)
    assert 'name="word"' in asked.get_data(as_text=True)
    assert root.post("/crm/leads/bulk", sent | {"_go": "1", "word": ""}).status_code == 422
    assert root.post("/crm/leads/bulk", sent | {"_go": "1", "word": "John"}).status_code == 303
    assert "John Doe" in root.get("/crm/leads").get_data(as_text=True)


def test_a_module_for_some_people_shows_the_others_nothing(crm: Crm, lead: str, root: Visitor, visit: Any) -> None:
    ann, ben = visit("user"), visit("manager")
    root.get("/settings/plugins/warm/access")
    root.confirm("/settings/plugins/warm/access", {"people": [str(ann.user_id)]})
    assert "for some people only" in root.get("/settings/plugins").get_data(as_text=True)
    for visitor, sees in ((ann, True), (ben, False), (root, True)):
        page = visitor.get(lead).get_data(as_text=True)
        home = visitor.get("/").get_data(as_text=True)
        assert ("warm warmth" in page, "warm tile" in home, 'href="/warm/page"' in home) == (sees, sees, sees)
        assert "cold warmth" in page
    assert root.post("/settings/plugins/warm/access", {}).status_code == 303, "nobody loses anything"
    assert "warm warmth" in ben.get(lead).get_data(as_text=True)
    assert ben.get("/settings/plugins/warm/access").status_code == 403
