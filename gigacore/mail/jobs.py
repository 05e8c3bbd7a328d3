"""What workers do about mail: hand queued mails over, and turn notifications into mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import sqlalchemy as sa

from gigacore.access.tables import core_user
from gigacore.jobs import Job, JobRun, Schedule
from gigacore.mail import service
from gigacore.messages import msg, unpacked
from gigacore.notices import core_notice

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.jobs.run import Host
    from gigacore.mail.message import MailSender
    from gigacore.settings import Settings
    from gigacore.text import Catalogue, Translator

MAIL_NOTICES: Final = "core.mail_notices"
BATCH: Final = 500
N: Final = core_notice.c


class MailHost(Protocol):
    """What these jobs need of the composition root besides its database."""

    @property
    def mail_sender(self) -> MailSender:
        """Who hands mails over."""

    @property
    def catalogue(self) -> Catalogue:
        """The translations."""

    @property
    def settings(self) -> Settings:
        """Where the pages are reached."""


def send_mail(run: JobRun, payload: Mapping[str, Any]) -> str:
    """Hand one queued mail over."""
    return service.deliver(run, payload, mail_host(run.host).mail_sender)


def mail_host(host: Host) -> MailHost:
    """The host as these jobs see it."""
    return cast(MailHost, host)


def mail_notices(run: JobRun, payload: Mapping[str, Any]) -> int:
    """Mail what people chose to be told by mail: `now` each by itself, `digest` one mail per person."""
    host, when = mail_host(run.host), str(payload.get("mail", "now"))
    with run.unit_of_work() as ctx:
        waiting = _waiting(ctx, when)
        people = sorted({row.user_id for row in waiting})
        for user in people:
            own = [row for row in waiting if row.user_id == user]
            for part in [own] if when == "digest" else [[row] for row in own]:
                _mail(ctx, host, part)
        ids = [row.id for row in waiting]
        if ids:
            ctx.session.connection().execute(sa.update(core_notice).where(N.id.in_(ids)).values(mail="sent"))
    return len(ids)


def _waiting(ctx: Context, when: str) -> Sequence[Any]:
    statement = (
        sa.select(core_notice, core_user.c.email, core_user.c.name, core_user.c.locale)
        .join(core_user, core_user.c.id == N.user_id)
        .where(N.mail == when, core_user.c.active)
        .order_by(N.id)
        .limit(BATCH)
    )
    return ctx.session.connection().execute(statement).all()


def _mail(ctx: Context, host: MailHost, rows: Sequence[Any]) -> None:
    translate = host.catalogue.translator(rows[0].locale)
    lines = [_line(row, translate, host.settings.public_url) for row in rows]
    subject = lines[0].splitlines()[0]
    if len(rows) > 1:
        subject = translate(msg("{count} notifications", count=len(rows)))
    foot = translate("You choose in your preferences what you are told by mail.")
    text = "\n\n".join([*lines, "-- ", foot])
    key = f"notices:{rows[0].user_id}:{rows[0].id}:{rows[-1].id}"
    service.send(ctx, rows[0].email, subject, text, key=key)


def _line(row: Any, translate: Translator, public_url: str) -> str:
    text = translate(unpacked({"msg": row.text, "params": row.params}))
    plugin, _, _ = row.entity.partition(".")
    link = row.url or (f"/go/{row.entity}/{row.record_id}" if plugin and row.record_id else "")
    return f"{text}\n{public_url.rstrip('/')}{link}" if link and public_url else text


JOBS: Final = (
    Job(service.JOB, send_mail, label="Send a mail", long=True, attempts=8, system="send mail"),
    Job(MAIL_NOTICES, mail_notices, label="Mail notifications", long=True, system="mail notifications"),
)
SCHEDULES: Final = (Schedule("core.mail_digest", MAIL_NOTICES, cron="0 7 * * *", payload={"mail": "digest"}),)
