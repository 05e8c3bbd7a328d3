"""A host with the core's own tables on each database; entities are not needed to run jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from gigacore.access import load_actor
from gigacore.clock import Clock, FixedClock
from gigacore.context import Actor
from gigacore.data import Database, create_engine
from gigacore.entity import Registry
from gigacore.entity.base import metadata
from gigacore.jobs import Consumer, Job, Schedule
from gigacore.jobs.worker import Declared, Worker

TABLES = [
    "core_job", "core_schedule", "core_outbox", "core_delivery", "core_audit", "core_audit_value", "core_audit_seal",
    "core_org", "core_state",
    "core_user",
]  # fmt: skip
SALES = Actor("user", 7, "Zoé")


@dataclass(slots=True)
class Plugin:
    """The part of a manifest that workers read."""

    name: str
    jobs: list[Job] = field(default_factory=list)
    consumers: list[Consumer] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)


@dataclass(slots=True)
class Host:
    """A database and a clock that the test moves."""

    database: Database
    clock: FixedClock
    url: str

    def worker(self, *plugins: Plugin) -> Worker:
        declared = Declared.of(plugins)
        self.database.journal.interested = lambda name, rules: declared.interested(name)
        worker = Worker(self, declared)
        worker.prepare()
        return worker

    def actor(self, user_id: int) -> Actor:
        with self.database.connect() as connection:
            return load_actor(connection, user_id)

    def rows(self, *columns: str, table: str = "core_job") -> list[tuple[object, ...]]:
        found = metadata.tables[table]
        with self.database.connect() as connection:
            order = found.c.id if "id" in found.c else found.c.event_id
            return [tuple(row) for row in connection.execute(sa.select(*[found.c[c] for c in columns]).order_by(order))]


def open_database(url: str, schema: str = "", clock: Clock | None = None) -> Database:
    engine = create_engine(url)
    if schema:

        @event.listens_for(engine, "connect")
        def use_schema(connection: object, record: object) -> None:
            connection.execute(f"SET search_path TO {schema}")  # type: ignore[attr-defined]
            connection.commit()  # type: ignore[attr-defined]

    return Database(engine, Registry.build([]), clock=clock)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    yield from hosts(request.param, tmp_path)


def hosts(kind: str, tmp_path: Path) -> Iterator[Host]:
    schema = ""
    url = f"sqlite:///{tmp_path / 'jobs.sqlite3'}"
    if kind == "postgres":
        url = os.environ.get("GIGA_TEST_DATABASE_URL", "")
        if not url:
            pytest.skip("GIGA_TEST_DATABASE_URL names no PostgreSQL database")
        schema = f"jobs_{uuid4().hex[:12]}"
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
        engine.dispose()
    clock = FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    database = open_database(url, schema, clock)
    with database.begin() as connection:
        metadata.create_all(connection, [metadata.tables[name] for name in TABLES])
    yield Host(database, clock, f"{url}|{schema}")
    if schema:
        with database.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
    database.close()


@pytest.fixture
def enqueue(host: Host) -> Callable[..., int]:
    from gigacore.jobs import enqueue as put

    def one(name: str, payload: dict[str, object] | None = None, **options: object) -> int:
        options.setdefault("system", "test")
        with host.database.unit_of_work(SALES) as ctx:
            return put(ctx, name, payload or {}, **options)  # type: ignore[arg-type]

    return one
