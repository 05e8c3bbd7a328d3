"""What every change of people, teams, roles and rights has in common: audit, event, a new generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gigacore.access.profiles import bump
from gigacore.data.journal import Entry

if TYPE_CHECKING:
    from gigacore.context import Context


CHANGED: Final = "giga_access_changed"
"""Set in the `info` of a session that changed people, teams or rights: what others keep does not hold inside it."""


def note(ctx: Context, entity: str, id: int, uid: UUID | str | None, verb: str, values: Mapping[str, Any]) -> None:
    """Record a change (never with a secret among `values`).

    Everybody's rights are read anew in sessions opened after the commit.
    """
    record_uid = UUID(uid) if isinstance(uid, str) else uid
    connection = ctx.session.connection()
    entry = Entry(entity, verb, id, record_uid, fields=sorted(values), values=dict(values))
    ctx.session.journal.write(connection, ctx, [entry])
    bump(connection)
    ctx.session.info[CHANGED] = True
