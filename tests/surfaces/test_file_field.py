"""A field that holds a file reaches every surface, and its rights decide who reads the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import sqlalchemy as sa

from gigacore import NotFound, files, records
from gigacore.access import roles
from gigacore.data.tables import core_outbox
from gigacore.files.fields import remove_unused
from gigacore.filter import matches, parse
from gigacore.records.limits import record_environment
from gigacore.testing.people import People
from tests.faults.house import House
from tests.surfaces.machines import ENTITY, MACHINES, PAGES, Field

DECLARED = {
    "own": ("manual", "Manual"),
    "of another plugin": ("inspections.certificate", "Certificate"),
    "of an administrator": ("x_drawing", "Drawing"),
}
CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 300
NAME = "canary.pdf"


@pytest.fixture(scope="module", params=DECLARED)
def field(request: pytest.FixtureRequest, house: House) -> Field:
    name, label = DECLARED[request.param]
    found = Field(house, name, label, 0)
    made = house.call("POST", MACHINES, {"name": f"Lathe {name}", "visibility": "write"})
    found.machine = made.get_json()["id"]
    set_file(found, upload(found, NAME))
    return found


def upload(field: Field, name: str, content: bytes = CONTENT) -> str:
    headers = {"Authorization": f"Bearer {field.house.token}"}
    data = {"file": (io.BytesIO(content), name)}
    answer = field.house.root.client.post(f"{MACHINES}/uploads/{field.name}", data=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["uid"])


def set_file(field: Field, uid: str | None) -> Any:
    answer = field.house.call("PATCH", f"{MACHINES}/{field.machine}", field.body(uid))  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return field.of(answer.get_json())


def now(field: Field) -> Any:
    return field.of(field.get(f"/{field.machine}"))


def download(field: Field, uid: str) -> Any:
    return field.house.root.client.get(f"/files/{uid}")


def interface(field: Field) -> bool:
    value = now(field)
    return value["name"] == NAME and download(field, value["uid"]).data == CONTENT


def check(field: Field) -> bool:
    """Neither something else nor a file that is not there."""
    wrong = (7, "x", "0190b2c0-0000-7000-8000-000000000000")
    return all(field.house.call("POST", MACHINES, {"name": "x", **field.body(one)}).status_code == 422 for one in wrong)  # type: ignore[arg-type]


def form(field: Field) -> bool:
    """Without scripts: the present file is shown; another one takes its place; a tick takes it off."""
    home = f"{PAGES}/{field.machine}"
    page = field.page(f"{home}/edit")
    sent = {"name": "Lathe", field.name: now(field)["uid"], f"{field.name}.text": NAME}
    chosen = {f"{field.name}.file": (io.BytesIO(CONTENT), "second.pdf")}
    replaced = field.house.root.post(f"{home}/edit", {**sent, **chosen}).status_code, now(field)["name"]
    sent[field.name] = now(field)["uid"]
    removed = field.house.root.post(f"{home}/edit", {**sent, f"{field.name}.remove": "1"}).status_code, now(field)
    set_file(field, upload(field, NAME))
    shown = all(text in page for text in (f'name="{field.name}.file"', NAME, 'enctype="multipart/form-data"'))
    return shown and replaced == (303, "second.pdf") and removed == (303, None)


def form_with_a_fault(field: Field) -> bool:
    """What was chosen is kept when something else is wrong, and saved with the next try."""
    home = f"{PAGES}/{field.machine}/edit"
    sent = {"name": "", field.name: "", f"{field.name}.file": (io.BytesIO(CONTENT), "kept.pdf")}
    answer = field.house.root.post(home, sent)
    page = answer.get_data(as_text=True)
    uid = page.partition(f'name="{field.name}" value="')[2].partition('"')[0]
    kept = answer.status_code == 422 and "kept.pdf" in page
    field.house.root.post(home, {"name": "Lathe", field.name: uid})
    found = now(field)["name"]
    set_file(field, upload(field, NAME))
    return kept and found == "kept.pdf"


def detail(field: Field) -> bool:
    page = field.page(f"{PAGES}/{field.machine}")
    return field.label in page and NAME in page and f"/files/{now(field)['uid']}" in page


def column(field: Field) -> bool:
    page = field.page(f"{PAGES}?fields=name,{field.name}")
    return field.label in page and NAME in page and field.name in field.page(f"{PAGES}/columns")


def filters(field: Field) -> bool:
    found = {}
    for empty in (True, False):
        tree = quote(json.dumps({"field": field.name, "op": "empty", "value": empty}))
        found[empty] = field.machine in [one["id"] for one in field.get(f"?limit=200&filter={tree}")["items"]]
    return found == {True: False, False: True} and "is empty" in field.page(f"{PAGES}/filter?field={field.name}")


def document(field: Field) -> bool:
    whole = field.house.call("GET", "/api/v1/openapi.json").get_json()
    own = field.name.rpartition(".")[2]
    described = [name for name, one in whole["components"]["schemas"].items() if f'"{own}"' in json.dumps(one)]
    return len(described) >= 2 and f"{MACHINES}/uploads/{field.name}" in whole["paths"]


def audit_and_undo(field: Field) -> bool:
    before = now(field)["uid"]
    set_file(field, upload(field, "other.pdf"))
    history = field.page(f"{PAGES}/{field.machine}?tab=changes")
    change = history.partition(f"{PAGES}/{field.machine}/changes/")[2].partition("/")[0]
    field.house.root.post(f"{PAGES}/{field.machine}/changes/{change}/undo", {})
    return NAME in history and "other.pdf" in history and now(field)["uid"] == before


def event(field: Field) -> bool:
    with field.crm.database.connect() as connection:
        rows = connection.execute(sa.select(core_outbox.c.fields).where(core_outbox.c.record_id == field.machine))
        return any(field.name in (names or ()) for (names,) in rows)


def condition_of_rules(field: Field) -> bool:
    with field.crm.system("test") as ctx:
        record = records.load(ctx, ENTITY, field.machine)
        spec = ctx.session.registry.entity(ENTITY)
        condition = parse({"field": field.name, "op": "empty", "value": False}, spec, ctx.session.registry)
        return bool(matches(condition, *record_environment(ctx, record)))


def export(field: Field) -> bool:
    text = field.page(f"{PAGES}/export?fields=name,{field.name}").lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    return f"{NAME} ({now(field)['uid']})" in {row.get(field.label) for row in rows}


def permission(field: Field) -> bool:
    """Whoever may see the record but not the field gets neither value nor file; whoever may read it gets both."""
    crm, uid = field.crm, now(field)["uid"]
    people = People(crm, _made=hash(field.name) % 10_000)
    with crm.system("test") as ctx:
        roles.set_field_rule(ctx, "user", ENTITY, field.name, read=False, write=False)
    outcomes = []
    for kind in ("user", "manager"):
        with crm.read(people.make(kind)) as ctx:
            seen = uid in json.dumps(records.get(ctx, ENTITY, field.machine), default=str)
            try:
                files.get(ctx, UUID(uid))
                outcomes.append((seen, True))
            except NotFound:
                outcomes.append((seen, False))
    return outcomes == [(False, False), (True, True)]


def trash(field: Field) -> bool:
    home = f"{PAGES}/{field.machine}"
    field.house.root.get(home)
    gone = field.house.root.post(f"{home}/delete", {}).status_code
    back = field.house.root.post(f"{home}/restore", {}).status_code
    return (gone, back) == (303, 303) and interface(field)


def sweeping(field: Field) -> bool:
    """Nothing that stands in a record, or did until lately, is swept; what was uploaded for nothing is."""
    loose = upload(field, "loose.pdf")
    with field.crm.system("test") as ctx:
        moment = ctx.now + timedelta(days=2)
    with field.crm.database.begin() as connection:
        remove_unused(connection, moment)
    return interface(field) and download(field, loose).status_code == 404


SURFACES: tuple[Callable[[Field], bool], ...] = (
    interface, check, form, form_with_a_fault, detail, column, filters, document, audit_and_undo, event,
    condition_of_rules, export, trash, sweeping, permission,
)  # fmt: skip


def test_it_reaches_every_surface(field: Field) -> None:
    assert field.missing(SURFACES) == []
