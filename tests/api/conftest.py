"""The API as callers see it: an application around the fixture `crm`, and one client per kind of caller."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gigacore import Crm
from gigacore.access import teams, tokens, users
from gigacore.entity import metadata
from gigacore.testing.databases import Databases, settings
from host_app import create_app
from tests.api.samples import sample
from tests.stored import Row, stored

KEYS = {
    "secret_key": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
    "encryption_key": "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210abcdef",
}
PASSWORD = "Correct-horse-battery-1"
UNCOUNTED = frozenset({"core_session", "core_sign_in", "core_rate_limit", "core_token", "core_audit_seal"})


Digest = Callable[[], str]
Statements = Callable[[], AbstractContextManager[list[str]]]
New = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Api:
    """A caller with a bearer token, or nobody."""

    client: FlaskClient
    token: str = ""
    user_id: int = 0

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """One request; header names are given with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        options: dict[str, Any] = {"json": body} if body is not None else {}
        return self.client.open(f"/api/v1{path}", method=method, headers=sent, **options)

    def make(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a record that must be accepted."""
        response = self("POST", path, body)
        assert response.status_code == 201, response.get_data(as_text=True)
        return dict(response.get_json())


@pytest.fixture
def app(crm: Crm) -> Flask:
    app = create_app(crm, replace(crm.settings, **KEYS))
    app.testing = True
    return app


@dataclass
class People:
    """One caller per role: `ann` and `ben` are users of different teams, `max` manages Ann's."""

    nobody: Api
    root: Api
    admin: Api
    max: Api
    ann: Api
    amy: Api
    ben: Api
    none: Api

    def roles(self) -> dict[str, Api]:
        return {name: getattr(self, name) for name in ("root", "admin", "max", "ann", "none")}


ROLES = {
    "root": ("super_admin",),
    "admin": ("admin",),
    "max": ("manager",),
    "ann": ("user",),
    "amy": ("user",),
    "ben": ("user",),
    "none": (),
}


@dataclass(frozen=True)
class Peopled:
    """A database in which the people are, to be copied, and their ids and tokens."""

    url: str
    ids: Mapping[str, int]
    tokens: Mapping[str, str]


@pytest.fixture(scope="session")
def peopled() -> dict[str, Peopled]:
    """One of each engine that was asked for: to make the people anew takes longer than most tests."""
    return {}


@pytest.fixture
def database_url(request: pytest.FixtureRequest, databases: Databases, peopled: dict[str, Peopled]) -> Iterator[str]:
    """A database as every test has it; the people are in it if the test asks for them."""
    if "people" in request.fixturenames:
        kind = type(databases).__name__
        if kind not in peopled:
            peopled[kind] = with_people(databases.ready())
        url = databases.copy(peopled[kind].url)
    else:
        url = databases.ready()
    yield url
    databases.drop(url)


def with_people(url: str) -> Peopled:
    with Crm(settings(url), plugins=()) as crm, crm.start().system("test people") as ctx:
        ids = {
            name: users.create(ctx, f"{name}@example.test", name.capitalize(), PASSWORD, roles)
            for name, roles in ROLES.items()
        }
        teams.create(ctx, "North", manager_id=ids["max"], members=[ids[name] for name in ("max", "ann", "amy")])
        teams.create(ctx, "South", members=[ids["ben"]])
        return Peopled(url, ids, {name: tokens.create(ctx, number, "test") for name, number in ids.items()})


@pytest.fixture
def people(app: Flask, databases: Databases, peopled: dict[str, Peopled]) -> People:
    made = peopled[type(databases).__name__]
    callers = {name: Api(app.test_client(), made.tokens[name], made.ids[name]) for name in ROLES}
    return People(nobody=Api(app.test_client()), **callers)


@pytest.fixture
def digest(crm: Crm) -> Iterator[Any]:
    """Gives the digest of every table, but for what a refused request may leave behind."""
    return lambda: table_digest(crm)


def table_digest(crm: Crm) -> str:
    found = hashlib.sha256()
    with crm.database.system_connection("test digest") as connection:
        present = set(sa.inspect(connection).get_table_names()) - UNCOUNTED
        unwanted = "SELECT id FROM core_audit WHERE entity IN ('core.denied', 'core.system')"
        denied = {_plain(one) for one in connection.scalars(sa.text(unwanted))}
        for table, rows in stored(connection, sorted(present & metadata.tables.keys())):
            kept = [row for row in rows if not _about_denied(table, row, denied)]
            found.update(repr((table, sorted(map(repr, kept)))).encode())
    return found.hexdigest()


def _about_denied(table: str, row: Row, denied: set[str]) -> bool:
    if table == "core_audit":
        return _plain(row["id"]) in denied
    return table == "core_audit_value" and _plain(row["audit_id"]) in denied


def _plain(key: object) -> str:
    """A UUID as both engines give it."""
    return str(key).replace("-", "")


@pytest.fixture
def new(crm: Crm, people: People) -> Any:
    """Makes a valid record of any entity, as a given caller."""

    def make(caller: Api, entity: str, **more: Any) -> dict[str, Any]:
        registry = crm.registry

        def create(name: str, data: Mapping[str, Any]) -> int:
            owner = caller if registry.entity(name).owned else people.root
            return int(owner.make(f"/{registry.entity(name).api_path}", data)["id"])

        spec = registry.entity(entity)
        return caller.make(f"/{spec.api_path}", sample(registry, spec, create) | more)

    return make
