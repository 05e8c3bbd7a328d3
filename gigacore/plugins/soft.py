"""What others hold of a plugin without needing it: soft references, and values of its custom fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from gigacore.customfields.definitions import Definition, read_definitions
from gigacore.customfields.sql import drop_indexes, erase_values
from gigacore.entity.columns import BigId, JsonB
from gigacore.plugins import rows
from gigacore.plugins.footprint import table_of
from gigacore.plugins.stored import StoredPlugin
from gigacore.values import dataclass


@dataclass(frozen=True, slots=True)
class SoftColumn:
    """A foreign column that holds ids of the plugin's records; `keyed_by` is the table whose uid names a row."""

    table: str
    column: str
    target: str
    keyed_by: str
    required: bool

    @property
    def clause(self) -> sa.TableClause:
        """The table with the two columns that count."""
        return sa.table(self.table, sa.column("id", BigId), sa.column(self.column, BigId))


def soft_columns(connection: sa.Connection, known: Mapping[str, StoredPlugin], plugin: str) -> list[SoftColumn]:
    """Every such column, by the stored manifests of all other plugins, disabled and missing ones too."""
    present = set(sa.inspect(connection).get_table_names())
    return [
        SoftColumn(
            one["table"],
            one["column"],
            table_of(one["target"]),
            table_of(one.get("keyed_by") or one["table"]),
            bool(one.get("required")),
        )
        for name, row in known.items()
        if name != plugin
        for one in row.manifest.get("references", ())
        if one["rule"] == "soft" and one["target"].startswith(f"{plugin}.") and one.get("table") in present
    ]


def count(connection: sa.Connection, column: SoftColumn) -> int:
    """How many rows refer to the plugin."""
    clause = column.clause
    filled = sa.select(sa.func.count()).select_from(clause).where(clause.c[column.column].is_not(None))
    return int(connection.execute(filled).scalar_one())


def read(connection: sa.Connection, columns: Iterable[SoftColumn]) -> Iterator[bytes]:
    """The references as pairs of uids."""
    for column in columns:
        clause = column.clause
        statement = sa.select(clause.c.id, clause.c[column.column]).where(clause.c[column.column].is_not(None))
        for part in connection.execute(statement.execution_options(yield_per=rows.BATCH)).partitions(rows.BATCH):
            holders = rows.uids(connection, column.keyed_by, (row[0] for row in part))
            targets = rows.uids(connection, column.target, (row[1] for row in part))
            for holder, target in part:
                if holder in holders and target in targets:
                    pair = {"holder": str(holders[holder]), "target": str(targets[target])}
                    where = {"table": column.table, "column": column.column, "of": column.target}
                    beside = {**where, **pair, "keyed_by": column.keyed_by}
                    yield orjson.dumps(beside, option=orjson.OPT_APPEND_NEWLINE)


def empty(connection: sa.Connection, columns: Iterable[SoftColumn]) -> None:
    """Nulls the references."""
    for column in columns:
        clause = column.clause
        filled = clause.c[column.column].is_not(None)
        connection.execute(sa.update(clause).where(filled).values({column.column: None}))


def link(connection: sa.Connection, pairs: Iterable[Mapping[str, str]]) -> int:
    """Sets references again where both ends are there and the holder refers to nothing else since; returns the rest."""
    present = set(sa.inspect(connection).get_table_names())
    lost = 0
    for one in pairs:
        holder = rows.living(connection, one["keyed_by"], [one["holder"]]).get(one["holder"])
        target = rows.living(connection, one["of"], [one["target"]]).get(one["target"])
        if holder is None or target is None or one["table"] not in present:
            lost += 1
            continue
        clause = sa.table(one["table"], sa.column("id", BigId), sa.column(one["column"], BigId))
        here = sa.and_(clause.c.id == holder, clause.c[one["column"]].is_(None))
        connection.execute(sa.update(clause).where(here).values({one["column"]: target}))
    return lost


def foreign_fields(connection: sa.Connection, plugin: str) -> list[Definition]:
    """Custom fields that go with the plugin although their records stay."""
    present = set(sa.inspect(connection).get_table_names())
    return [
        one
        for one in read_definitions(connection)
        if (one.plugin == plugin or (one.target or "").startswith(f"{plugin}."))
        and not one.entity.startswith(f"{plugin}.")
        and table_of(one.entity) in present
    ]


def read_values(connection: sa.Connection, fields: Iterable[Definition]) -> Iterator[bytes]:
    """The values of such fields by the uid of their record."""
    for one in fields:
        clause = _custom(table_of(one.entity))
        statement = sa.select(clause.c.uid, clause.c.custom, clause.c.custom_key)
        for uid, custom, keys in connection.execute(statement.execution_options(yield_per=rows.BATCH)):
            if one.key in (custom or {}):
                value = {"entity": one.entity, "key": one.key, "uid": str(uid), "value": custom[one.key]}
                folded = (keys or {}).get(one.key)
                yield orjson.dumps({**value, "folded": folded}, option=orjson.OPT_APPEND_NEWLINE)


def erase(connection: sa.Connection, fields: Iterable[Definition]) -> None:
    """Takes the values and indexes of such fields away."""
    for one in fields:
        for statement in drop_indexes(table_of(one.entity), one.key):
            connection.exec_driver_sql(statement)
        for statement in erase_values(table_of(one.entity), one.key, connection.dialect.name):
            connection.exec_driver_sql(statement)


def put_values(connection: sa.Connection, values: Iterable[Mapping[str, Any]]) -> int:
    """Puts values back; returns how many records are gone."""
    lost = 0
    for one in values:
        table = table_of(one["entity"])
        number = rows.living(connection, table, [one["uid"]]).get(one["uid"])
        if number is None:
            lost += 1
            continue
        clause = _custom(table)
        row = connection.execute(sa.select(clause.c.custom, clause.c.custom_key).where(clause.c.id == number)).one()
        custom, keys = {**(row[0] or {}), one["key"]: one["value"]}, dict(row[1] or {})
        if one["folded"] is not None:
            keys[one["key"]] = one["folded"]
        connection.execute(sa.update(clause).where(clause.c.id == number).values(custom=custom, custom_key=keys))
    return lost


def _custom(table: str) -> sa.TableClause:
    return sa.table(
        table,
        sa.column("id", BigId),
        sa.column("uid", sa.Uuid),
        sa.column("custom", JsonB()),
        sa.column("custom_key", JsonB()),
    )
