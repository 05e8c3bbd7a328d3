"""An application with two plugins, one of which adds fields to the other's entity, and an administrator's fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gigacore import Crm, customfields
from gigacore.testing.databases import Databases, settings
from gigacore.testing.fixtures import ENGINES
from tests.faults.house import House, visited
from tests.installed import examples_importable, sources
from tests.pages.conftest import KEYS
from tests.surfaces.machines import ENTITY

with examples_importable():
    FOUND = {one.name: one.load() for one in sources()}


@pytest.fixture(scope="module", params=ENGINES)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    given = replace(settings(databases.ready(), tmp_path_factory.mktemp("data")), **KEYS)
    with examples_importable(), Crm(given, plugins=[FOUND["equipment"], FOUND["inspections"]]) as crm:
        crm.start()
        for name in ("equipment", "inspections"):
            crm.enable(name)
        found = visited(crm)
        with crm.unit_of_work(crm.actor(found.root.user_id)) as ctx:
            customfields.define(ctx, {"entity": ENTITY, "kind": "text", "label": "Position", "key": "x_place"})
            customfields.define(ctx, {"entity": ENTITY, "kind": "file", "label": "Drawing", "key": "x_drawing"})
        crm.refresh()
        yield found
