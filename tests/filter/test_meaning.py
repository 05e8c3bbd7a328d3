"""What operands mean: periods and durations in a person's time zone, old and new images, shares."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from gigacore.errors import Misuse
from gigacore.filter import PyEnv, Shared, ValueReader, all_of, any_of, matches, negated, parse, to_json, to_sql
from gigacore.filter.ast import Everything, Not, Nothing
from gigacore.filter.moments import PERIODS, parse_duration, shifted, span_of
from tests.filter import sample
from tests.filter.sample import ACTOR, NOW, REGISTRY, THING, Thing

PARIS = ZoneInfo("Europe/Paris")
DAY = date(2026, 8, 19)  # a Wednesday


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-08-19", "2026-08-19"),
        ("yesterday", "2026-08-18", "2026-08-18"),
        ("tomorrow", "2026-08-20", "2026-08-20"),
        ("this_week", "2026-08-17", "2026-08-23"),
        ("last_week", "2026-08-10", "2026-08-16"),
        ("this_month", "2026-08-01", "2026-08-31"),
        ("last_month", "2026-07-01", "2026-07-31"),
        ("next_month", "2026-09-01", "2026-09-30"),
        ("this_quarter", "2026-07-01", "2026-09-30"),
        ("last_quarter", "2026-04-01", "2026-06-30"),
        ("this_year", "2026-01-01", "2026-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("last_30_days", "2026-07-21", "2026-08-19"),
        ("next_7_days", "2026-08-19", "2026-08-25"),
    ],
)
def test_periods(name: str, first: str, last: str) -> None:
    start, end = span_of(name, DAY)
    assert (start.isoformat(), date.fromordinal(end.toordinal() - 1).isoformat()) == (first, last)


@pytest.mark.parametrize("name", PERIODS)
def test_every_period_is_a_span_on_every_kind_of_day(name: str) -> None:
    for day in (date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(2026, 3, 29)):
        start, end = span_of(name, day)
        assert start < end


def test_days_are_the_actor_s_own() -> None:
    """At 23:30 UTC on 1 March it is already 2 March in Paris."""
    assert holds({"field": "day", "op": "eq", "value": {"ref": "today"}}, day=date(2026, 3, 2))
    assert not holds({"field": "day", "op": "eq", "value": {"ref": "today"}}, day=date(2026, 3, 1))
    tree = {"field": "moment", "op": "eq", "value": {"period": "today"}}
    assert holds(tree, moment=datetime(2026, 3, 1, 23, 0, tzinfo=UTC))
    assert not holds(tree, moment=datetime(2026, 3, 1, 22, 59, tzinfo=UTC))


def test_durations_follow_the_calendar_across_a_change_of_the_clock() -> None:
    spring = datetime(2026, 3, 29, 12, tzinfo=PARIS)
    day, hours = parse_duration("P1D", -1), parse_duration("PT24H", -1)
    assert day is not None
    assert hours is not None
    assert shifted(spring, day, PARIS) == datetime(2026, 3, 28, 12, tzinfo=PARIS)
    assert shifted(spring, hours, PARIS) == datetime(2026, 3, 28, 11, tzinfo=PARIS)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "1D", "P-1D", "P1.5D", "p1d", "P1H", "P٣D", "P1D\n", "P999999D"])
def test_what_is_no_duration(text: str) -> None:
    assert parse_duration(text, 1) is None


def holds(tree: Any, *, before: dict[str, Any] | None = None, **values: Any) -> bool:
    condition = parse(tree, THING, REGISTRY, events=True)
    old = None if before is None else ValueReader(before)
    return matches(condition, ValueReader(values), PyEnv(REGISTRY, ACTOR, NOW, old))


@pytest.mark.parametrize(
    ("op", "value", "old", "new", "wanted"),
    [
        ("changed", True, "new", "won", True),
        ("changed", True, "new", "new", False),
        ("changed", False, "new", "new", True),
        ("changed_to", "won", "new", "won", True),
        ("changed_to", "won", "won", "won", False),
        ("changed_to", "won", None, "won", True),
        ("changed_from", "new", "new", "won", True),
        ("changed_from", "new", "new", "new", False),
        ("changed_from", "new", "lost", "won", False),
    ],
)
def test_changes_compare_the_old_image_with_the_new(op: str, value: Any, old: Any, new: Any, wanted: bool) -> None:
    tree = {"field": "status", "op": op, "value": value}
    assert holds(tree, before={"status": old}, status=new) is wanted


def test_a_created_record_changed_to_what_it_holds() -> None:
    assert holds({"field": "status", "op": "changed_to", "value": "new"}, status="new")
    assert holds({"field": "status", "op": "changed", "value": True}, status="new")
    assert not holds({"field": "name", "op": "changed", "value": True}, status="new")


def test_changes_have_no_sql() -> None:
    condition = parse({"field": "status", "op": "changed", "value": True}, THING, REGISTRY, events=True)
    with pytest.raises(Misuse):
        to_sql(condition, sample.sql_env())


def test_shares_are_what_the_policy_says() -> None:
    condition = any_of(Shared("edit"), parse({"field": "count", "op": "eq", "value": 1}, THING, REGISTRY))
    env = PyEnv(REGISTRY, ACTOR, NOW)
    assert not matches(condition, ValueReader({"count": 2}), env)
    assert matches(condition, ValueReader({"count": 2}, shares=frozenset({"edit"})), env)
    assert to_json(Shared("edit")) == {"shared": "edit"}
    with pytest.raises(Misuse):
        to_sql(condition, sample.sql_env())
    shared = sample.sql_env(shared=lambda table, verb: table.c.id.in_([7]) if verb == "edit" else sa.false())
    statement = str(sa.select(Thing.__table__.c.id).where(to_sql(condition, shared)))
    assert "filt_thing.id IN" in statement


def test_conditions_combine_without_needless_levels() -> None:
    leaf = parse({"field": "count", "op": "eq", "value": 1}, THING, REGISTRY)
    assert all_of() == Everything()
    assert any_of() == Nothing()
    assert all_of(leaf, Everything()) == leaf
    assert all_of(leaf, Nothing()) == Nothing()
    assert any_of(leaf, Nothing()) == leaf
    assert any_of(leaf, Everything()) == Everything()
    assert negated(negated(leaf)) == leaf
    assert negated(leaf) == Not(leaf)
