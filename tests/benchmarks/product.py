"""The product's side of the benchmark: an installation with leads, custom fields, a user with team rights, a token."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from gigacore import Crm
from gigacore.access import sessions, teams, tokens, users
from gigacore.customfields import define
from gigacore.entity import fold
from gigacore.settings import Settings
from tests.benchmarks.data import Row

CUSTOM: Final = (("x_region", "text", True), ("x_rank", "integer", True), ("x_since", "date", False))
SECRETS: Final = {
    "secret_key": "benchmark-only-0123456789-abcdefgh",
    "encryption_key": "another-9876543210-zyxwvutsrq-key",
}


@dataclass(frozen=True, slots=True)
class Product:
    """A prepared installation."""

    settings: Settings
    token: str
    session: str
    user_id: int
    team_id: int
    site: str = ""
    """A folder in which more plugins are installed."""

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


def prepare(folder: Path, database_url: str, rows: Iterable[Row], site: Path | None = None) -> Product:
    """An installation with every plugin that is there, these leads, and a person with the rights of a team."""
    settings = Settings(data_dir=folder, database_url=database_url, **SECRETS)
    with Crm(settings) as crm:
        crm.upgrade()
        for status in crm.plugins.list():
            if not status.builtin:
                crm.enable(status.name)
        with crm.system("benchmark data") as ctx:
            user = users.create(ctx, "bench@example.test", "Bench", "correct horse battery", "manager")
            team = teams.create(ctx, "Bench")
            teams.set_members(ctx, team, {user}, main=[user])
            token = tokens.create(ctx, user, "bench")
            session = sessions.create(ctx.session.connection(), user, ctx.now)
            for key, kind, indexed in CUSTOM:
                define(ctx, {"entity": "crm.lead", "key": key, "kind": kind, "label": key, "indexed": indexed})
        crm.refresh()
        leads_in_bulk(crm, rows, user, team)
    return Product(settings, token, session, user, team, "" if site is None else str(site))


def leads_in_bulk(crm: Crm, rows: Iterable[Row], user: int, team: int) -> None:
    """Put leads into the table as they would stand after an import; this prepares data and is not measured."""
    table = crm.registry.entity("crm.lead").table
    now = datetime.now(UTC)
    with crm.database.system_connection("benchmark data") as connection:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(_columns(row, user, team, now))
            if len(batch) == 2000:
                connection.execute(sa.insert(table), batch)
                batch = []
        if batch:
            connection.execute(sa.insert(table), batch)
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
