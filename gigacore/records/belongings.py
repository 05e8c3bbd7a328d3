"""Rows of the core that stand on a record by its entity and number: moved to another record, or removed with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from gigacore.data.tables import core_activity, core_activity_link, core_link, core_outbox
from gigacore.entity.base import metadata
from gigacore.files.service import unused
from gigacore.files.tables import core_attachment, core_file, core_file_use

PAIRS: Final = (
    ("core_share", "entity", "record_id"),
    ("core_link_token", "entity", "record_id"),
    ("core_link", "from_entity", "from_id"),
    ("core_link", "to_entity", "to_id"),
    ("core_attachment", "entity", "record_id"),
    ("core_file_use", "entity", "record_id"),
    ("core_activity", "source_entity", "source_id"),
    ("core_activity_link", "entity", "record_id"),
    ("core_import_key", "entity", "record_id"),
    ("core_notice", "entity", "record_id"),
    ("core_rule_run", "entity", "record_id"),
)
"""Tables whose rows name a record, with the two columns that do."""


def _pairs() -> list[tuple[sa.Table, str, str]]:
    """The tables themselves, by name: their modules build on records."""
    return [(metadata.tables[table], entity, number) for table, entity, number in PAIRS]


Moved = dict[str, list[list[Any]]]
"""Keys of rows by the table and the column that names the record, as `core_share.record_id`."""


def count(connection: sa.Connection, entity: str, record_id: int) -> dict[str, int]:
    """How many rows of each of these tables stand on a record."""
    found: dict[str, int] = {}
    for table, name, number in _pairs():
        here = sa.and_(table.c[name] == entity, table.c[number] == record_id)
        rows = connection.scalar(sa.select(sa.func.count()).select_from(table).where(here))
        found[table.name] = found.get(table.name, 0) + int(rows or 0)
    return found


def move(connection: sa.Connection, entity: str, loser: int, winner: int) -> Moved:
    """Lets every such row stand on the winner; one that the winner has already goes. Gives those that moved."""
    moved: Moved = {}
    for table, name, number in _pairs():
        mine = sa.and_(table.c[name] == entity, table.c[number] == loser)
        for row in connection.execute(sa.select(*table.primary_key.columns).where(mine)).all():
            key = [column == value for column, value in zip(table.primary_key.columns, row, strict=True)]
            try:
                with connection.begin_nested():
                    connection.execute(sa.update(table).where(*key).values({number: winner}))
                moved.setdefault(f"{table.name}.{number}", []).append([*row])
            except sa.exc.IntegrityError:
                connection.execute(sa.delete(table).where(*key))
    same = sa.and_(core_link.c.from_entity == core_link.c.to_entity, core_link.c.from_id == core_link.c.to_id)
    connection.execute(sa.delete(core_link).where(same, core_link.c.from_entity == entity))
    return moved


def move_back(connection: sa.Connection, entity: str, moved: Moved, loser: int, winner: int) -> int:
    """Lets the rows that `move` moved stand on the loser again; returns how many of them are there no more."""
    left = 0
    for table, name, number in _pairs():
        for values in moved.get(f"{table.name}.{number}", ()):
            known = zip(table.primary_key.columns, values, strict=True)
            key = [column == value for column, value in known if column.name != number]
            mine = (*key, table.c[name] == entity, table.c[number] == winner)
            left += not connection.execute(sa.update(table).where(*mine).values({number: loser})).rowcount
    return left


def remove(connection: sa.Connection, entity: str, ids: Collection[int]) -> None:
    """Removes every such row, and the files that hung on these records only."""
    files = [
        number
        for table in (core_attachment, core_file_use)
        for number in connection.scalars(
            sa.select(table.c.file_id).where(table.c.entity == entity, table.c.record_id.in_(ids))
        )
    ]
    sources = sa.select(core_activity.c.id).where(
        core_activity.c.source_entity == entity, core_activity.c.source_id.in_(ids)
    )
    logged = list(connection.scalars(sources))
    connection.execute(sa.delete(core_activity_link).where(core_activity_link.c.activity_id.in_(logged)))
    theirs = _activities_of(connection, entity, ids)
    for table, name, number in _pairs():
        connection.execute(sa.delete(table).where(table.c[name] == entity, table.c[number].in_(ids)))
    _forget_activities(connection, theirs)
    _empty_deliveries(connection, entity, ids)
    connection.execute(sa.delete(core_file).where(core_file.c.id.in_(files), unused()))


def _activities_of(connection: sa.Connection, entity: str, ids: Collection[int]) -> list[int]:
    """What was logged on these records and is no record's own: calls, mails, runs of automations."""
    link = core_activity_link.c
    on_them = sa.select(link.activity_id).where(link.entity == entity, link.record_id.in_(ids))
    statement = sa.select(core_activity.c.id)
    return list(
        connection.scalars(statement.where(core_activity.c.id.in_(on_them), core_activity.c.source_id.is_(None)))
    )


def _forget_activities(connection: sa.Connection, numbers: Collection[int]) -> None:
    """Removes those of them that concern no other record."""
    kept = sa.select(core_activity_link.c.activity_id)
    activity = core_activity.c.id
    connection.execute(sa.delete(core_activity).where(activity.in_(numbers), activity.not_in(kept)))


def _empty_deliveries(connection: sa.Connection, entity: str, ids: Collection[int]) -> None:
    """Takes the record out of what web hooks were told, and tells nobody any more."""
    told, event = metadata.tables["core_hook_delivery"], core_outbox.c
    events = sa.select(event.id).where(event.entity == entity, event.record_id.in_(ids))
    here = told.c.event_id.in_(events)
    connection.execute(sa.update(told).where(here, told.c.state == "waiting").values(state="skipped"))
    connection.execute(sa.update(told).where(here).values(body=None))
