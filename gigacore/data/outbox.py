"""Events besides the changes themselves: the declared actions of records, and what happens to no single record."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gigacore.data.journal import Entry

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity


def emit(ctx: Context, record: Entity, verb: str, values: Mapping[str, Any] | None = None) -> uuid.UUID:
    """Announce `<entity>.<verb>` for a record, with its audit row, in the caller's transaction. Gives the event's id.

    What was changed before is flushed first, so that its events come before this one.
    """
    ctx.session.flush()
    spec = ctx.session.registry.of(record)
    details = dict(values or {})
    entry = Entry(spec.name, verb, record.id, record.uid, record.version, list(details), details)
    return ctx.session.journal.write(ctx.session.connection(), ctx, [entry])[0]


def emit_plain(ctx: Context, name: str, values: Mapping[str, Any] | None = None) -> uuid.UUID:
    """Announce an event that is about no record; `name` is `<plugin>.<subject>.<verb>`."""
    ctx.session.flush()
    subject, _, verb = name.rpartition(".")
    details = dict(values or {})
    entry = Entry(subject, verb, fields=list(details), values=details)
    return ctx.session.journal.write(ctx.session.connection(), ctx, [entry])[0]
