"""The product's side of the benchmark: an installation with leads, custom fields, a user with team rights, a token."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from gigacore import Crm, search
from gigacore.access import sessions, teams, tokens, users
from gigacore.context import Context
from gigacore.customfields import define
from gigacore.data.inserts import Inserter
from gigacore.entity import fold
from gigacore.settings import Settings
from tests.benchmarks.data import Row
from tests.benchmarks.filling import put, without_indexes

CUSTOM: Final = (("x_region", "text", True), ("x_rank", "integer", True), ("x_since", "date", False))
SECRET: Final = "benchmark-only-0123456789-abcdefgh"
ENCRYPTION: Final = "another-9876543210-zyxwvutsrq-key"


Owner = tuple[int, int]
"""A person and the team of a lead."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with the rights of a team and those below it, and the token and cookie to ask with."""

    name: str
    user_id: int
    team_id: int
    teams: tuple[int, ...]
    token: str
    session: str


@dataclass(frozen=True, slots=True)
class Product:
    """A prepared installation, and who works in it."""

    settings: Settings
    people: tuple[Person, ...]
    site: str = ""
    """A folder in which more plugins are installed."""

    @property
    def person(self) -> Person:
        """Who asks, where it does not matter how much of the leads is seen."""
        return self.people[-1]

    def owners(self) -> Iterator[Owner]:
        """Whose each lead is; of several people the first has one in a thousand, the second one in ten."""
        for number in count():
            place = 0 if number % 1000 == 0 else 1 if number % 10 == 1 else 2
            one = self.people[min(place, len(self.people) - 1)]
            yield one.user_id, one.team_id

    def environment(self) -> dict[str, str]:
        """The variables that a server process needs."""
        return {
            **os.environ,
            "GIGA_DATABASE_URL": self.settings.effective_database_url,
            "GIGA_DATA_DIR": str(self.settings.data_dir),
            "GIGA_SECRET_KEY": self.settings.secret_key,
            "GIGA_ENCRYPTION_KEY": self.settings.encryption_key,
            "PYTHONPATH": self.site,
        }


def _settings(folder: Path, database_url: str) -> Settings:
    """Those of an installation that is only measured."""
    return Settings(data_dir=folder, database_url=database_url, secret_key=SECRET, encryption_key=ENCRYPTION)


def prepare(folder: Path, database_url: str, rows: Iterable[Row], site: Path | None = None) -> Product:
    """An installation with every plugin that is there, these leads, and a person with the rights of their team."""
    settings = _settings(folder, database_url)
    with _installation(settings) as crm:
        with crm.system("benchmark data") as ctx:
            team = teams.create(ctx, "Bench")
            person = _person(ctx, "bench", team)
        product = Product(settings, (person,), "" if site is None else str(site))
        leads_in_bulk(crm, rows, product.owners(), imported=True)
    return product


def prepare_shared(folder: Path, database_url: str, rows: Iterable[Row], site: Path) -> Product:
    """The same with people of three teams: they see 0.1 %, 10 %, the rest and, from above, all of the leads."""
    settings = _settings(folder, database_url)
    with _installation(settings) as crm:
        with crm.system("benchmark data") as ctx:
            above = teams.create(ctx, "Above")
            below = [teams.create(ctx, name, parent_id=above) for name in ("Few", "Some", "Most")]
            people = [_person(ctx, f"team{team}", team) for team in below]
            head = _person(ctx, "above", above, *below)
            teams.change(ctx, above, manager_id=head.user_id)
            product = Product(settings, (*people, head), str(site))
        leads_in_bulk(crm, rows, product.owners(), imported=False)
    return product


@contextmanager
def _installation(settings: Settings) -> Iterator[Crm]:
    with Crm(settings) as crm:
        crm.upgrade()
        for status in crm.plugins.list():
            if not status.builtin:
                crm.enable(status.name)
        with crm.system("benchmark data") as ctx:
            users.create(ctx, "admin@example.test", "Admin", "correct horse battery", "super_admin")  # for imports
            for key, kind, indexed in CUSTOM:
                define(ctx, {"entity": "crm.lead", "key": key, "kind": kind, "label": key, "indexed": indexed})
        crm.refresh()
        yield crm


def _person(ctx: Context, name: str, team: int, *below: int) -> Person:
    user = users.create(ctx, f"{name}@example.test", "Bench", "correct horse battery", "manager")
    teams.set_members(ctx, team, {user}, main=[user])
    session = sessions.create(ctx.session.connection(), user, ctx.now)
    return Person("Bench", user, team, (team, *below), tokens.create(ctx, user, "bench"), session)


def leads_in_bulk(crm: Crm, rows: Iterable[Row], owners: Iterable[Owner], *, imported: bool) -> None:
    """Put leads, each with its person and team, into the table as they would stand after an import.

    `imported` says that more of them will be.
    """
    spec, now = crm.registry.entity("crm.lead"), datetime.now(UTC)
    inserter = Inserter(spec.cls)
    empty = dict.fromkeys(inserter.columns.values() - dict(inserter.defaults).keys())
    with crm.database.system_connection("benchmark data") as connection:
        driver = inserter.driver(connection.dialect, keyed=False)
        filled = (empty | _columns(row, *owner, now) for row, owner in zip(rows, owners, strict=False))
        search.remove(connection, [spec.table.name])
        with without_indexes(connection, spec.table.name, imported=imported):
            put(connection, driver, (inserter.values(SimpleNamespace(**lead), driver.pick) for lead in filled))
        search.restore(connection, [spec])
        connection.exec_driver_sql("ANALYZE")


def _columns(row: Row, user: int, team: int, now: datetime) -> dict[str, Any]:
    name = f"{row.first_name} {row.last_name}"
    texts = {
        "name": name,
        "last_name": row.last_name,
        "company_name": row.company_name,
        "email": row.email,
        "city": row.city,
    }
    return {
        **texts,
        **{f"{key}_key": fold(text) for key, text in texts.items()},
        "first_name": row.first_name,
        "phone": row.phone,
        "phone_key": row.phone,
        "status": "new",
        "priority": "normal",
        "uid": uuid.uuid4(),
        "version": 1,
        "org_id": 1,
        "owner_id": user,
        "team_id": team,
        "visibility": "private",
        "custom": {"x_region": row.region, "x_rank": row.rank, "x_since": row.since},
        "custom_key": {"x_region": fold(row.region)},
        "created_at": now,
        "created_by": user,
        "updated_at": now,
        "updated_by": user,
    }
