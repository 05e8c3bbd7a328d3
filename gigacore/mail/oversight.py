"""What those who look after mail see and do: what was sent to whom, and once more what failed. Tool `core.mail`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import access
from gigacore.data import audit
from gigacore.errors import NotFound
from gigacore.mail import service
from gigacore.mail.tables import core_mail
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.messages import Msg

TOOL: Final = "core.mail"
M: Final = core_mail.c


@dataclass(frozen=True, slots=True)
class MailState:
    """One mail and what became of it; `ends` are the records that it concerns, each an entity and a number."""

    id: int
    recipient: str
    recipient_name: str
    subject: str
    template: str
    state: str
    error: Msg | None
    user_id: int | None
    ends: Sequence[tuple[str, int]]
    created_at: datetime
    sent_at: datetime | None


COLUMNS: Final = tuple(M[name] for name in MailState.__slots__)


def listing(
    ctx: Context, *, state: str = "", recipient: str = "", before: int | None = None, limit: int = 50
) -> list[MailState]:
    """The mails of the organisation, newest first; `recipient` is a whole address. Raises Forbidden."""
    access.require(ctx, "view", TOOL)
    where: list[sa.ColumnElement[bool]] = [M.org_id == ctx.actor.org_id]
    where += [M.state == state] if state else []
    where += [M.recipient == recipient] if recipient else []
    where += [M.id < before] if before is not None else []
    rows = ctx.session.connection().execute(sa.select(*COLUMNS).where(*where).order_by(M.id.desc()).limit(limit))
    return [_mail(row) for row in rows]


def _mail(row: sa.Row[Any]) -> MailState:
    values = dict(row._mapping)
    return MailState(**values | {"ends": [(str(entity), int(number)) for entity, number in values["ends"]]})


def counts(ctx: Context) -> Mapping[str, int]:
    """How many mails are in each state. Raises Forbidden."""
    access.require(ctx, "view", TOOL)
    query = sa.select(M.state, sa.func.count()).where(M.org_id == ctx.actor.org_id).group_by(M.state)
    return {row[0]: row[1] for row in ctx.session.connection().execute(query)}


def send_again(ctx: Context, number: int) -> None:
    """Queue a mail once more that failed, or of which nobody knows. Raises NotFound, Conflict, Forbidden."""
    access.require(ctx, "edit", TOOL)
    org = ctx.session.connection().scalar(sa.select(M.org_id).where(M.id == number))
    if org != ctx.actor.org_id:
        raise NotFound
    service.again(ctx, number)
    audit.record(ctx, TOOL, "sent_again", record_id=number)
