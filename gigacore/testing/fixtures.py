"""pytest fixtures: every test that asks for a database runs on SQLite, and on PostgreSQL where one is named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from gigacore import Actor, Crm, Plugin
    from gigacore.testing.databases import Databases

    MakeUser = Callable[..., Actor]

pytest.register_assert_rewrite("gigacore.testing.contract", "gigacore.testing.ports")

URL_VARIABLE: Final = "GIGA_TEST_DATABASE_URL"
ENGINES: Final = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """SQLite files."""
    from gigacore.testing.databases import SqliteDatabases

    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[Databases]:
    """Databases on the server of `GIGA_TEST_DATABASE_URL`; skips where it is not set."""
    from gigacore.testing.databases import PostgresDatabases

    url = os.environ.get(URL_VARIABLE, "")
    if not url.startswith("postgresql"):
        pytest.skip(f"{URL_VARIABLE} names no PostgreSQL database")
    found = PostgresDatabases(url)
    yield found
    found.close()


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest) -> Databases:
    """The source of databases of one engine; whoever asks for it runs once per engine."""
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database without any table."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database with the tables and first rows of the core and of the built-in plugins."""
    url = databases.ready()
    yield url
    databases.drop(url)


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    """The plugins besides the built-in ones that `crm` runs; override it in a module or class."""
    return ()


@pytest.fixture
def crm(database_url: str, plugins: Sequence[Plugin], tmp_path: Path) -> Iterator[Crm]:
    """A started installation with a database of its own; every fault of a plugin is raised."""
    from gigacore import Crm
    from gigacore.testing.databases import settings

    with Crm(settings(database_url, tmp_path), plugins=plugins) as crm:
        crm.start()
        for plugin in plugins:
            crm.enable(plugin.name)
        yield crm


@pytest.fixture
def make_user(crm: Crm) -> MakeUser:
    """`make_user(role="user", team=None, name=None)` adds a person and gives the actor; a team is made if new."""
    from gigacore.testing.people import People

    return People(crm).make


@pytest.fixture
def admin(make_user: MakeUser) -> Actor:
    """A Super Admin."""
    return make_user("super_admin", name="Ada Admin")
