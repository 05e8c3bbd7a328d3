"""A database with the core's own tables and the sample shop, on each engine."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore.clock import FixedClock
from gigacore.customfields.tables import core_custom_field
from gigacore.data import Database, create_engine, seed, tables
from gigacore.entity.base import metadata
from gigacore.testing.fixtures import ENGINES
from tests.data.sample import REGISTRY, Customer, Delivery, Line, Order, OrderScore, OwnerGuard, Parcel

OWN = {cls.__table__ for cls in (Customer, Delivery, Line, Order, OrderScore, Parcel)}
CORE = {table for table in vars(tables).values() if isinstance(table, sa.Table)}
WANTED = [table for table in metadata.sorted_tables if table in OWN | CORE | {core_custom_field}]


def make_tables(url: str) -> None:
    engine = create_engine(url)
    metadata.create_all(engine, tables=WANTED)
    with engine.begin() as connection:
        seed(connection)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Gives copies of a prepared file."""
    template = tmp_path_factory.mktemp("shop") / "template.sqlite3"
    make_tables(f"sqlite:///{template}")

    def copy(folder: Path) -> str:
        shutil.copyfile(template, folder / "shop.sqlite3")
        return f"sqlite:///{folder / 'shop.sqlite3'}"

    return copy


@pytest.fixture(scope="session")
def postgres_shop(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Gives one prepared database, emptied each time."""
    url: str = request.getfixturevalue("postgres_databases").empty()
    make_tables(url)

    def empty(folder: Path) -> str:
        engine = create_engine(url)
        with engine.begin() as connection:
            names = ", ".join(table.name for table in WANTED)
            connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
            seed(connection)
        engine.dispose()
        return url

    return empty


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found: str = request.getfixturevalue(f"{request.param}_shop")(tmp_path)
    return found


@pytest.fixture
def guard() -> OwnerGuard:
    return OwnerGuard()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 5, 4, 12, 30, tzinfo=UTC))


@pytest.fixture
def database(url: str, guard: OwnerGuard, clock: FixedClock) -> Iterator[Database]:
    found = Database(create_engine(url), REGISTRY, guard=guard, clock=clock)
    yield found
    found.close()
