"""Random conditions select the same records in Python, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from gigacore.entity import FieldSpec, Money
from gigacore.entity.kinds import iso
from gigacore.filter import Condition, PyEnv, matches, order_expression, parse, to_json, to_sql, to_where
from gigacore.filter.operands import comparable, operators
from gigacore.filter.paths import PathFinder, everything_readable
from tests.filter import sample
from tests.filter.sample import ACTOR, NOW, PHONES, REGISTRY, TEXTS, THING, Rating, Thing, World

ROWS = 60
FINDER = PathFinder(REGISTRY, everything_readable)
FIELDS = [name for name, spec in THING.fields.items() if not spec.secret and name not in ("uid",)]
PATHS = [
    *FIELDS, "group_id.name", "group_id.size", "group_id.above_id.name", "group_id.above_id.size", "twin_id.name",
    "twin_id.group_id.size", "twin_id.x_decimal", "twin_id.score.points", "twin_id.twin_id.day", "x_ref.name",
    "score.judge_id.size", "score.judge_id.name", "status.kind", "price.currency", "x_money.currency",
    "twin_id.labels", "twin_id.status.kind", "twin_id.price",
]  # fmt: skip
PART_PATHS = ["label", "weight"]
GROUP_PATHS = ["name", "size", "above_id", "above_id.name"]
BACK = ("filt.thing.twin_id", "filt.thing.group_id", "filt.thing.x_ref", "filt.thing.score.judge_id")
RELATIONS = {"parts": PART_PATHS, "tags": GROUP_PATHS} | dict.fromkeys(BACK, PATHS)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    make = sample.sqlite_engine if request.param == "sqlite" else sample.postgres_engine
    with make() as engine:
        with Session(engine) as session, session.begin():
            sample.fill(session, ROWS)
        yield engine


@pytest.fixture(scope="module")
def world(engine: Engine) -> World:
    with Session(engine, expire_on_commit=False) as session:
        return World(session)


def constants(spec: FieldSpec, part: str | None) -> st.SearchStrategy[Any]:
    if part == "kind":
        return st.sampled_from(["open", "won", "lost"])
    if part == "currency":
        return st.sampled_from(["EUR", "USD", "eur"])
    match spec.kind:
        case "integer" | "ref":
            return st.sampled_from([1, 2, 3, 2**63 - 1])
        case "decimal":
            return st.sampled_from([-1, 0.0001, "1.5", "99999999999999.9999", 2])
        case "money":
            amounts = st.sampled_from(["-1", "1.5", 3, 2])
            with_currency = st.builds(
                lambda a, c: {"amount": a, "currency": c}, amounts, st.sampled_from(["EUR", "USD"])
            )
            return amounts | with_currency
        case "date":
            return st.sampled_from(["2026-03-02", "2026-03-01", "2025-01-26", "0001-01-01"])
        case "datetime":
            return st.sampled_from([iso(NOW), "2026-03-01T22:30:00+00:00", "2026-02-28T23:30:00.000001+00:00"])
        case "boolean":
            return st.booleans()
        case "enum":
            return st.sampled_from(["red", "blue"])
        case "choice":
            return st.sampled_from(["new", "hot", "done", "x", "gone"])
        case "choices":
            return st.sampled_from(["a", "b", "c", "d"])
        case "phone":
            return st.sampled_from([*PHONES, "12"])
    return st.sampled_from(TEXTS) | st.text("aAbBéÉ%_/\\'œ", max_size=3)


PERIODS = st.sampled_from(
    ["today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_quarter", "this_year",
     "last_year", "last_30_days", "next_7_days"]
).map(lambda name: {"period": name})  # fmt: skip
TIMES = st.sampled_from([{"ref": "now"}, {"ref": "today"}, {"ago": "P7D"}, {"ago": "P1M"}, {"ahead": "PT25H"}])
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def operands(spec: FieldSpec, part: str | None, op: str) -> st.SearchStrategy[Any]:
    one = constants(spec, part)
    temporal = spec.kind in ("date", "datetime")
    if op in ("contains", "starts"):
        return one.filter(lambda text: bool(comparable(spec)(text))) if spec.is_text else one
    if op == "empty":
        return st.booleans()
    if op in ("in", "nin"):
        many = st.lists(one | TIMES if temporal else one, max_size=3)
        if spec.kind in ("ref", "integer"):
            many = many | st.sampled_from([{"ref": "actor.teams"}, {"ref": "actor.subordinates"}])
        return many | PERIODS if temporal else many
    if op == "between":
        return st.tuples(one, one).map(list) | PERIODS if temporal else st.tuples(one, one).map(list)
    return one | dynamic(spec, part)


def dynamic(spec: FieldSpec, part: str | None) -> st.SearchStrategy[Any]:
    found: list[Any] = []
    if spec.kind in ("date", "datetime"):
        names = ["record.day", "record.x_date"] if spec.kind == "date" else ["record.moment", "record.x_datetime"]
        return TIMES | PERIODS | st.sampled_from(names).map(lambda name: {"ref": name})
    if spec.kind == "decimal":
        found += ["record.rate", "record.x_decimal"]
    if spec.kind == "boolean":
        found += ["record.flag", "record.x_boolean"]
    if spec.kind == "choice" and not part:
        found += ["record.status", "record.x_choice"]
    if spec.kind in ("ref", "integer"):
        found += ["actor.id", "actor.team", "actor.org", "record.count", "record.other", "record.x_integer",
                  "record.score.points"]  # fmt: skip
    if spec.kind == "money" and not part:
        found += ["record.price", "record.cost", "record.x_money"]
    if spec.is_text and spec.kind != "phone":
        found += ["record.name", "record.code", "record.x_text", "record.score.grade"]
    return st.sampled_from(found).map(lambda name: {"ref": name}) if found else st.nothing()


def comparisons(paths: list[str], rows: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(paths).flatmap(lambda text: _comparison(text, rows))


def _comparison(text: str, rows: Any) -> st.SearchStrategy[Any]:
    path = FINDER.find(text, rows)
    assert path is not None, text
    ops = st.sampled_from(sorted(operators(path)))
    return ops.flatmap(
        lambda op: operands(path.field, path.part, op).map(lambda value: {"field": text, "op": op, "value": value})
    )


def relation_of(name: str) -> Any:
    rows = {"parts": THING.children["parts"], "tags": sample.GROUP}.get(name, THING)
    inner = comparisons(RELATIONS[name], rows)
    some = st.sampled_from(["some", "none"])
    where = inner | st.builds(lambda item: {"not": item}, inner)
    return st.builds(lambda word, item: {word: {"relation": name, "where": item}}, some, where)


def referring_back() -> st.SearchStrategy[Any]:
    """Things whose group is referred to by some thing: relations inside relations, over tables already in use."""
    inner = st.sampled_from(BACK[1:]).flatmap(relation_of)
    return st.builds(lambda item: {"some": {"relation": "tags", "where": item}}, inner)


OWN = st.sampled_from(["parts", "tags", BACK[0]]).flatmap(relation_of)
LEAVES = comparisons(PATHS, THING) | OWN | referring_back()
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda items: {"all": items}, st.lists(inner, max_size=3))
        | st.builds(lambda items: {"any": items}, st.lists(inner, max_size=3))
        | st.builds(lambda item: {"not": item}, inner)
    ),
    max_leaves=5,
)
SLOW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def ids(engine: Engine, *where: Any) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(Thing.__table__.c.id).where(*where).order_by(Thing.__table__.c.id)))


def by_python(world: World, condition: Condition) -> list[int]:
    env = PyEnv(REGISTRY, ACTOR, NOW)
    return [number for number in world.things if matches(condition, world.reader(number), env)]


@SLOW
@given(tree=TREES)
def test_random_conditions_agree(tree: Any, engine: Engine, world: World) -> None:
    condition = parse(tree, THING, REGISTRY)
    wanted = by_python(world, condition)
    assert ids(engine, to_sql(condition, sample.sql_env())) == wanted
    assert ids(engine, to_where(condition, sample.sql_env())) == wanted


@SLOW
@given(tree=TREES)
def test_a_condition_is_never_null_so_its_negation_selects_the_rest(tree: Any, engine: Engine, world: World) -> None:
    criterion = to_sql(parse(tree, THING, REGISTRY), sample.sql_env())
    assert sorted(ids(engine, criterion) + ids(engine, sa.not_(criterion))) == list(world.things)


@SLOW
@given(tree=TREES)
def test_the_json_form_is_parsed_back_to_the_same_condition(tree: Any) -> None:
    condition = parse(tree, THING, REGISTRY)
    assert parse(to_json(condition), THING, REGISTRY) == condition


def test_on_an_alias_and_with_joined_extension_the_same_is_found(engine: Engine, world: World) -> None:
    tree = {
        "all": [{"field": "score.points", "op": "ge", "value": 2}, {"field": "twin_id.count", "op": "ne", "value": 1}]
    }
    condition = parse(tree, THING, REGISTRY)
    thing = Thing.__table__.alias("t")
    rating = Rating.__table__
    env = sample.sql_env(table=thing, joined={Rating: rating})
    statement = sa.select(thing.c.id).select_from(thing.outerjoin(rating, rating.c.id == thing.c.id))
    with engine.connect() as connection:
        found = list(connection.scalars(statement.where(to_sql(condition, env)).order_by(thing.c.id)))
    assert found == by_python(world, condition) != []


PAIRS = [
    ("moment", "x_datetime"), ("day", "x_date"), ("rate", "x_decimal"), ("price", "x_money"), ("price", "cost"),
    ("flag", "x_boolean"), ("status", "x_choice"), ("name", "x_text"), ("code", "x_longtext"), ("count", "x_integer"),
    ("group_id", "x_ref"), ("phone", "x_phone"), ("count", "score.points"), ("code", "score.grade"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS + [(other, one) for one, other in PAIRS])
def test_a_field_compares_with_another_of_its_kind(one: str, other: str, engine: Engine, world: World) -> None:
    for op in ("eq", "ne", "lt", "ge"):
        if op in operators(FINDER.find(one, THING)):  # type: ignore[arg-type]
            condition = parse({"field": one, "op": op, "value": {"ref": f"record.{other}"}}, THING, REGISTRY)
            assert ids(engine, to_sql(condition, sample.sql_env())) == by_python(world, condition), op


@pytest.mark.parametrize("op", ["contains", "starts"])
@pytest.mark.parametrize("text", ["%", "_", "/", "\\", "b%", "b_x", "_ax", "b\\", "'"])
@pytest.mark.parametrize("field", ["name", "code", "x_text", "x_longtext"])
def test_wildcards_stand_for_themselves(field: str, text: str, op: str, engine: Engine, world: World) -> None:
    condition = parse({"field": field, "op": op, "value": text}, THING, REGISTRY)
    assert ids(engine, to_sql(condition, sample.sql_env())) == by_python(world, condition)


@pytest.mark.parametrize("name", ["score.points", "score.grade", "x_decimal", "x_text", "price", "name", "notes"])
def test_every_field_can_be_sorted_by_also_one_that_is_not_joined(name: str, engine: Engine, world: World) -> None:
    key = order_expression(THING.fields[name], Thing.__table__)
    statement = sa.select(Thing.__table__.c.id).where(key.is_not(None)).order_by(key)
    with engine.connect() as connection:
        found = list(connection.scalars(statement))
    values = [world.reader(number).get(THING.fields[name]) for number in found]
    keys = [value.amount if isinstance(value, Money) else _folded(name, value) for value in values]
    assert keys == sorted(keys)
    assert len(keys) == sum(world.reader(number).get(THING.fields[name]) is not None for number in world.things)


def _folded(name: str, value: Any) -> Any:
    return comparable(THING.fields[name])(value) if isinstance(value, str) else value


def naive(tree: dict[str, Any]) -> Any:
    """What one would write without thinking of NULL: the control."""
    columns = Thing.__table__.c
    if "not" in tree:
        return sa.not_(naive(tree["not"]))
    column = columns[tree["field"]]
    return {"eq": column == tree["value"], "ne": column != tree["value"], "lt": column < tree["value"]}[tree["op"]]


@pytest.mark.parametrize(
    "tree",
    [
        {"field": "count", "op": "ne", "value": 1},
        {"not": {"field": "count", "op": "lt", "value": 2}},
        {"not": {"field": "count", "op": "eq", "value": 2}},
    ],
)
def test_control_naive_sql_disagrees(tree: dict[str, Any], engine: Engine, world: World) -> None:
    condition = parse(tree, THING, REGISTRY)
    assert ids(engine, to_sql(condition, sample.sql_env())) == by_python(world, condition)
    assert ids(engine, naive(tree)) != by_python(world, condition)


def test_control_a_path_that_forgets_visibility_disagrees(engine: Engine, world: World) -> None:
    condition = parse({"field": "group_id.size", "op": "empty", "value": False}, THING, REGISTRY)
    blind = sample.sql_env(visible=lambda entity: None)
    assert ids(engine, to_sql(condition, blind)) != by_python(world, condition)


def test_the_sample_exercises_every_kind() -> None:
    kinds = {spec.kind for spec in THING.fields.values()}
    assert kinds >= set(sample.CUSTOM_KINDS) | {"enum", "uuid", "json"}
