"""Rows on their way into an archive and back: values as they are stored, and references as uids beside the ids."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.data.tables import core_gone
from gigacore.entity.columns import BigId, JsonB
from gigacore.migrate.reflection import quiet_about_expressions
from gigacore.plugins.kinds import Kinds, typed
from gigacore.values import dataclass

BATCH: Final = 500
MERGES: Final = 10
"""How many merges are followed, one into the next."""
_TAG: Final = "$"
_ORG: Final = "core_org"
_WRITE: Final[Mapping[type, tuple[str, Callable[[Any], Any]]]] = MappingProxyType(
    {
        datetime: ("t", datetime.isoformat),
        date: ("d", date.isoformat),
        time: ("h", time.isoformat),
        Decimal: ("n", str),
        UUID: ("u", str),
        bytes: ("b", lambda value: base64.b64encode(value).decode()),
        dict: ("j", lambda value: value),
        list: ("j", lambda value: value),
    }
)
_READ: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "t": datetime.fromisoformat,
        "d": date.fromisoformat,
        "h": time.fromisoformat,
        "n": Decimal,
        "u": UUID,
        "b": base64.b64decode,
        "j": lambda value: value,
    }
)


def encode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold, each kind told apart."""
    return {str(name): _encoded(value) for name, value in row.items()}


def decode(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `encode`."""
    return {n: _READ[v[_TAG]](v["v"]) if isinstance(v, dict) else v for n, v in row.items()}


def _encoded(value: Any) -> Any:
    value = bytes(value) if isinstance(value, memoryview) else value
    tag = _WRITE.get(type(value))
    return value if tag is None else {_TAG: tag[0], "v": tag[1](value)}


@dataclass(frozen=True, slots=True)
class Shape:
    """One table with the columns that refer to rows with a uid elsewhere.

    `refs` gives the table referred to by column; `pairs` are (entity, id) columns whose entity stands in the row. Ids
    of tables in `own` are kept as they are, for the plugin's rows come back under their ids. A row is nothing without
    the references in `needed`, though they may be empty in others.
    """

    table: sa.Table
    refs: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]
    own: frozenset[str]
    needed: frozenset[str] = frozenset()

    def targets(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
        """(column, table referred to, id) of each reference that leaves the plugin."""
        for column, target in self.refs.items():
            if row.get(column) is not None and target not in self.own:
                yield column, target, row[column]
        for entity, column in self.pairs:
            if row.get(column) is not None and row.get(entity):
                target = str(row[entity]).replace(".", "_")
                if target not in self.own:
                    yield column, target, row[column]


def reflect(connection: sa.Connection, name: str, kinds: Kinds | None = None) -> sa.Table:
    """A table as the database has it, for its declaration may be newer or gone; its values are of these kinds."""
    with quiet_about_expressions():
        found = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    for column in found.columns:
        if isinstance(column.type, sa.JSON):
            column.type = JsonB()  # otherwise an empty value would come back as the JSON value null
    return typed(found, kinds)


def references(connection: sa.Connection, name: str) -> dict[str, str]:
    """The tables to which the columns of a table refer by foreign keys."""
    keys = sa.inspect(connection).get_foreign_keys(name)
    return {
        key["constrained_columns"][0]: key["referred_table"] for key in keys if len(key["constrained_columns"]) == 1
    }


def in_order(connection: sa.Connection, names: Iterable[str]) -> list[str]:
    """Tables so that each stands after those it refers to; where they refer to each other, by name."""
    known = sorted(names)
    graph = {one: set(references(connection, one).values()) & set(known) - {one} for one in known}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return known


def uids(connection: sa.Connection, table: str, ids: Iterable[Any]) -> dict[Any, UUID]:
    """The uids of rows of a table, by id; nothing for a table that is not there."""
    known = _keys(table)
    wanted = sorted(set(ids))
    if not wanted or not sa.inspect(connection).has_table(table):
        return {}
    return dict(connection.execute(sa.select(known.c.id, known.c.uid).where(known.c.id.in_(wanted))).all())


def ids(connection: sa.Connection, table: str, wanted: Iterable[str]) -> dict[str, int]:
    """The ids of rows of a table, by uid; nothing for a table that is not there."""
    known = _keys(table)
    names = sorted({UUID(one) for one in wanted})
    if not names or not sa.inspect(connection).has_table(table):
        return {}
    rows = connection.execute(sa.select(known.c.uid, known.c.id).where(known.c.uid.in_(names)))
    return {str(uid): number for uid, number in rows}


def living(connection: sa.Connection, table: str, wanted: Iterable[str]) -> dict[str, int]:
    """As `ids`; a record that was merged since gives the one that it went into.

    Another installation's organisation is this one's own: an installation serves one tenant.
    """
    names = set(wanted)
    found = ids(connection, table, names)
    if table == _ORG and names - found.keys():
        home = connection.scalar(sa.select(sa.func.min(_keys(table).c.id)))
        return found if home is None else {uid: found.get(uid, home) for uid in names}
    asked = {uid: uid for uid in names if uid not in found}
    for _ in range(MERGES):
        into = _merged_into(connection, asked.values()) if asked else {}
        asked = {uid: into[at] for uid, at in asked.items() if at in into}
        here = ids(connection, table, asked.values())
        found |= {uid: here[at] for uid, at in asked.items() if at in here}
        asked = {uid: at for uid, at in asked.items() if at not in here}
    return found


def _merged_into(connection: sa.Connection, wanted: Iterable[str]) -> dict[str, str]:
    g = core_gone.c
    here = sa.and_(g.fate == "merged", g.uid.in_([UUID(one) for one in wanted]))
    return {str(uid): str(into) for uid, into in connection.execute(sa.select(g.uid, g.into_uid).where(here))}


def _keys(table: str) -> sa.TableClause:
    return sa.table(table, sa.column("id", BigId), sa.column("uid", sa.Uuid))


def read(connection: sa.Connection, shape: Shape, where: sa.ColumnElement[bool] | None = None) -> Iterator[bytes]:
    """The rows as lines: values, and the uids of what they refer to outside of the plugin."""
    key = list(shape.table.primary_key.columns) or list(shape.table.columns)[:1]
    statement = sa.select(shape.table).order_by(*key)
    if where is not None:
        statement = statement.where(where)
    rows = connection.execute(statement.execution_options(yield_per=BATCH))
    for part in rows.mappings().partitions(BATCH):
        found = [dict(row) for row in part]
        named = _uids_of(connection, shape, found)
        for row in found:
            beside = {str(c): str(named[t][i]) for c, t, i in shape.targets(row) if i in named[t]}
            yield orjson.dumps({"row": encode(row), "uids": beside}, option=orjson.OPT_APPEND_NEWLINE)


def _uids_of(connection: sa.Connection, shape: Shape, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[Any, UUID]]:
    wanted: dict[str, set[Any]] = {}
    for row in rows:
        for _, target, number in shape.targets(row):
            wanted.setdefault(target, set()).add(number)
    return {target: uids(connection, target, numbers) for target, numbers in wanted.items()}


def write(
    connection: sa.Connection,
    shape: Shape,
    lines: Iterable[Any],
    *,
    fresh_ids: bool = False,
    late: Iterable[str] = (),
) -> int:
    """Puts rows back, references found again by uid; returns how many could not be.

    A reference to what was merged since goes to the record that it went into. One to what is gone is emptied; where it
    may not be empty, the row is left out, as it would have been deleted. With `fresh_ids` rows get new ids, and those
    whose place is taken are left out. Columns in `late` stay empty for `complete` to fill.
    """
    later = dict.fromkeys(late)
    left_out = 0
    moved: list[dict[str, Any]] = []
    for part in _batches(lines):
        rows, of_merged, lost = _linked(connection, shape, part)
        left_out, moved = left_out + lost, moved + of_merged
        if rows:
            values = [_without_id(shape.table, row) if fresh_ids else row | later for row in rows]
            connection.execute(_insert(connection, shape.table, skip_taken=fresh_ids), values)
    for row in moved:
        done = connection.execute(_insert(connection, shape.table, skip_taken=True), row | later)
        left_out += 1 - done.rowcount
    return left_out


def complete(connection: sa.Connection, table: sa.Table, lines: Iterable[Any], late: Iterable[str]) -> None:
    """Fills the columns that `write` left empty: references to rows of the same plugin that were not there yet."""
    (key,) = table.primary_key.columns
    for one in lines:
        row = decode(one["row"])
        values = {name: row[name] for name in late if row[name] is not None}
        if values:
            connection.execute(sa.update(table).where(key == row[key.name]).values(values))


def _batches(lines: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(lines)
    while part := list(islice(source, BATCH)):
        yield part


def _insert(connection: sa.Connection, table: sa.Table, *, skip_taken: bool) -> Any:
    if not skip_taken:
        return sa.insert(table)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def _without_id(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row without its number, if the database counts it."""
    own = table.autoincrement_column
    return {name: value for name, value in row.items() if own is None or name != own.name}


def _linked(
    connection: sa.Connection, shape: Shape, part: Sequence[Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Rows with their references found again, rows of an extension whose record was merged since, how many are lost.

    The latter are for the record that the other went into, unless that has a row of its own.
    """
    rows = [(decode(one["row"]), one["uids"]) for one in part]
    wanted: dict[str, set[str]] = {}
    for row, named in rows:
        for column, target, _ in shape.targets(row):
            if column in named:
                wanted.setdefault(target, set()).add(named[column])
    found = {target: living(connection, target, names) for target, names in wanted.items()}
    own = ids(connection, shape.refs["id"], wanted.get(shape.refs["id"], ())) if "id" in shape.refs else {}
    kept: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for row, named in rows:
        for column, target, _ in list(shape.targets(row)):
            if column in named:
                row[column] = found[target].get(named[column])
        may_be_empty = {name for name in named if shape.table.c[name].nullable} - shape.needed
        if all(row[name] is not None or name in may_be_empty for name in named):
            (moved if "id" in named and named["id"] not in own else kept).append(row)
    return kept, moved, len(rows) - len(kept) - len(moved)
