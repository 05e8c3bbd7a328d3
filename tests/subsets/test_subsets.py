"""Any subset of plugins works: it starts, entities are used through API and pages, and nothing of others is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gigacore import Crm, Plugin, records
from gigacore.entity import EntitySpec
from gigacore.testing.databases import SqliteDatabases, settings
from gigacore.testing.samples import sample
from tests.faults.house import House, visited
from tests.installed import examples_importable, sources
from tests.pages.conftest import KEYS
from tests.subsets.subsets import Subset, closed, pairs, subsets, touched, touching

with examples_importable():
    PLUGINS = {one.name: one.load() for one in sources()}


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with examples_importable():
        yield


@pytest.fixture
def house(request: pytest.FixtureRequest, sqlite_databases: SqliteDatabases, tmp_path: Any) -> Iterator[House]:
    """The application with the plugins of the parameter, strict: the first fault is raised."""
    chosen: Subset = request.param
    url = sqlite_databases.ready()
    with Crm(replace(settings(url, tmp_path), **KEYS), plugins=[PLUGINS[name] for name in chosen]) as crm:
        for name in chosen:
            crm.plugins.enable(name)
        yield visited(crm.start())
    sqlite_databases.drop(url)


def named(subset: Subset) -> str:
    return "+".join(subset) or "core"


def try_everything(house: House) -> None:
    crm = house.crm
    own = [plugin for plugin in crm.plugins.enabled if plugin.name in PLUGINS]
    assert {name.partition(".")[0] for name in crm.registry.entities} <= {"crm", *(plugin.name for plugin in own)}
    for spec in list(crm.registry.entities.values()):
        if not spec.hidden and spec.name in concerned(own, crm):
            use(house, spec)
    for path in ("/", "/settings/plugins", "/trash", "/search?q=sample"):
        assert house.root.get(path).status_code == 200, path
    check_document(house.call("GET", "/api/v1/openapi.json").get_json(), crm)


def concerned(own: Sequence[Plugin], crm: Crm) -> set[str]:
    """Every entity where there is no plugin, one or all of them; else those that the plugins touch, and leads."""
    if len(own) in (0, 1, len(PLUGINS)):
        return set(crm.registry.entities)
    return {"crm.lead", *(name for plugin in own for name in touched(plugin))}


def use(house: House, spec: EntitySpec) -> None:
    """Creates, lists, shows, edits, exports and deletes a record."""
    crm = house.crm
    with crm.unit_of_work(crm.actor(house.root.user_id)) as ctx:
        data = sample(crm.registry, spec, lambda entity, given: records.create(ctx, entity, given).id)
    api, pages = f"/api/v1/{spec.api_path}", f"/{spec.plugin}/{spec.plural}"
    made = house.call("POST", api, data)
    assert made.status_code == 201, (spec.name, made.get_data(as_text=True))
    number = made.get_json()["id"]
    assert number in [item["id"] for item in house.call("GET", f"{api}?sort=-id").get_json()["items"]]
    for path in ("", f"/{number}", f"/{number}/edit", "/export"):
        assert house.root.get(pages + path).status_code == 200, pages + path
    changed = house.call("PATCH", f"{api}/{number}", dict(list(data.items())[:1]))
    assert changed.status_code == 200, (spec.name, changed.get_data(as_text=True))
    assert house.call("DELETE", f"{api}/{number}").status_code == 204, spec.name


def check_document(document: Mapping[str, Any], crm: Crm) -> None:
    """Every reference resolves, every operation has a name of its own, and each entity is there."""
    assert document["openapi"].startswith("3.1")
    operations = [
        one["operationId"] for path in document["paths"].values() for one in path.values() if "operationId" in one
    ]
    assert len(operations) == len(set(operations))
    for reference in set(references(document)):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    shown = {spec.name for spec in crm.registry.entities.values() if not spec.hidden}
    assert {f"{name}.list" for name in shown} <= set(operations)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


@pytest.mark.parametrize("house", subsets(PLUGINS), ids=named, indirect=True)
def test_a_subset_works(house: House) -> None:
    try_everything(house)


@pytest.mark.slow
@pytest.mark.parametrize("house", pairs(PLUGINS), ids=named, indirect=True)
def test_every_other_pair_works(house: House) -> None:
    try_everything(house)


@pytest.mark.parametrize("house", [closed(sorted(PLUGINS), PLUGINS)], ids=named, indirect=True)
def test_taken_away_one_by_one_the_rest_goes_on(house: House) -> None:
    """From all to none, in an order that requirements allow, each time with what is left."""
    crm = house.crm
    while left := [plugin for plugin in crm.plugins.enabled if not crm.plugins.candidates[plugin.name].builtin]:
        crm.disable(left[-1].name)
        assert house.root.get("/crm/leads").status_code == 200
        assert house.call("POST", "/api/v1/crm/leads", {"last_name": "Durand"}).status_code == 201
    assert crm.plugins.check() == {}


def test_pairs_that_touch_each_other_are_found() -> None:
    assert {("equipment", "inspections"), ("inspections", "signing")} <= set(touching(PLUGINS))
