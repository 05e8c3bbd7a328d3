"""A plugin extends the entities of another one: everything it declares is there, and gone when it is switched off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from gigacore import Actor, Crm, Invalid, NotFound, Plugin, jobs, notices, records, reports
from gigacore.automation import Action
from gigacore.reports import ReportType
from gigacore.text import render, stored
from gigacore.text.values import plain
from host_app.cli import cli
from host_app.installation import Installation
from tests.faults.house import House, visited
from tests.installed import examples_importable, examples_installed, sources
from tests.pages.conftest import KEYS

MACHINES = "/api/v1/equipment/machines"
FIELD = "inspections.inspected_on"

with examples_importable():
    PLUGINS = {one.name: one.load() for one in sources() if one.folder.parent.name == "examples"}


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest) -> Any:
    """The contract of each plugin runs on both; this is about surfaces."""
    return request.getfixturevalue(f"{request.param}_databases")


@pytest.fixture
def plugins(tmp_path: Any) -> Iterator[Sequence[Plugin]]:
    with examples_installed(tmp_path):
        yield [PLUGINS["equipment"], PLUGINS["inspections"]]


@pytest.fixture
def house(crm: Crm) -> House:
    crm.settings = replace(crm.settings, **KEYS)
    return visited(crm)


@pytest.fixture
def machine(house: House) -> int:
    made = house.call("POST", MACHINES, {"name": "Press", "inspections": {"risk": "high"}})
    assert made.status_code == 201, made.get_data(as_text=True)
    return int(made.get_json()["id"])


def page(house: House, path: str) -> str:
    answer = house.root.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_fields_and_parts_stand_on_the_pages_of_the_other_plugin(house: House, machine: int) -> None:
    record = page(house, f"/equipment/machines/{machine}")
    assert "Passed the inspection" in record, "the action"
    assert ">Inspection<" in record, "the panel and the section"
    assert "Rows" not in page(house, f"/equipment/machines/{machine}?tab=inspections.history")
    form = page(house, f"/equipment/machines/{machine}/edit")
    assert 'name="inspections.risk"' in form
    assert ">Inspection<" in form, "the section of the form"
    listed = page(house, "/equipment/machines")
    assert "Inspected on" in listed, "the column"
    assert "plugin:inspections_pass_all" in listed, "the action on many"
    home = page(house, "/")
    assert "1 machine is due." in home, "the tile"
    assert 'href="/inspections/today"' in home, "the menu"
    today = page(house, "/inspections/today")
    assert "Press" in today
    assert "Guards are in place" in today
    assert "seal" not in today
    assert 'name="inspections.interval"' in page(house, "/settings/plugin/inspections.general")


def test_it_is_filtered_sorted_searched_and_used_in_templates_and_rules(
    house: House, machine: int, crm: Crm, admin: Actor
) -> None:
    for query in (f'filter={{"field":"{FIELD}","op":"empty"}}', "inspections.risk=high", f"sort=-{FIELD}"):
        found = house.call("GET", f"{MACHINES}?{query}&fields=name,{FIELD}").get_json()
        assert [one["name"] for one in found["items"]] == ["Press"], query
    with crm.read(admin) as ctx:
        shown = records.get(ctx, "equipment.machine", machine)
    assert render("{{ record.inspections.risk }}", {"record": plain(shown)}) == "high"
    assert "inspections.pass" in {action.name for action in crm.plugins.declared(Action)}


def test_actions_on_one_and_on_many_run_from_the_api(house: House, machine: int) -> None:
    answer = house.call("POST", f"{MACHINES}/{machine}/actions/inspections_pass", {"title": "Yearly"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert house.call("GET", f"{MACHINES}/{machine}").get_json()["inspections"]["inspected_on"]
    many = house.call("POST", f"{MACHINES}/actions/inspections_pass_all", {"ids": [machine]})
    assert many.status_code == 200, many.get_data(as_text=True)
    found = house.call("GET", "/api/v1/inspections/inspections?sort=id").get_json()["items"]
    assert [one["title"] for one in found] == ["Yearly", "Press"]
    document = house.call("GET", "/api/v1/openapi.json").get_json()
    assert f"{MACHINES}/{{id}}/actions/inspections_pass" in document["paths"]


def test_the_owner_of_a_machine_is_called_on_open_pages(house: House, machine: int, crm: Crm) -> None:
    carried: list[Any] = []
    crm.live.carriers.append(carried.append)
    assert house.call("POST", f"/api/v1/inspections/call/{machine}").status_code == 200
    assert [(one.kind, one.data["machine"]) for one in carried] == [("inspections.call", "Press")]


def test_a_rule_refuses_what_the_other_plugin_would_take(house: House, machine: int) -> None:
    refused = house.call("PATCH", f"{MACHINES}/{machine}", {"state": "retired", "service_due": "2030-01-31"})
    assert refused.status_code == 422
    assert "retired machine" in refused.get_json()["detail"]


def test_a_derived_surface_is_replaced_and_comes_back(house: House, machine: int, crm: Crm) -> None:
    house.call("POST", f"{MACHINES}/{machine}/actions/inspections_pass")
    assert "Not signed." in page(house, "/inspections/inspections/1"), "the page of its own"
    assert "Not signed." not in page(house, "/inspections/inspections/1/edit"), "the others stay derived"
    crm.disable("inspections")
    assert house.root.get("/inspections/today").status_code == 404
    assert house.root.get("/inspections/inspections/1").status_code == 404
    assert "Inspected on" not in page(house, f"/equipment/machines/{machine}")


def test_a_port_is_absent_until_somebody_provides_it(house: House, machine: int, crm: Crm) -> None:
    assert house.call("GET", "/api/v1/inspections/signer").get_json() == {"signs": False}
    crm.plugins.candidates = {**crm.plugins.candidates, **_candidates("signing")}
    crm.enable("signing")
    assert house.call("GET", "/api/v1/inspections/signer").get_json() == {"signs": True}
    assert "The seal is unbroken" in page(house, "/inspections/today"), "a value of a kind that inspections define"


def test_a_certificate_is_printed_while_somebody_makes_pdfs(house: House, machine: int, crm: Crm) -> None:
    house.call("POST", f"{MACHINES}/{machine}/actions/inspections_pass")
    place = "/inspections/certificates/1"
    assert house.root.get(place).status_code == 404
    assert place not in page(house, "/inspections/inspections/1"), "no link that leads nowhere"
    crm.plugins.candidates = {**crm.plugins.candidates, **_candidates("vendors")}
    crm.enable("vendors")
    assert f'href="{place}"' in page(house, "/inspections/inspections/1")
    answer = house.root.client.get(place)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.get_data().startswith(b"%PDF-")
    crm.disable("vendors")
    assert house.root.get(place).status_code == 404


def _candidates(name: str) -> dict[str, Any]:
    from gigacore.plugins.discovery import given

    return {one.name: one for one in given([PLUGINS[name]])}


def test_two_records_of_any_kind_are_linked_in_words_that_fit_both_ends(house: House, machine: int) -> None:
    lead = house.acknowledged[0]
    made = house.call(
        "POST", f"{MACHINES}/{machine}/links", {"entity": "crm.lead", "id": lead, "kind": "inspections.feeds"}
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    assert "Is fed by" in page(house, f"/crm/leads/{lead}/around"), "on the page of the record too"
    there = house.call("GET", f"/api/v1/crm/leads/{lead}/links").get_json()["items"]
    here = house.call("GET", f"{MACHINES}/{machine}/links").get_json()["items"]
    assert [one["label"] for one in (*here, *there)] == ["Feeds", "Is fed by"]


def test_kinds_of_triggers_actions_and_notifications_reach_rules_and_people(
    house: House, machine: int, crm: Crm, admin: Actor
) -> None:
    offered = json.dumps(house.call("GET", "/api/v1/core/rules/kit").get_json())
    assert {"inspections.passed", "inspections.pass"} <= set(re.findall(r"inspections\.[a-z]+", offered))
    assert "Machines are due" in page(house, "/notifications/choices")
    step = {"do": "core.set_fields", "with": {"values": {"serial_number": "seen"}}}
    rules = {"core.created": {"do": "inspections.pass", "with": {}}, "inspections.passed": step}
    with crm.unit_of_work(admin) as ctx:
        for trigger, first in rules.items():
            body = {"entity": "equipment.machine", "trigger": {"kind": trigger}, "steps": [first]}
            crm.automation.switch(ctx, crm.automation.create(ctx, trigger, body).id, active=True)
    made = house.call("POST", MACHINES, {"name": "Lathe"}).get_json()["id"]
    for _ in range(2):
        crm.jobs.run_pending()
    found = house.call("GET", f"{MACHINES}/{made}").get_json()
    assert found["inspections"]["inspected_on"], "the action"
    assert found["serial_number"] == "seen", "the trigger"
    assert house.call("GET", f"{MACHINES}/{machine}").get_json()["serial_number"] != "seen", "the control"


def test_its_job_and_its_command_work(
    house: House, machine: int, crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crm.system("morning") as ctx:
        jobs.enqueue(ctx, "inspections.remind")
    crm.worker().run_pending()
    with crm.read(admin) as ctx:
        found = records.page(ctx, "crm.task", records.ListRequest(fields=("title",))).items
    with crm.read(crm.actor(house.root.user_id)) as ctx:  # the owner of the machine
        told = notices.listing(ctx)
    assert [task["title"] for task in found] == ["Inspect: Press"]
    assert [(one.kind, one.url) for one in told] == [("inspections.due", "/inspections/today")]
    monkeypatch.setattr(Installation, "crm", property(lambda _: crm))
    monkeypatch.setattr(Installation, "close", lambda _: None)
    assert CliRunner().invoke(cli, ["inspections"]).output == "Press\n"


REPORT = "/api/v1/core/reports/inspections.by_person"


def test_a_report_is_a_page_an_address_and_a_file_over_what_its_reader_sees(
    house: House, machine: int, crm: Crm, make_user: Any
) -> None:
    for name in ("Yearly", "Monthly"):
        house.call("POST", f"{MACHINES}/{machine}/actions/inspections_pass", {"title": name})
    found = house.call("GET", f"{REPORT}?period=this_month").get_json()
    me = {"id": house.root.user_id, "label": found["rows"][0]["by"]["label"]}
    assert found["rows"] == [{"by": me, "values": {"inspections.made": 2}}]
    assert house.call("GET", f"{REPORT}?period=last_year").get_json()["rows"] == []
    shown = page(house, "/core/reports/inspections.by_person?period=this_month")
    assert f'<th scope="row">{me["label"]}' in re.sub(r"<(?!/?th)[^>]*>", "", shown)
    assert '<td class="num">2</td>' in shown
    assert "Inspections by person" in page(house, "/core/reports")
    assert 'href="/core/reports"' in page(house, "/"), "the menu leads there"
    written = house.call("GET", f"{REPORT}?format=csv").get_data(as_text=True)
    assert written.splitlines()[1:] == [f"{me['label']},2"]
    file = page(house, "/core/reports/inspections.by_person/file?format=csv&period=last_year")
    assert len(file.splitlines()) == 1, "the heading alone"
    assert house.call("GET", f"{REPORT}?format=xlsx").get_data().startswith(b"PK")
    assert "/api/v1/core/reports/{name}" in house.call("GET", "/api/v1/openapi.json").get_json()["paths"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [("?period=doomsday", 422), ("?format=pdf", 422), ("?other=1", 422), (".none", 404), ("%27%3B--", 404)],
)
def test_a_report_that_there_is_not_is_refused(house: House, machine: int, asked: str, status: int) -> None:
    assert house.call("GET", REPORT + asked).status_code == status


def test_a_report_shows_nothing_that_its_reader_may_not_see(
    house: House, machine: int, crm: Crm, make_user: Any
) -> None:
    house.call("POST", f"{MACHINES}/{machine}/actions/inspections_pass")
    declared = crm.plugins.declared(ReportType)
    reader, nobody = make_user("user"), make_user(role=())
    with crm.read(reader) as ctx:
        (report,) = reports.visible(ctx, declared)
        assert reports.run(ctx, report) == [], "the inspections of others are out of sight"
    with crm.read(nobody) as ctx:
        assert reports.visible(ctx, declared) == []
        with pytest.raises(NotFound):
            reports.find(ctx, declared, report.name)
    crm.disable("inspections")
    assert house.call("GET", REPORT).status_code == 404
    assert 'href="/core/reports"' not in page(house, "/"), "no report, no entry in the menu"


def test_a_kind_of_template_is_edited_by_administrators_and_used_by_its_plugin(
    house: House, machine: int, crm: Crm
) -> None:
    house.call("POST", f"{MACHINES}/{machine}/actions/inspections_pass")
    place = "/api/v1/inspections/certificate/1"
    assert house.call("GET", place).get_json()["text"].startswith("Press was inspected on "), "the first words"
    assert "Certificate of an inspection" in page(house, "/settings/templates")
    edited = {"kind": "inspections.certificate", "key": "certificate", "name": "Certificate", "language": "en"}
    with crm.system("other words") as ctx:
        stored.save(ctx, body="{{ record.title }} runs.", **edited, kinds=crm.template_kinds)
        with pytest.raises(Invalid, match="There is no kind of template"):
            stored.save(ctx, body="x", **{**edited, "kind": "inspections.other"}, kinds=crm.template_kinds)
    assert house.call("GET", place).get_json()["text"] == "Press runs."
    crm.upgrade()
    assert house.call("GET", place).get_json()["text"] == "Press runs.", "an upgrade leaves them alone"


def test_a_consumer_of_events_tells_the_owner_once(house: House, machine: int, crm: Crm, admin: Actor) -> None:
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "inspections.inspection", {"title": "Yearly", "machine_id": machine})
    for _ in range(2):
        crm.worker().run_pending()
    with crm.read(crm.actor(house.root.user_id)) as ctx:
        told = [(one.kind, str(one.message)) for one in notices.listing(ctx)]
    assert told == [("inspections.done", "Press was inspected.")]
