"""The product's side of the benchmark: an installation with leads, custom fields, a user with team rights, a token."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gigacore import Crm
from gigacore.access import tokens, users
from gigacore.context import system_actor
from gigacore.customfields import Definition, define
from gigacore.entity import fold
from gigacore.settings import Settings
from tests.benchmarks.data import Row

CUSTOM = (("x_region", "text", True), ("x_rank", "integer", True), ("x_since", "date", False))


@dataclass(frozen=True, slots=True)
class Product:
    """A prepared installation."""

    settings: Settings
    token: str
    user_id: int
    team_id: int

    def environment(self) -> dict[str, str]:
        """The variables that a server process needs."""
        return {
            **os.environ,
            "GIGA_DATABASE_URL": self.settings.effective_database_url,
            "GIGA_DATA_DIR": str(self.settings.data_dir),
        }


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
    texts = {"name": name, "last_name": row.last_name, "company_name": row.company_name, "email": row.email, "city": row.city}
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
