"""Telling people: in the bell of their pages and by mail, as each of them chose for the kind of thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gigacore.access.tables import core_user
from gigacore.data import links
from gigacore.errors import Invalid
from gigacore.jobs import queue
from gigacore.messages import Msg, msg, packed, unpacked, verbatim
from gigacore.notices.declare import KINDS, NotificationKind
from gigacore.notices.tables import core_notice, core_notice_choice
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity

Mail = Literal["never", "now", "digest"]
MAIL_JOB: Final = "core.mail_notices"
KEPT: Final = timedelta(days=90)
MOST_COUNTED: Final = 100
N: Final = core_notice.c
C: Final = core_notice_choice.c


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification as its reader meets it; the record is left out when it is out of the reader's sight."""

    id: int
    kind: str
    message: Msg
    entity: str
    record_id: int | None
    url: str
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person wants to be told of one kind."""

    kind: NotificationKind
    bell: bool
    mail: Mail


def notify(
    ctx: Context,
    kind: str,
    users: Iterable[int],
    message: Msg | str,
    *,
    record: Entity | tuple[str, int] | None = None,
    url: str = "",
    key: str | None = None,
    kinds: Sequence[NotificationKind] = KINDS,
) -> int:
    """Tell people of something, within the caller's unit of work. Gives how many will hear of it.

    A `Msg` reaches each reader in their language; a text as it is. With a `key` a person is told only once. Nobody is
    told of their own doing except by automations. People who cannot sign in are passed over.
    """
    declared = _declared(kind, kinds)
    wanted = sorted({user for user in users if user != ctx.actor.user_id or ctx.actor.kind in ("automation", "system")})
    if not wanted:
        return 0
    connection = ctx.session.connection()
    chosen = {row.user_id: row for row in connection.execute(_choices(wanted, kind))}
    rows = []
    for user in wanted:
        choice = chosen.get(user)
        if choice is None:
            continue
        bell = declared.bell if choice.bell is None else choice.bell
        mail: str = ("now" if declared.mail else "never") if choice.mail is None else choice.mail
        if bell or mail != "never":
            rows.append(_row(ctx, kind, user, message, record, url, key, bell=bell, mail=mail))
    return _write(ctx, rows)


def _declared(kind: str, kinds: Sequence[NotificationKind]) -> NotificationKind:
    return next((one for one in kinds if one.name == kind), NotificationKind(kind, kind))


def _choices(users: Sequence[int], kind: str) -> sa.Select[Any]:
    mine = sa.and_(C.user_id == core_user.c.id, C.kind == kind)
    columns = (core_user.c.id.label("user_id"), C.bell, C.mail)
    return (
        sa.select(*columns)
        .outerjoin(core_notice_choice, mine)
        .where(core_user.c.id.in_(users), core_user.c.active)
    )  # fmt: skip


def _row(
    ctx: Context,
    kind: str,
    user: int,
    message: Msg | str,
    record: Entity | tuple[str, int] | None,
    url: str,
    key: str | None,
    *,
    bell: bool,
    mail: str,
) -> dict[str, Any]:
    kept = packed(message if isinstance(message, Msg) else verbatim(message))
    entity, number = _end(ctx, record)
    return {
        "user_id": user, "kind": kind, "text": kept["msg"], "params": kept["params"], "entity": entity,
        "record_id": number, "url": url[:300], "unique_key": key, "at": ctx.now, "read_at": None,
        "bell": bell, "mail": "" if mail == "never" else mail,
    }  # fmt: skip


def _end(ctx: Context, record: Entity | tuple[str, int] | None) -> tuple[str, int | None]:
    if record is None or isinstance(record, tuple):
        return record or ("", None)
    return ctx.session.registry.of(record).name, record.id


def _write(ctx: Context, rows: Sequence[Mapping[str, Any]]) -> int:
    connection = ctx.session.connection()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    told = 0
    for row in rows:
        statement = make(core_notice).values(**row).on_conflict_do_nothing().returning(N.id)
        told += connection.execute(statement).scalar() is not None
    if told and any(row["mail"] == "now" for row in rows):
        queue.enqueue(ctx, MAIL_JOB, {"mail": "now"}, unique_key=f"{MAIL_JOB}:now", system="mail notifications")
    return told


# One's own notifications ---------------------------------------------------------------------------------------------


def unread(ctx: Context) -> int:
    """How many the actor has not read, counted up to 100. One statement."""
    inner = sa.select(N.id).where(N.user_id == _me(ctx), N.read_at.is_(None), N.bell).limit(MOST_COUNTED).subquery()
    return int(ctx.session.connection().scalar(sa.select(sa.func.count()).select_from(inner)) or 0)


def listing(ctx: Context, *, before: int | None = None, limit: int = 30) -> list[Notice]:
    """The actor's notifications, newest first, those by mail only left out."""
    statement = sa.select(core_notice).where(N.user_id == _me(ctx), N.bell).order_by(N.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(N.id < before)
    rows = ctx.session.connection().execute(statement).all()
    seen = links.visible_ids(ctx, {(row.entity, row.record_id) for row in rows if row.record_id})
    return [_notice(row, row.record_id in seen.get(row.entity, set())) for row in rows]


def _notice(row: Any, visible: bool) -> Notice:
    entity, number = (row.entity, row.record_id) if visible else ("", None)
    message = unpacked({"msg": row.text, "params": row.params})
    return Notice(row.id, row.kind, message, entity, number, row.url, row.at, row.read_at)


def mark_read(ctx: Context, ids: Sequence[int] | None = None) -> int:
    """Mark these of the actor's notifications, or all, as read. Gives how many were not."""
    statement = sa.update(core_notice).where(N.user_id == _me(ctx), N.read_at.is_(None)).values(read_at=ctx.now)
    if ids is not None:
        statement = statement.where(N.id.in_(ids))
    return ctx.session.connection().execute(statement).rowcount


def choices(ctx: Context, kinds: Sequence[NotificationKind] = KINDS) -> list[Choice]:
    """How the actor wants to be told of each kind."""
    rows = ctx.session.connection().execute(sa.select(core_notice_choice).where(C.user_id == _me(ctx)))
    chosen = {row.kind: row for row in rows}
    found = []
    for kind in kinds:
        row = chosen.get(kind.name)
        mail: Mail = ("now" if kind.mail else "never") if row is None else row.mail
        found.append(Choice(kind, kind.bell if row is None else row.bell, mail))
    return found


def choose(ctx: Context, kind: str, *, bell: bool, mail: Mail, kinds: Sequence[NotificationKind] = KINDS) -> None:
    """Set how the actor wants to be told of a kind. Raises Invalid for an unknown one."""
    if kind not in {one.name for one in kinds}:
        raise Invalid.of("kind", msg("There is no notification of that kind."))
    if mail not in ("never", "now", "digest"):
        raise Invalid.of("mail", msg("Choose never, at once or once a day."))
    connection = ctx.session.connection()
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = make(core_notice_choice).values(user_id=_me(ctx), kind=kind, bell=bell, mail=mail)
    connection.execute(
        row.on_conflict_do_update(index_elements=["user_id", "kind"], set_={"bell": bell, "mail": mail})
    )  # fmt: skip


def _me(ctx: Context) -> int:
    return ctx.actor.user_id or 0


def purge(connection: sa.Connection, now: datetime) -> int:
    """Forget notifications older than 90 days."""
    return connection.execute(sa.delete(core_notice).where(N.at < now - KEPT)).rowcount
