"""What is wrong with a filter is said with its place; nothing hostile reaches a database."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import Invalid
from gigacore.filter import MAX_NODES, Everything, Nothing, parse, parse_comparison, to_sql
from gigacore.filter.parsing import MAX_VALUES
from tests.filter import sample
from tests.filter.sample import GROUP, REGISTRY, THING, Thing


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    make = sample.sqlite_engine if request.param == "sqlite" else sample.postgres_engine
    with make() as engine:
        yield engine


def errors_of(tree: Any, **options: Any) -> tuple[str, str, str]:
    with pytest.raises(Invalid) as caught:
        parse(tree, THING, REGISTRY, **options)
    (error,) = caught.value.errors
    return error.path, error.code, str(error.message)


def leaf(field: Any, op: Any = "eq", value: Any = 1) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (None, "filter"),
        ([], "filter"),
        ("name", "filter"),
        ({}, "filter"),
        ({"all": [], "any": []}, "filter"),
        ({"xor": []}, "filter"),
        ({1: []}, "filter"),
        ({"all": {}}, "filter.all"),
        ({"all": [leaf("count"), 3]}, "filter.all[1]"),
        ({"not": {"any": [leaf("nothing")]}}, "filter.not.any[0].field"),
        (leaf(7), "filter.field"),
        (leaf(["count"]), "filter.field"),
        (leaf("count") | {"extra": 1}, "filter"),
        (leaf("count", "like"), "filter.op"),
        (leaf("count", "contains"), "filter.op"),
        (leaf("count", ["eq"]), "filter.op"),
        (leaf("name", "lt", "a"), "filter.op"),
        (leaf("status.kind", "contains", "open"), "filter.op"),
        (leaf("count", "changed", True), "filter.op"),
        (leaf("count", "eq", "1"), "filter.value"),
        (leaf("count", "eq", True), "filter.value"),
        (leaf("count", "eq", None), "filter.value"),
        (leaf("count", "in", 1), "filter.value"),
        (leaf("count", "between", [1]), "filter.value"),
        (leaf("count", "empty", "yes"), "filter.value"),
        (leaf("flag", "eq", 1), "filter.value"),
        (leaf("colour", "eq", "green"), "filter.value"),
        (leaf("day", "eq", "31.01.2026"), "filter.value"),
        (leaf("day", "eq", "2026-02-30"), "filter.value"),
        (leaf("day", "eq", {"period": "next_century"}), "filter.value"),
        (leaf("day", "between", [{"period": "today"}, {"period": "today"}]), "filter.value"),
        (leaf("day", "eq", {"ago": "7 days"}), "filter.value"),
        (leaf("day", "eq", {"ago": "P"}), "filter.value"),
        (leaf("day", "eq", {"ago": "P9999Y"}), "filter.value"),
        (leaf("day", "eq", {"ago": "P1D", "ahead": "P1D"}), "filter.value"),
        (leaf("count", "eq", {"ago": "P7D"}), "filter.value"),
        (leaf("moment", "eq", "2026-01-31T09:00:00"), "filter.value"),
        (leaf("uid", "eq", "7"), "filter.value"),
        (leaf("price", "eq", {"amount": 1, "currency": "euro"}), "filter.value"),
        (leaf("price", "eq", {"currency": "EUR"}), "filter.value"),
        (leaf("rate", "eq", "1.23456"), "filter.value"),
        (leaf("name", "contains", ""), "filter.value"),
        (leaf("phone", "contains", "abc"), "filter.value"),
        (leaf("group_id", "eq", {"ref": "actor.teams"}), "filter.value"),
        (leaf("group_id", "in", {"ref": "actor.id"}), "filter.value"),
        (leaf("group_id", "eq", {"ref": "actor.password"}), "filter.value"),
        (leaf("name", "eq", {"ref": "actor.id"}), "filter.value"),
        (leaf("count", "eq", {"ref": "record.name"}), "filter.value"),
        (leaf("name", "eq", {"ref": "record.secret"}), "filter.value"),
        (leaf("name", "contains", {"ref": "record.code"}), "filter.value"),
        ({"some": "parts"}, "filter.some"),
        ({"some": {"where": leaf("label")}}, "filter.some"),
        ({"some": {"relation": "nothing"}}, "filter.some.relation"),
        ({"some": {"relation": ["parts"]}}, "filter.some.relation"),
        ({"none": {"relation": "parts", "where": leaf("name")}}, "filter.none.where.field"),
        ({"some": {"relation": "parts", "where": {"some": {"relation": "parts"}}}}, "filter.some.where.some.relation"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(tree: Any, path: str) -> None:
    assert errors_of(tree)[0] == path


@pytest.mark.parametrize(
    "path",
    [
        "nothing", "", ".", "name.", ".name", "group_id.nothing", "name.name", "group_id..name", "status.label",
        "price.amount.currency", "twin_id.twin_id.twin_id.name", "secret", "twin_id.secret", "score", "score.nothing",
        "lead_scoring.score", "__class__", "cls", "parts", "parts.label", "owner_id",
    ],
)  # fmt: skip
def test_there_is_no_such_field(path: str) -> None:
    assert errors_of(leaf(path, "empty"))[:2] == ("filter.field", "unknown_field")


def test_a_field_that_may_not_be_read_is_as_unknown_as_one_that_is_not_there() -> None:
    def readable(entity: EntitySpec, field: FieldSpec) -> bool:
        return field.name not in ("count", "group_id", "score.points", "x_text", "parts", "size")

    for name in ("count", "group_id.name", "group_id", "score.points", "x_text", "twin_id.count", "x_ref.size"):
        hidden = errors_of(leaf(name, "empty"), readable=readable)
        unknown = errors_of(leaf("nothing", "empty"), readable=readable)
        assert hidden[:2] == unknown[:2]
        assert hidden[2] == unknown[2].replace("nothing", name)
    own = leaf("other", "eq", {"ref": "record.count"})
    assert errors_of(own, readable=readable)[2] == errors_of(leaf("other", "eq", {"ref": "record.nil"}))[2].replace(
        "nil", "count"
    )
    assert errors_of({"some": {"relation": "parts"}}, readable=readable)[1] == "unknown_relation"
    assert parse(leaf("count", "empty", True), THING, REGISTRY)  # the control


def test_a_reference_that_may_not_be_read_hides_its_reverse() -> None:
    tree = {"some": {"relation": "filt.thing.group_id"}}
    assert parse(tree, GROUP, REGISTRY)
    with pytest.raises(Invalid):
        parse(tree, GROUP, REGISTRY, readable=lambda entity, field: field.name != "group_id")


def test_depth_and_size_are_limited() -> None:
    assert parse({"all": [leaf("count")] * (MAX_NODES - 1)}, THING, REGISTRY)
    assert errors_of({"all": [leaf("count")] * MAX_NODES})[1] == "too_many"
    deep: Any = leaf("count")
    for _ in range(sys.getrecursionlimit() * 2):
        deep = {"not": deep}
    assert errors_of(deep)[1] == "too_many"
    assert errors_of(leaf("count", "in", [1] * (MAX_VALUES + 1)))[0] == "filter.value"
    twice = {"all": [leaf("count", "in", [1] * MAX_VALUES), leaf("count")]}
    assert errors_of(twice)[0] == "filter.all[1].value"


def test_empty_lists_are_everything_and_nothing() -> None:
    assert parse({"all": []}, THING, REGISTRY) == Everything()
    assert parse({"any": []}, THING, REGISTRY) == Nothing()


def test_plain_equality_names_its_parameter() -> None:
    assert parse_comparison("count", "eq", 1, THING, REGISTRY)
    for name, value in (("nothing", 1), ("count", "one")):
        with pytest.raises(Invalid) as caught:
            parse_comparison(name, "eq", value, THING, REGISTRY)
        assert [error.path for error in caught.value.errors] == [name]


HOSTILE = (
    "' OR 1=1 --", "'; DROP TABLE filt_thing; --", "name\x00", "\ud800", "a\udfff", "%", "_" * 500, "x" * 1_000_000,
    "\\", "{0}", "{name}", "%s", "%(a)s", ":a", "?", "\u202e", "\U0010ffff", "NaN", "Infinity", "1e400", "9" * 6000,
    "1_000", "٣", "0x10", "",
)  # fmt: skip
NUMBERS = (
    math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 2**63, -(2**63) - 1, 10**4000, 2**63 - 1, 2**31, 1.5, -0.0,
    99999999999999.99, 10**14,
)  # fmt: skip
EVERYTHING = st.sampled_from(
    [*HOSTILE, *NUMBERS, None, True, False, [], {}, [[]], {"ref": {}}, {"period": 7}, {"ago": None}]
)
FIELDS = st.sampled_from([name for name, spec in THING.fields.items() if not spec.secret])
OPS = st.sampled_from(["eq", "ne", "lt", "ge", "in", "nin", "contains", "starts", "empty", "between"])
ROOTS = settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@ROOTS
@given(field=FIELDS, op=OPS, value=EVERYTHING | st.lists(EVERYTHING, max_size=2))
def test_hostile_values_are_refused_or_harmless(field: str, op: str, value: Any, engine: Engine) -> None:
    try:
        condition = parse(leaf(field, op, value), THING, REGISTRY)
    except Invalid:
        return
    with engine.connect() as connection:
        connection.scalars(sa.select(Thing.__table__.c.id).where(to_sql(condition, sample.sql_env()))).all()


JSON = st.recursive(
    EVERYTHING | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "some", "none", "field", "op", "value", "relation", "where", "ref"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(tree=JSON)
def test_any_json_is_parsed_or_refused(tree: Any) -> None:
    with contextlib.suppress(Invalid):
        parse(tree, THING, REGISTRY, events=True)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_unknown_and_shown_harmlessly(name: str) -> None:
    for tree in (leaf(name), leaf("count", name), {name: []}, {"some": {"relation": name}}, leaf("count") | {name: 1}):
        message = errors_of(tree)[2]
        assert len(message) < 400
        message.encode()
        assert "\x00" not in message
