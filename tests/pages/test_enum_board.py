"""The board of an entity of a plugin whose status is a Python enum."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from gigacore import Crm, Plugin, records
from tests.pages.conftest import Visitor
from tests.pages.test_board import FETCH, lanes

EXAMPLE = Path(__file__).parents[2] / "examples/equipment_plugin"
PATH = "/equipment/machines"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Sequence[Plugin]:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    plugin: Plugin = import_module("gigacore_equipment").plugin
    return (plugin,)


def test_its_columns_are_the_members_and_cards_move_between_them(crm: Crm, root: Visitor) -> None:
    with crm.system("machines") as ctx:
        for name, state in (("Press", "running"), ("Lathe", "broken")):
            records.create(ctx, "equipment.machine", {"name": name, "state": state})
    assert lanes(root.get(f"{PATH}/board").get_data(as_text=True)) == {
        "Running": ["Press"], "Broken": ["Lathe"], "Retired": []
    }  # fmt: skip
    assert root.post(f"{PATH}/1/move", {"value": "broken"}, **FETCH).status_code == 204
    refused = root.post(f"{PATH}/1/move", {"value": "melted"}, **FETCH)
    assert (refused.status_code, bool(refused.get_data())) == (422, True)
    assert sorted(lanes(root.get(f"{PATH}/board").get_data(as_text=True))["Broken"]) == ["Lathe", "Press"]
    assert "tr class=" in root.get(f"{PATH}?as=status").get_data(as_text=True)
