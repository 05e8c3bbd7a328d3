"""EXPLAIN shows the index of a custom field in use: the text of the index and that of the query are the same."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm, Money, customfields
from gigacore.context import Actor, system_actor
from gigacore.entity import FieldSpec
from gigacore.errors import Misuse
from gigacore.filter import SqlEnv, field_expression, order_expression, parse, store_value, stored_key, to_where

ROWS = 3000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = ("text", "integer", "decimal", "money", "date", "datetime", "choice", "email", "phone", "ref", "boolean")
VALUES: dict[str, Any] = {
    "text": lambda n: f"Élan {n}",
    "integer": lambda n: n,
    "decimal": lambda n: Decimal(n) / 4,
    "money": lambda n: Money(Decimal(n) / 4, "EUR"),
    "date": lambda n: date(2020, 1, 1) + timedelta(days=n),
    "datetime": lambda n: NOW + timedelta(minutes=n),
    "choice": lambda n: f"c{n}",
    "email": lambda n: f"a{n}@example.test",
    "phone": lambda n: f"+33{n:09d}",
    "ref": lambda n: n + 1,
    "boolean": lambda n: n == 7,
}
EQUAL: dict[str, Any] = {
    "text": "elan 7",
    "integer": 7,
    "decimal": "1.75",
    "money": "1.75",
    "date": "2020-01-08",
    "datetime": "2026-03-01T00:07:00Z",
    "choice": "c7",
    "email": "A7@example.test",
    "phone": "+33 000000007",
    "ref": 8,
    "boolean": True,
}
RANGES = {"integer": (7, 9), "decimal": ("1.75", "2"), "money": (2, 3), "date": ("2020-01-08", "2020-01-09"),
          "datetime": ("2026-03-01T00:07:00Z", "2026-03-01T00:09:00Z")}  # fmt: skip


def name_of(kind: str) -> str:
    return f"x_{kind}"


@pytest.fixture
def company(crm: Crm, admin: Actor) -> sa.Table:
    """Companies with a value in an indexed custom field of every kind that can have one."""
    with crm.unit_of_work(admin) as ctx:
        for kind in KINDS:
            more: dict[str, Any] = {"choices": ["C7"]} if kind == "choice" else {}
            more |= {"target": "crm.company"} if kind == "ref" else {}
            data = {"entity": "crm.company", "key": name_of(kind), "label": kind, "kind": kind, "indexed": True, **more}
            customfields.define(ctx, data)
    crm.refresh()
    spec = crm.registry.entity("crm.company")
    with crm.database.system_connection("sample") as connection:
        connection.execute(sa.insert(spec.table), rows(spec.fields))
        connection.exec_driver_sql("ANALYZE crm_company")
    return spec.table


def rows(fields: Any) -> list[dict[str, Any]]:
    numbers = list(range(ROWS))
    random.Random(3).shuffle(numbers)
    stamps = {"created_at": NOW, "updated_at": NOW}
    return [{"name": "Acme", **stamps, **custom_values(fields, number)} for number in numbers]


def custom_values(fields: Any, number: int) -> dict[str, Any]:
    values = {name_of(kind): VALUES[kind](number) for kind in KINDS}
    keys = {name: stored_key(fields[name], value) for name, value in values.items()}
    return {
        "custom": {name: store_value(fields[name], value) for name, value in values.items()},
        "custom_key": {name: key for name, key in keys.items() if key is not None},
    }


def plan(crm: Crm, statement: sa.Select[Any]) -> str:
    """The plan of the statement as it is really sent: with bound values."""
    with crm.database.system_connection("explain") as connection:
        compiled: Any = statement.compile(connection)
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        process = compiled._bind_processors
        values = {k: process[k](v) if k in process else v for k, v in compiled.construct_params().items()}
        parameters: Any = tuple(values[k] for k in compiled.positiontup) if compiled.positional else values
        found = connection.exec_driver_sql(f"{explain} {compiled}", parameters)
        return "\n".join(str(row[-1]) for row in found)


def where(crm: Crm, tree: Any) -> Any:
    spec = crm.registry.entity("crm.company")
    env = SqlEnv(spec.table, crm.registry, system_actor("test"), NOW, lambda entity: None)
    return to_where(parse(tree, spec, crm.registry), env)


def field(crm: Crm, kind: str) -> FieldSpec:
    return crm.registry.entity("crm.company").fields[name_of(kind)]


def ids(crm: Crm, statement: sa.Select[Any]) -> list[int]:
    with crm.database.system_connection("test") as connection:
        return list(connection.scalars(statement))


def test_equality_range_and_sort_use_the_index_of_the_field(crm: Crm, company: sa.Table) -> None:
    for kind in KINDS:
        index = customfields.index_name("crm_company", name_of(kind))
        equal = sa.select(company.c.id).where(where(crm, {"field": name_of(kind), "op": "eq", "value": EQUAL[kind]}))
        assert index in plan(crm, equal), f"equality on {kind}"
        assert len(ids(crm, equal)) == 1, f"equality on {kind}"
        if kind == "boolean":
            continue
        key = order_expression(field(crm, kind), company)
        for direction in (key, key.desc()):
            ordered = sa.select(company.c.id).where(key.is_not(None)).order_by(direction).limit(50)
            assert index in plan(crm, ordered), f"sort by {kind}"
        if bounds := RANGES.get(kind):
            tree = {"field": name_of(kind), "op": "between", "value": list(bounds)}
            statement = sa.select(company.c.id).where(where(crm, tree)).order_by(key).limit(50)
            assert index in plan(crm, statement), f"range of {kind}"


def test_numbers_sort_as_numbers_and_prefixes_use_the_index(crm: Crm, company: sa.Table) -> None:
    amounts = field(crm, "decimal")
    value = field_expression(amounts, company)
    with crm.database.system_connection("test") as connection:
        found = list(connection.scalars(sa.select(value).order_by(value.desc()).limit(2)))
    assert found == [Decimal(ROWS - 1) / 4, Decimal(ROWS - 2) / 4]
    starts = sa.select(company.c.id).where(where(crm, {"field": "x_text", "op": "starts", "value": "ÉLAN 29"}))
    assert customfields.index_name("crm_company", "x_text") in plan(crm, starts)
    assert len(ids(crm, starts)) == 111


def test_control_sqlalchemy_s_own_accessor_misses_the_index(crm: Crm, company: sa.Table) -> None:
    if crm.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL misses it for numbers only, by the cast")
    naive = sa.select(company.c.id).where(company.c.custom["x_integer"].as_integer() == 7)
    assert "cf_" not in plan(crm, naive)


def test_an_index_goes_with_its_field_and_comes_back_after_a_rebuild(crm: Crm, admin: Actor, company: sa.Table) -> None:
    name = customfields.index_name("crm_company", "x_integer")
    with crm.database.system_connection("as a rebuilt table would be") as connection:
        connection.exec_driver_sql(f"DROP INDEX {name}")
        definitions = customfields.read_definitions(connection)
        customfields.restore_indexes(connection, crm.registry, definitions)
    assert name in _indexes(crm)
    with crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, "crm.company", "x_integer", {"indexed": False})
    assert name not in _indexes(crm)


def test_a_shared_text_has_a_second_index_in_the_order_of_names(crm: Crm, admin: Actor, company: sa.Table) -> None:
    by_name = {kind: f"{customfields.index_name('crm_company', name_of(kind))}_n" for kind in ("text", "integer")}
    assert by_name["text"] in _indexes(crm)
    assert by_name["integer"] not in _indexes(crm)
    with crm.unit_of_work(admin) as ctx:
        customfields.change(ctx, "crm.company", "x_text", {"unique": True})
    assert by_name["text"] not in _indexes(crm)
    assert customfields.index_name("crm_company", "x_text") in _indexes(crm)


def _indexes(crm: Crm) -> set[str]:
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if crm.engine.dialect.name == "sqlite"
        else "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
    )
    with crm.engine.connect() as connection:
        return {row[0] for row in connection.exec_driver_sql(catalogue)}


@pytest.mark.parametrize("key", ["region", "x_é", "x_a'b", "x_", "x_" + "a" * 41, 'x_a"', "x_a\n"])
def test_only_a_valid_key_becomes_sql(key: str) -> None:
    for dialect in ("sqlite", "postgresql"):
        with pytest.raises(Misuse):
            customfields.custom_value_expression("custom", key, "integer", dialect)
