"""Sending mail: queued in the caller's transaction, handed over by a job, told on the timelines of its records.

A mail is handed over at most once. If the process ends between handing over and noting it, nobody knows whether it
went out: its state is then `unknown`, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore import notices
from gigacore.data import activities, settings
from gigacore.entity.contacts import BadContact, check_email
from gigacore.errors import Conflict, Invalid, NotFound, worded
from gigacore.ids import uuid7
from gigacore.jobs import queue
from gigacore.mail.consent import SERVICE, require
from gigacore.mail.message import Mail, MailSender, NotSent
from gigacore.mail.tables import FAILED, QUEUED, SENDING, SENT, UNKNOWN, core_mail
from gigacore.messages import Msg, msg

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import Entity
    from gigacore.jobs import JobRun

JOB: Final = "core.send_mail"
ACTIVITY: Final = "core.mail"
FROM_ADDRESS: Final = "core.mail_from"
FROM_NAME: Final = "core.mail_from_name"
DEFAULT_FROM: Final = "crm@localhost.localdomain"
M: Final = core_mail.c


def send(
    ctx: Context,
    to: str,
    subject: str,
    text: str,
    *,
    html: str | None = None,
    records: Iterable[Entity | tuple[str, int]] = (),
    purpose: str = SERVICE,
    template: str = "",
    headers: Mapping[str, str] | None = None,
    key: str | None = None,
) -> int:
    """Queue a mail in the caller's unit of work; gives its number. With a `key` the same mail is queued only once.

    `to` is an address, or a name with one. When it was sent, an activity tells so on the timelines of `records`.
    Raises Invalid for an address that cannot be, MayNotContact when the person asked not to be written to.
    """
    name, address = checked(to)
    require(ctx, "mail", address, purpose)
    connection = ctx.session.connection()
    if key is not None and (known := connection.scalar(sa.select(M.id).where(M.unique_key == key))) is not None:
        return int(known)
    ctx.session.flush()
    ends = [list(_end(ctx, record)) for record in records]
    row = {
        "uid": uuid7(), "org_id": ctx.actor.org_id, "user_id": ctx.actor.user_id, "recipient": address,
        "recipient_name": one_line(name)[:200], "subject": one_line(subject)[:300], "text": text, "html": html,
        "headers": dict(headers or {}), "purpose": purpose, "template": template, "unique_key": key, "ends": ends,
        "state": QUEUED, "created_at": ctx.now,
    }  # fmt: skip
    number = int(connection.execute(sa.insert(core_mail).values(**row).returning(M.id)).scalar_one())
    queue.enqueue(ctx, JOB, {"mail": number}, unique_key=f"{JOB}:{number}", system="send mail")
    return number


def checked(to: str) -> tuple[str, str]:
    """Name and address. Raises Invalid."""
    found = getaddresses([to])
    name, address = found[0] if len(found) == 1 and not {"\n", "\r"} & set(to) else ("", "")
    try:
        return name, check_email(address)
    except BadContact:
        raise Invalid.of("to", msg("“{text}” is no e-mail address.", text=to[:120])) from None


def one_line(text: str) -> str:
    """Without line breaks, which would end a header."""
    return " ".join(text.split())


def _end(ctx: Context, record: Entity | tuple[str, int]) -> tuple[str, int]:
    return record if isinstance(record, tuple) else (ctx.session.registry.of(record).name, record.id)


# The job -------------------------------------------------------------------------------------------------------------


def deliver(run: JobRun, payload: Mapping[str, Any], sender: MailSender) -> str:
    """Hand a queued mail over; gives the state in which it stands then. Raises what lets the job be tried again."""
    with run.unit_of_work() as ctx:
        row = ctx.session.connection().execute(
            sa.select(core_mail).where(M.id == int(payload["mail"])).with_for_update()
        ).first()  # fmt: skip
        if row is None or row.state not in (QUEUED, SENDING):
            return "" if row is None else str(row.state)
        if row.state == SENDING:
            return _close(ctx, row, UNKNOWN, msg("The process ended while the mail was being sent."))
        mail = _mail(ctx, row)
        _set(ctx, row.id, state=SENDING)
    try:
        sender.send(mail)
    except NotSent as refusal:
        with run.unit_of_work() as ctx:
            return _close(ctx, row, FAILED, worded(refusal))
    except Exception as error:
        with run.unit_of_work() as ctx:
            last = run.claimed.attempts >= run.claimed.max_attempts
            if last:
                return _close(ctx, row, FAILED, worded(error))
            _set(ctx, row.id, state=QUEUED, error=worded(error))
        raise
    with run.unit_of_work() as ctx:
        return _close(ctx, row, SENT, None)


def _mail(ctx: Context, row: Any) -> Mail:
    address = str(settings.get(ctx, FROM_ADDRESS, "") or DEFAULT_FROM)
    name = str(settings.get(ctx, FROM_NAME, "") or "")
    number = f"{row.uid}@{address.partition('@')[2]}"
    return Mail(
        number, address, name, row.recipient, row.recipient_name, row.subject, row.text, row.html, row.created_at,
        row.headers,
    )  # fmt: skip


def _close(ctx: Context, row: Any, state: str, error: Msg | None) -> str:
    _set(ctx, row.id, state=state, error=error, sent_at=ctx.now if state == SENT else None)
    if state == SENT and row.ends:
        details = {"mail": row.id, "to": row.recipient, "by": row.user_id}
        activities.log(
            ctx, ACTIVITY, row.subject, [(name, number) for name, number in row.ends], direction="out", data=details,
            summary=row.text[:2000],
        )  # fmt: skip
    if state in (FAILED, UNKNOWN) and row.user_id is not None:
        text = msg("A mail to {address} was not sent: {error}", address=row.recipient, error=error or "")
        if state == UNKNOWN:
            text = msg(
                "Nobody knows whether a mail to {address} was sent; look, and send it again.", address=row.recipient
            )
        notices.notify(ctx, "core.mail_failed", [row.user_id], text, key=f"mail:{row.id}:{state}")
    return state


def _set(ctx: Context, number: int, **values: Any) -> None:
    ctx.session.connection().execute(sa.update(core_mail).where(M.id == number).values(**values))


def again(ctx: Context, number: int) -> None:
    """Queue a mail that failed, or of which nobody knows, once more. Raises NotFound, Conflict. The caller checked."""
    state = ctx.session.connection().scalar(sa.select(M.state).where(M.id == number))
    if state is None:
        raise NotFound
    if state not in (FAILED, UNKNOWN):
        raise Conflict(msg("Only a mail that failed can be sent again."))
    _set(ctx, number, state=QUEUED, error=None)
    queue.enqueue(ctx, JOB, {"mail": number}, unique_key=f"{JOB}:{number}", system="send mail")
