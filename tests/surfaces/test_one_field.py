"""One declaration of a field reaches every surface: a plugin's own, one onto another's entity, an administrator's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from gigacore import Invalid, NotFound, records
from gigacore.access import roles
from gigacore.data.tables import core_outbox
from gigacore.exchange import mapping
from gigacore.filter import matches, parse
from gigacore.records.limits import record_environment
from gigacore.text import render
from gigacore.text.values import plain
from tests.faults.house import House
from tests.surfaces.machines import ENTITY, MACHINES, PAGES, Field

VALUE, OTHER = "canary-0815", "canary-4711"

DECLARED = {
    "own": ("serial_number", "Serial number"),
    "of another plugin": ("inspections.place", "Place"),
    "of an administrator": ("x_place", "Position"),
}


@pytest.fixture(scope="module", params=DECLARED)
def field(request: pytest.FixtureRequest, house: House) -> Field:
    name, label = DECLARED[request.param]
    found = Field(house, name, label, 0)
    made = house.call("POST", MACHINES, {"name": f"Press {name}", "visibility": "write", **found.body(VALUE)})
    assert made.status_code == 201, made.get_data(as_text=True)
    found.machine = made.get_json()["id"]
    return found


def model(field: Field) -> bool:
    return field.crm.registry.entity(ENTITY).fields[field.name].kind == "text"


def migration(field: Field) -> bool:
    plugin, _, own = field.name.rpartition(".")
    table = f"{plugin}_machine_ext" if plugin else "equipment_machine"
    with field.crm.database.system_connection("test") as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns(table)}
    return ("custom" if own.startswith("x_") else own) in columns


def form(field: Field) -> bool:
    page = field.page(f"{PAGES}/{field.machine}/edit")
    return f'name="{field.name}"' in page and VALUE in page and field.label in page


def detail(field: Field) -> bool:
    page = field.page(f"{PAGES}/{field.machine}")
    return field.label in page and VALUE in page


def column(field: Field) -> bool:
    page = field.page(f"{PAGES}?fields=name,{field.name}")
    return field.label in page and VALUE in page


def choice_of_columns(field: Field) -> bool:
    return field.name in field.page(f"{PAGES}/columns")


def filter_box(field: Field) -> bool:
    page = field.page(f"{PAGES}/filter?field={field.name}")
    return 'name="op"' in page and field.label in page


def filter_in_sql(field: Field) -> bool:
    tree = quote(json.dumps({"field": field.name, "op": "contains", "value": "canary"}))
    return [one["id"] for one in field.get(f"?filter={tree}")["items"]] == [field.machine]


def plain_parameter(field: Field) -> bool:
    return [one["id"] for one in field.get(f"?{field.name}={VALUE}")["items"]] == [field.machine]


def sort(field: Field) -> bool:
    return bool(field.get(f"?sort=-{field.name}")["items"][0]["id"] == field.machine)


def search(field: Field) -> bool:
    searched = field.crm.registry.entity(ENTITY).fields[field.name].search
    return (f"Press {field.name}" in field.page(f"{PAGES}?q=0815")) == searched


def interface(field: Field) -> bool:
    return bool(field.of(field.get(f"/{field.machine}")) == VALUE)


def answer_to_creating(field: Field) -> bool:
    made = field.house.call("POST", MACHINES, {"name": "Another", "visibility": "write", **field.body("answered")})
    return bool(field.of(made.get_json()) == "answered")


def change(field: Field) -> bool:
    for value in (OTHER, VALUE):
        answer = field.house.call("PATCH", f"{MACHINES}/{field.machine}", field.body(value))
        if field.of(answer.get_json()) != value:
            return False
    return True


def check(field: Field) -> bool:
    return bool(field.house.call("POST", MACHINES, {"name": "x", **field.body(7)}).status_code == 422)  # type: ignore[arg-type]


def document(field: Field) -> bool:
    schemas = field.house.call("GET", "/api/v1/openapi.json").get_json()["components"]["schemas"]
    own = field.name.rpartition(".")[2]
    return sum(f'"{own}"' in json.dumps(schema) for name, schema in schemas.items() if name.startswith(ENTITY)) >= 2


def audit(field: Field) -> bool:
    change(field)
    return f'"{field.name}"' in json.dumps(field.get(f"/{field.machine}/changes")["items"])


def event(field: Field) -> bool:
    change(field)
    with field.crm.database.connect() as connection:
        rows = connection.execute(sa.select(core_outbox.c.fields).where(core_outbox.c.record_id == field.machine))
        return any(field.name in (names or ()) for (names,) in rows)


def variable_of_templates(field: Field) -> bool:
    with field.crm.system("test") as ctx:
        shown = plain(records.get(ctx, ENTITY, field.machine))
    return render(f"{{{{ record.{field.name} }}}}", {"record": shown}) == VALUE


def condition_of_rules(field: Field) -> bool:
    with field.crm.system("test") as ctx:
        record = records.load(ctx, ENTITY, field.machine)
        spec = ctx.session.registry.entity(ENTITY)
        condition = parse({"field": field.name, "op": "eq", "value": VALUE}, spec, ctx.session.registry)
        return bool(matches(condition, *record_environment(ctx, record)))


def import_(field: Field) -> bool:
    spec = field.crm.registry.entity(ENTITY)
    return mapping.suggest(["Name", field.label], spec).columns[field.label] == field.name


def export(field: Field) -> bool:
    text = field.page(f"{PAGES}/export?fields=name,{field.name}").lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    return VALUE in {row.get(field.label) for row in rows}


def permission(field: Field) -> bool:
    """A role that may not read the field does not know it."""
    crm = field.crm
    with crm.system("test") as ctx:
        roles.set_field_rule(ctx, "manager", ENTITY, field.name, read=False, write=False)
    from gigacore.testing.people import People

    reader = People(crm, _made=hash(field.name) % 10_000).make("manager")
    try:
        with crm.read(reader) as ctx:
            shown = json.dumps(plain(records.get(ctx, ENTITY, field.machine)), default=str)
            assert VALUE not in shown
            records.page(ctx, ENTITY, records.ListRequest(filter={"field": field.name, "op": "eq", "value": VALUE}))
    except (Invalid, NotFound) as error:
        return isinstance(error, Invalid)
    return False


def bulk(field: Field) -> bool:
    body = {"ids": [field.machine], "params": field.body(VALUE)}
    return field.house.call("POST", f"{MACHINES}/actions/update", body).get_json()["done"] == [field.machine]


def trash(field: Field) -> bool:
    home = f"{PAGES}/{field.machine}"
    field.house.root.get(home)
    gone = field.house.root.post(f"{home}/delete", {}).status_code
    back = field.house.root.post(f"{home}/restore", {}).status_code
    return (gone, back) == (303, 303) and interface(field)


SURFACES: tuple[Callable[[Field], bool], ...] = (
    model, migration, form, detail, column, choice_of_columns, filter_box, filter_in_sql, plain_parameter, sort, search,
    interface, change, check, document, audit, event, variable_of_templates, condition_of_rules, import_, export,
    permission, bulk, trash, answer_to_creating,
)  # fmt: skip


def test_it_reaches_every_surface(field: Field) -> None:
    assert field.missing(SURFACES) == []
