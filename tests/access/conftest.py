"""A world with people, teams, roles and records, on each engine; emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from gigacore import access
from gigacore.data import create_engine
from gigacore.data import seed as seed_data
from gigacore.entity.base import metadata
from gigacore.testing.fixtures import ENGINES
from tests.access.world import World


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.empty()
    engine = create_engine(url)
    tables = [table for name, table in metadata.tables.items() if name.startswith(("core_", "zoo_"))]
    with engine.begin() as connection:
        metadata.create_all(connection, tables=tables)
        seed_data(connection)
        access.seed(connection)
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture
def world(engine: sa.Engine) -> Iterator[World]:
    world = World(engine)
    world.clear()
    yield world
    world.close()
