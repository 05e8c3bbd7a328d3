"""The register of records that are gone for good, by uid: what was purged, erased or merged never comes back.

Append-only. A restore carries it over from the installation that it replaces, and applies it to what it brings back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Connection, inspect, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_gone, core_trash
from gigacore.entity.columns import UtcDateTime
from gigacore.values import dataclass

Fate = Literal["purged", "erased", "merged"]
BATCH: Final = 500
PAGE: Final = 5_000

_G: Final = core_gone.c


@dataclass(frozen=True, slots=True)
class Gone:
    """One record that is gone: purged from the trash, erased, or merged into the record `into_uid`."""

    uid: UUID
    entity: str
    fate: str
    into_uid: UUID | None
    at: datetime


def add(connection: Connection, rows: Iterable[Gone]) -> None:
    """Enter records; one that is known already keeps its first entry."""
    part: list[dict[str, Any]] = []
    for one in rows:
        part.append({"uid": one.uid, "entity": one.entity, "fate": one.fate, "into_uid": one.into_uid, "at": one.at})
        if len(part) == BATCH:
            connection.execute(_insert(connection), part)
            part = []
    if part:
        connection.execute(_insert(connection), part)


def add_purged(connection: Connection, now: datetime) -> None:
    """Enter what lies in the trash past its time, before it is forgotten."""
    past = select(core_trash.c.record_uid, core_trash.c.entity, literal("purged"), literal(now, UtcDateTime()))
    past = past.where(core_trash.c.purge_at < now)
    connection.execute(_insert(connection).from_select(["uid", "entity", "fate", "at"], past))


def of(connection: Connection, uid: UUID) -> Gone | None:
    """The entry of a record, None while it is not gone."""
    row = connection.execute(_ALL.where(_G.uid == uid)).first()
    return Gone(*row) if row else None


def read(connection: Connection) -> Iterator[Gone]:
    """Every entry, a page at a time; nothing in a database without the register."""
    if not inspect(connection).has_table(core_gone.name):
        return
    page = _ALL.order_by(_G.uid).limit(PAGE)
    rows = connection.execute(page).all()
    while rows:
        yield from (Gone(*row) for row in rows)
        rows = connection.execute(page.where(_G.uid > rows[-1].uid)).all() if len(rows) == PAGE else []


_ALL: Final = select(_G.uid, _G.entity, _G.fate, _G.into_uid, _G.at)


def _insert(connection: Connection) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(core_gone).on_conflict_do_nothing()
