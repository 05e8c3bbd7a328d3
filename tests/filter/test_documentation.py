"""The filters shown in the documentation are valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gigacore.crm import plugin
from gigacore.data.relations import CoreRelations
from gigacore.entity import Registry
from gigacore.filter import parse, to_json

PAGE = Path(__file__).parents[2] / "docs" / "filters.md"
SHOWN = re.findall(r"```json (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("entity", "text"), SHOWN)
def test_a_documented_filter_is_valid(entity: str, text: str) -> None:
    registry = Registry.build(plugin.entities, choice_lists=plugin.choice_lists, relation_sources=[CoreRelations()])
    condition = parse(json.loads(text), registry.entity(entity), registry)
    assert parse(to_json(condition), registry.entity(entity), registry) == condition


def test_there_are_documented_filters() -> None:
    assert len(SHOWN) == 3
