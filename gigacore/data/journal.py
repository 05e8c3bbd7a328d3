"""Writes audit rows and events beside the data, in one statement per table however many records changed.

The statements are driver SQL worked out once per engine: this runs in every write.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import orjson
from sqlalchemy import Table
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Dialect

from gigacore.data.tables import core_audit, core_audit_value, core_delivery, core_outbox
from gigacore.entity.columns import moment_text
from gigacore.ids import uuid7
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor

Interested = Callable[[str, bool], Sequence[str]]
"""Event name, and whether rules are on -> the consumers that want it."""

SALT_BYTES: Final = 16
_DELIVERY: Final = ("event_id", "consumer", "state", "record_key", "attempts", "next_at")


class Acting(Protocol):
    """What an entry says besides what was done: who, when, in which course of things. A `Context` is one."""

    @property
    def actor(self) -> Actor:
        """Who acts."""

    @property
    def now(self) -> datetime:
        """When."""

    @property
    def correlation_id(self) -> str:
        """What belongs together."""

    @property
    def depth(self) -> int:
        """How many automations led here."""

    @property
    def rules_enabled(self) -> bool:
        """Whether rules hear of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to record. `event` False = audit only. `values` is what goes, salted, under the commitment."""

    entity: str
    verb: str
    record_id: int | None = None
    record_uid: UUID | None = None
    version: int | None = None
    fields: Sequence[str] = ()
    values: Any = None
    event: bool = True


def encode(value: Any) -> bytes:
    """The stored bytes of audit values: JSON in the order given."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"cannot record a {type(value).__name__}")


def commitment(salt: bytes, body: bytes) -> bytes:
    """What stays in the chain when values are erased."""
    return hashlib.sha256(salt + body).digest()


class Journal:
    """The writer of audit rows, events and deliveries for one engine."""

    def __init__(
        self, dialect: Dialect, interested: Interested = lambda name, rules: (), new_id: Callable[[], UUID] = uuid7
    ) -> None:
        self._lite = dialect.name == "sqlite"
        self.interested = interested
        self.new_id = new_id
        self._audit = self._insert(core_audit)
        self._value = self._insert(core_audit_value)
        self._outbox = self._insert(core_outbox)
        self._delivery = self._insert(core_delivery, _DELIVERY)
        self._together = self._insert_together()

    def write(self, connection: Connection, ctx: Acting, entries: Iterable[Entry]) -> list[UUID]:
        """Insert the rows of these entries. Gives the ids, which audit row and event share.

        Of a generator one entry at a time is in memory, which spares the garbage collector much.
        """
        audit: list[tuple[Any, ...]] = []
        values: list[tuple[Any, ...]] = []
        events: list[tuple[Any, ...]] = []
        deliveries: list[tuple[Any, ...]] = []
        ids: list[UUID] = []
        at, who = self.moment(ctx.now), _who(ctx)
        interested = cache(self.interested)
        for entry in entries:
            ids.append(new := self.new_id())
            key, uid = self.uid(new), self.uid(entry.record_uid)
            names = orjson.dumps(entry.fields if isinstance(entry.fields, list) else list(entry.fields)).decode()
            salt = os.urandom(SALT_BYTES)
            body = encode(entry.values)
            audit.append(
                (key, at, *who, ctx.correlation_id, entry.entity, entry.record_id, uid, entry.verb, names,
                 commitment(salt, body))
            )  # fmt: skip
            values.append((key, salt, body))
            if not entry.event:
                continue
            name = f"{entry.entity}.{entry.verb}"
            events.append(
                (key, at, name, entry.entity, entry.record_id, uid, entry.version, names, key, ctx.correlation_id,
                 ctx.depth, *who)
            )  # fmt: skip
            order = f"{entry.entity}:{entry.record_id}"
            for consumer in interested(name, ctx.rules_enabled):
                deliveries.append((key, consumer, "new", order, 0, at))
        if len(events) == 1 == len(audit) and not self._lite:
            consumers = [delivery[1] for delivery in deliveries]
            row = (*audit[0], *values[0], *events[0], ids[0], consumers, "new", order, 0, at)
            connection.exec_driver_sql(self._together, row)
            return ids
        for sql, rows in (
            (self._audit, audit), (self._value, values), (self._outbox, events), (self._delivery, deliveries)
        ):  # fmt: skip
            if rows:
                connection.exec_driver_sql(sql, rows if len(rows) > 1 else rows[0])
        return ids

    def uid(self, value: UUID | None) -> Any:
        """A UUID as the driver takes it."""
        return value.hex if self._lite and value is not None else value

    def moment(self, value: datetime) -> Any:
        """A moment as the driver takes it."""
        return moment_text(value) if self._lite else value

    def _insert_together(self) -> str:
        """One event with all that belongs to it in one statement: on PostgreSQL each is a journey to the server."""
        parts = (("a", self._audit), ("v", self._value), ("o", self._outbox))
        written = ", ".join(f"{name} AS ({sql})" for name, sql in parts)
        delivery = "%s, unnest(%s::text[]), %s, %s, %s, %s"
        return f"WITH {written} INSERT INTO {core_delivery.name} ({', '.join(_DELIVERY)}) SELECT {delivery}"

    def _insert(self, table: Table, columns: Sequence[str] | None = None) -> str:
        names = columns or [column.name for column in table.columns]
        mark = "?" if self._lite else "%s"
        return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608


def _who(ctx: Acting) -> tuple[str, int | None, str]:
    actor = ctx.actor
    name = f"system ({actor.reason})" if actor.is_system else actor.name
    return actor.kind, actor.user_id, name[:200]
