"""The example plugins: they keep the contract, do what their pages say, and import what plugins may import."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gigacore import Abort, Actor, Crm, Plugin, records
from gigacore.access import tokens, users
from gigacore.testing.contract import PluginContract
from gigacore.testing.databases import settings
from host_app import create_app
from host_app.planning import plan_with_pages
from tests.api.conftest import KEYS
from tests.installed import Source, examples_importable, examples_installed, sources
from tests.test_floors import may_import, offences

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCES = [one for one in sources() if one.folder.parent == EXAMPLES]
MOST_LINES = 25


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with examples_installed(tmp_path_factory.mktemp("site")):
        yield


with examples_importable():
    FOUND = {one.name: one.load() for one in SOURCES}
hello, equipment, visits = FOUND["hello"], FOUND["equipment"], FOUND["visits"]
inspections, signing, vendors = FOUND["inspections"], FOUND["signing"], FOUND["vendors"]


class TestHello(PluginContract):
    plugin = hello


class TestEquipment(PluginContract):
    plugin = equipment


class TestVisits(PluginContract):
    plugin = visits


class TestInspections(PluginContract):
    plugin = inspections


class TestSigning(PluginContract):
    plugin = signing


class TestVendors(PluginContract):
    plugin = vendors


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: one.name)
def test_they_import_what_plugins_may_import(source: Source) -> None:
    assert offences(source.folder / source.module, partial(may_import, source.module)) == []


def test_hello_is_short() -> None:
    lines = [line for path in (EXAMPLES / "hello_plugin").rglob("*.py") for line in path.read_text().splitlines()]
    assert len(lines) <= MOST_LINES


class TestHelloAtWork:
    @pytest.fixture
    def plugins(self) -> Sequence[Plugin]:
        return [hello]

    def test_its_rule_refuses_and_its_panel_greets(self, crm: Crm, admin: Actor) -> None:
        with crm.unit_of_work(admin) as ctx:
            lead = records.create(ctx, "crm.lead", {"last_name": "Durand", "first_name": "Zoé"})
            (note,) = crm.plugins.loaded["hello"].panels[0].load(ctx, lead)
        assert str(note.text) == "Hello, Zoé!"
        amount = {"amount": "10.00", "currency": "EUR"}
        with pytest.raises(Abort, match="company"), crm.unit_of_work(admin) as ctx:
            records.create(ctx, "crm.lead", {"last_name": "Durand", "amount": amount})


class Served:
    """The pages of an example, by a token of whoever looks."""

    @pytest.fixture
    def app(self, crm: Crm) -> Flask:
        app = create_app(crm, replace(crm.settings, **KEYS))
        app.testing = True
        return app

    @pytest.fixture
    def client_of(self, crm: Crm, app: Flask) -> Callable[[Actor], FlaskClient]:
        def make(actor: Actor) -> FlaskClient:
            with crm.system("test") as ctx:
                raw = tokens.create(ctx, actor.user_id or 0, "test")
            client = app.test_client()
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {raw}"
            return client

        return make


class TestVisitsAtWork(Served):
    @pytest.fixture
    def plugins(self) -> Sequence[Plugin]:
        return [visits]

    @pytest.mark.parametrize(("locale", "day"), [("en", "Mar 9, 2026"), ("fr", "9 mars 2026")])
    def test_its_map_writes_days_as_its_reader_does(
        self, crm: Crm, admin: Actor, client_of: Callable[[Actor], FlaskClient], locale: str, day: str
    ) -> None:
        with crm.unit_of_work(admin) as ctx:
            values = {"name": "Atelier Nord", "visits": {"last_visit": "2026-03-09"}, "founded": 1986}
            number = records.create(ctx, "crm.company", values).id
            users.change(ctx, admin.user_id or 0, {"locale": locale})
        client = client_of(admin)
        page = client.get("/visits/map").get_data(as_text=True)
        assert "2026-03-09" not in page
        assert day in page.replace("\u202f", " ").replace("\u00a0", " ")
        assert ">1986<" in client.get(f"/crm/companies/{number}").get_data(as_text=True)


class TestEquipmentAtWork(Served):
    @pytest.fixture
    def plugins(self) -> Sequence[Plugin]:
        return [equipment]

    @pytest.fixture
    def machine(self, crm: Crm, admin: Actor) -> int:
        due = crm.clock.now().date().isoformat()
        with crm.unit_of_work(admin) as ctx:
            return records.create(ctx, "equipment.machine", {"name": "Press", "service_due": due}).id

    def test_its_job_plans_a_task_once(self, crm: Crm, admin: Actor, machine: int) -> None:
        for _ in range(2):
            with crm.system("night") as ctx:
                crm.jobs.enqueue(ctx, "equipment.plan")
            crm.worker().run_pending()
        with crm.system("look") as ctx:
            tasks = records.page(ctx, "crm.task", records.ListRequest(fields=("title",))).items
            assert [task["title"] for task in tasks] == ["Service: Press"]
            assert records.get(ctx, "equipment.machine", machine)["planned_for"]

    def test_its_page_is_for_those_whom_a_role_allows(
        self, make_user: Callable[..., Actor], client_of: Callable[[Actor], FlaskClient]
    ) -> None:
        found = [client_of(make_user(role)).get("/equipment/overview").status_code for role in ("manager", "user")]
        assert found == [200, 403]

    def test_its_page_draws_a_chart_from_its_table(
        self, admin: Actor, machine: int, client_of: Callable[[Actor], FlaskClient]
    ) -> None:
        client = client_of(admin)
        page = client.get("/equipment/overview").get_data(as_text=True)
        assert re.search(r'Running</th><td class="num">1<', page)
        assert '<canvas data-chart="equipment"' in page
        (script,) = re.findall(r'src="(/equipment/assets/[^"]+)"', page)
        answer = client.get(script)
        assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
        assert client.get("/equipment/assets/secret.py").status_code == 404
        assert client.get("/api/v1/equipment/states").get_json() == {"running": 1, "broken": 0, "retired": 0}


def test_a_plan_names_the_addresses_of_its_web_module_and_its_rights(database_url: str, tmp_path: Path) -> None:
    with Crm(settings(database_url, tmp_path), plugins=[equipment]) as crm:
        crm.start()
        coming = plan_with_pages(crm, "install", "equipment")
        assert {str(one.what) for one in coming.routes if one.sign == "+"} >= {
            "/equipment/overview",
            "/api/v1/equipment/states",
        }
        assert "right to equipment.overview" in {str(one.what) for one in coming.permissions}
        assert crm.plugins.stored().keys() == {"crm"}
        crm.enable("equipment")
        assert "/equipment/overview" not in {
            str(one.what) for one in plan_with_pages(crm, "enable", "equipment").routes
        }
        going = {str(one.what) for one in plan_with_pages(crm, "uninstall", "equipment").routes if one.sign == "-"}
        assert going >= {"/equipment/overview", "/equipment/machines"}
