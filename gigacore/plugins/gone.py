"""Applying the register of what is gone to rows that came back: a restore or a reinstallation does not undo it.

The rows were written past the records service, so this works on tables too, by their foreign keys and the stored
manifests, and so for plugins that do not run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field
from itertools import groupby, islice
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from gigacore.data import audit, gone
from gigacore.data.gone import Gone
from gigacore.data.tables import core_trash
from gigacore.entity.columns import BigId
from gigacore.plugins import rows, stored
from gigacore.plugins.footprint import table_of
from gigacore.records import belongings
from gigacore.values import dataclass

CASCADE: Final = "CASCADE"


@dataclass(frozen=True, slots=True)
class Referrer:
    """A column that refers to another table's rows; `goes` = a row cannot be without what it refers to."""

    table: str
    column: str
    goes: bool

    @property
    def clause(self) -> sa.TableClause:
        """The table with its number and that column."""
        names = dict.fromkeys(("id", self.column))
        return sa.table(self.table, *(sa.column(name, BigId) for name in names))


@dataclass(slots=True)
class Remover:
    """Takes records out of tables with all that refers to them; made once for one connection."""

    connection: sa.Connection
    referrers: Mapping[str, list[Referrer]] = field(init=False)
    entities: Mapping[str, str] = field(init=False)
    """Entity by table."""

    def __post_init__(self) -> None:
        known = stored.read(self.connection)
        self.entities = {
            described["table"]: name
            for row in known.values()
            for name, described in row.manifest.get("entities", {}).items()
        }
        self.referrers = _referrers(self.connection, known.values())

    def remove(self, table: str, ids: Collection[int]) -> None:
        """Removes rows: what cannot be without them goes too, other references to them are emptied."""
        for one in self.referrers.get(table, ()):
            clause = one.clause
            here = clause.c[one.column].in_(ids)
            found = list(self.connection.scalars(sa.select(clause.c.id).where(here)))
            if found and one.goes:
                self.remove(one.table, found)
            elif found:
                self.connection.execute(sa.update(clause).where(here).values({one.column: None}))
        if entity := self.entities.get(table):
            belongings.remove(self.connection, entity, ids)
        clause = sa.table(table, sa.column("id", BigId))
        self.connection.execute(sa.delete(clause).where(clause.c.id.in_(ids)))

    def move(self, table: str, loser: int, winner: int) -> None:
        """Lets everything that refers to one row refer to another; an extension's row goes where that has one."""
        for one in self.referrers.get(table, ()):
            clause = one.clause
            if one.column == "id" and self.connection.scalar(sa.select(clause.c.id).where(clause.c.id == winner)):
                continue
            self.connection.execute(sa.update(clause).where(clause.c[one.column] == loser).values({one.column: winner}))
        if entity := self.entities.get(table):
            belongings.move(self.connection, entity, loser, winner)


def apply(connection: sa.Connection, entries: Iterable[Gone]) -> int:
    """Takes out what is gone, and lets the winner of a merge have what came back with the loser; returns how many."""
    remover, count, present = Remover(connection), 0, set(sa.inspect(connection).get_table_names())
    for entity, of_entity in groupby(sorted(entries, key=lambda one: (one.entity, one.at)), lambda one: one.entity):
        if table_of(entity) in present:
            for part in _batches(of_entity):
                count += _apply(remover, entity, {str(one.uid): one for one in part})
    return count


def _apply(remover: Remover, entity: str, entries: Mapping[str, Gone]) -> int:
    connection, table = remover.connection, table_of(entity)
    trashed = _from_trash(connection, entity, entries)
    found = rows.ids(connection, table, entries)
    going = {}
    for uid, number in found.items():
        winner = _winner(connection, table, entries[uid])
        if winner is not None and winner != number:
            remover.move(table, number, winner)
        if winner is not None or entries[uid].into_uid is None:
            going[uid] = number
    if going:
        remover.remove(table, sorted(going.values()))
    for uid, number in (going | trashed).items():
        if entries[uid].fate == "erased":
            audit.erase_values(connection, entity, number)
    return len(going | trashed)


def _winner(connection: sa.Connection, table: str, entry: Gone) -> int | None:
    """The row that a merged record went into, through further merges; None where there is none in these tables.

    Then a merged record stays: its own row is all that is left of it.
    """
    seen: set[UUID] = set()
    while entry.into_uid is not None and entry.into_uid not in seen:
        seen.add(entry.into_uid)
        number = rows.ids(connection, table, [str(entry.into_uid)]).get(str(entry.into_uid))
        if number is not None:
            return number
        following = gone.of(connection, entry.into_uid)
        if following is None:
            return None
        entry = following
    return None


def _from_trash(connection: sa.Connection, entity: str, entries: Mapping[str, Gone]) -> dict[str, int]:
    """Takes the records out of the trash; merged ones may lie there, for they are not restored from it either."""
    t = core_trash.c
    final = [one.uid for one in entries.values() if one.fate != "merged"]
    here = sa.and_(t.entity == entity, t.record_uid.in_(final))
    found = {str(uid): number for uid, number in connection.execute(sa.select(t.record_uid, t.record_id).where(here))}
    connection.execute(sa.delete(core_trash).where(here))
    return found


def _referrers(connection: sa.Connection, known: Iterable[stored.StoredPlugin]) -> dict[str, list[Referrer]]:
    seen = sa.inspect(connection)
    empty = {
        table[1]: {column["name"] for column in columns if column["nullable"]}
        for table, columns in seen.get_multi_columns().items()
    }
    found: dict[str, list[Referrer]] = {}
    for (_, table), keys in seen.get_multi_foreign_keys().items():
        for key in keys:
            if len(columns := key["constrained_columns"]) == 1 and "id" in key["referred_columns"]:
                goes = key["options"].get("ondelete") == CASCADE or columns[0] not in empty[table]
                found.setdefault(key["referred_table"], []).append(Referrer(table, columns[0], goes))
    for row in known:
        for one in row.manifest.get("references", ()):
            if one["rule"] == "soft" and one.get("table") in empty:
                goes = one["column"] not in empty[one["table"]]
                found.setdefault(table_of(one["target"]), []).append(Referrer(one["table"], one["column"], goes))
    return found


def _batches(entries: Iterable[Gone]) -> Iterator[list[Gone]]:
    source = iter(entries)
    while part := list(islice(source, rows.BATCH)):
        yield part
