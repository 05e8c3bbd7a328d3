"""The line that an operation on a plugin leaves in the audit, in the operation's own transaction."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from gigacore.context import Actor, system_actor
from gigacore.data.journal import Entry, Journal
from gigacore.ids import uuid7
from gigacore.values import dataclass


@dataclass(frozen=True, slots=True)
class _Act:
    """Who acts and when, outside a session."""

    actor: Actor
    now: datetime
    correlation_id: str
    depth: int = 0
    rules_enabled: bool = False


def note(
    connection: sa.Connection, now: datetime, verb: str, name: str, *, path: Path | None = None, by: Actor | None = None
) -> None:
    """Notes what was done to a plugin, with its archive if one was written; by the system unless somebody did it."""
    act = _Act(by or system_actor(f"{verb} plugin {name}"), now, uuid7().hex)
    values = {"name": name, "archive": path.name if path else ""}
    Journal(connection.dialect).write(
        connection, act, [Entry("core.plugin", verb, fields=list(values), values=values, event=False)]
    )
