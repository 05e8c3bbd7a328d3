"""The rows without which nothing runs: the own organisation, the generation counter, the usual currencies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, insert, select, text

from gigacore.data.tables import core_currency, core_org, core_state
from gigacore.ids import uuid7

CURRENCIES: Final = (
    ("EUR", "Euro", "€", 2),
    ("USD", "US dollar", "$", 2),
    ("GBP", "Pound sterling", "£", 2),
    ("CHF", "Swiss franc", "CHF", 2),
    ("CAD", "Canadian dollar", "CA$", 2),
    ("JPY", "Yen", "¥", 0),
)


def seed(connection: Connection, *, org_name: str = "My organisation", currency: str = "EUR") -> None:
    """Insert what is missing; what is there stays."""
    have = set(connection.scalars(select(core_currency.c.code)))
    rows = [
        {"code": code, "name": name, "symbol": symbol, "digits": digits, "active": True}
        for code, name, symbol, digits in CURRENCIES
        if code not in have
    ]
    if rows:
        connection.execute(insert(core_currency), rows)
    if connection.scalar(select(core_org.c.id).where(core_org.c.id == 1)) is None:
        _insert_org(connection, org_name, currency)
    if connection.scalar(select(core_state.c.value).where(core_state.c.key == "generation")) is None:
        connection.execute(insert(core_state).values(key="generation", value="1"))


def _insert_org(connection: Connection, name: str, currency: str) -> None:
    row = {"id": 1, "uid": uuid7(), "name": name, "currency": currency, "created_at": datetime.now(UTC)}
    connection.execute(insert(core_org).values(**row))
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT setval(pg_get_serial_sequence('core_org', 'id'), 1)"))
