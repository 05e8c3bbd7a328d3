"""A database with the core's own tables and the sample shop, on each engine."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gigacore.clock import FixedClock
from gigacore.data import Database, create_engine, seed, tables
from gigacore.entity.base import metadata
from tests.data.sample import REGISTRY, Customer, Delivery, Line, Order, OrderScore, OwnerGuard

OWN = {cls.__table__ for cls in (Customer, Delivery, Line, Order, OrderScore)}
CORE = {table for table in vars(tables).values() if table in metadata.tables.values()}


@pytest.fixture
def guard() -> OwnerGuard:
    return OwnerGuard()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 5, 4, 12, 30, tzinfo=UTC))


@pytest.fixture
def database(empty_database_url: str, guard: OwnerGuard, clock: FixedClock) -> Iterator[Database]:
    engine = create_engine(empty_database_url)
    wanted = [table for table in metadata.sorted_tables if table in OWN | CORE]
    metadata.create_all(engine, tables=wanted)
    found = Database(engine, REGISTRY, guard=guard, clock=clock)
    with found.begin() as connection:
        seed(connection)
    yield found
    found.close()
