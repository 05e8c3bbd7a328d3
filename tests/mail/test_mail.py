"""Mail goes out once, through a real SMTP conversation, and is told on the record; notifications as people chose."""

import email
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from gigacore import Actor, Crm, mail, notices, records
from gigacore.data import activities
from gigacore.errors import ConfigurationError, Forbidden, Invalid
from gigacore.mail import MayNotContact, NotSent, SmtpSender
from gigacore.mail.tables import core_mail
from gigacore.messages import msg
from gigacore.outbound import OutboundRule, Refused
from gigacore.text import stored

MakeUser = Callable[..., Actor]


class Inbox:
    """An SMTP server that keeps what it gets; addresses tell it how to behave."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.busy = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        if address.startswith("busy@") and self.busy > 0:
            self.busy -= 1
            return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def inbox(crm: Crm) -> Iterator[Inbox]:
    found = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(found, hostname="127.0.0.1", port=port)
    server.start()
    crm.settings = replace(
        crm.settings,
        smtp_url=f"smtp://127.0.0.1:{port}",
        outbound_allow=("127.0.0.1",),
        public_url="https://crm.example",
    )
    for made_from_settings in ("outbound", "mail_sender"):
        vars(crm).pop(made_from_settings, None)
    yield found
    server.stop()


def post(crm: Crm, actor: Actor, to: str, **options: Any) -> int:
    with crm.unit_of_work(actor) as ctx:
        number = mail.send(ctx, to, "Good\nmorning", "Bonjour à vous", **options)
    crm.jobs.run_pending()
    return number


def state(crm: Crm, number: int) -> Any:
    with crm.database.connect() as connection:
        return connection.execute(sa.select(core_mail).where(core_mail.c.id == number)).one()


def test_a_mail_is_sent_once_and_told_on_the_record(crm: Crm, admin: Actor, inbox: Inbox) -> None:
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Martin"}).id
    number = post(crm, admin, "Élodie <elodie@example.test>", records=[("crm.lead", lead)], key="once")
    assert post(crm, admin, "elodie@example.test", key="once") == number
    (sent,) = inbox.mails
    assert (sent["Subject"], sent["To"]) == ("Good morning", "Élodie <elodie@example.test>")
    assert sent.get_content().strip() == "Bonjour à vous"
    assert re.fullmatch(r"<[0-9a-f-]{36}@[^>]+>", sent["Message-ID"])
    assert state(crm, number).state == "sent"
    with crm.read(admin) as ctx:
        (told,) = [one for one in activities.timeline(ctx, "crm.lead", lead) if one.kind == "core.mail"]
    assert (told.title, told.direction) == ("Good morning", "out")


def test_a_refusal_is_final_a_busy_server_is_tried_again(crm: Crm, admin: Actor, inbox: Inbox) -> None:
    number = post(crm, admin, "nobody@example.test")
    assert (state(crm, number).state, str(state(crm, number).error)) == ("failed", "550 no such user")
    with crm.read(admin) as ctx:
        (told,) = notices.listing(ctx)
    assert told.kind == "core.mail_failed"
    inbox.busy = 1
    number = post(crm, admin, "busy@example.test")
    assert state(crm, number).state == "queued"
    with crm.database.begin() as connection:
        connection.exec_driver_sql("UPDATE core_job SET run_at = created_at WHERE state = 'queued'")
    crm.jobs.run_pending()
    assert state(crm, number).state == "sent"


def test_a_mail_of_which_nobody_knows_is_not_sent_again_by_itself(crm: Crm, admin: Actor, inbox: Inbox) -> None:
    with crm.unit_of_work(admin) as ctx:
        number = mail.send(ctx, "a@example.test", "x", "y")
        ctx.session.connection().execute(sa.update(core_mail).values(state="sending"))  # the process died here
    crm.jobs.run_pending()
    assert state(crm, number).state == "unknown"
    assert inbox.mails == []
    with crm.unit_of_work(admin) as ctx:
        mail.again(ctx, number)
    crm.jobs.run_pending()
    assert (state(crm, number).state, len(inbox.mails)) == ("sent", 1)


def test_who_asked_not_to_be_written_to_is_not(crm: Crm, admin: Actor, inbox: Inbox) -> None:
    with crm.unit_of_work(admin) as ctx:
        mail.say(ctx, "mail", "A@Example.test", "all", allowed=False, source="by telephone")
    with pytest.raises(MayNotContact):
        post(crm, admin, "a@example.test")
    with crm.unit_of_work(admin) as ctx:
        mail.say(ctx, "mail", "a@example.test", "service", allowed=True, source="form")
    post(crm, admin, "a@example.test")
    with pytest.raises(MayNotContact):
        post(crm, admin, "a@example.test", purpose="marketing")
    assert len(inbox.mails) == 1


def test_what_the_person_of_a_record_said_is_kept_with_its_proof(
    crm: Crm, admin: Actor, inbox: Inbox, make_user: MakeUser
) -> None:
    reader = make_user("user")
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Martin", "email": "M@example.test", "visibility": "read"})
        number = lead.id
        mail.note(ctx, "crm.lead", number, "m@example.test", "marketing", allowed=False, source="by telephone")
        for wrong in ({"address": "x@example.test"}, {"purpose": "fun"}, {"source": " "}):
            given = {"address": "m@example.test", "purpose": "all", "source": "letter"} | wrong
            with pytest.raises(Invalid) as refused:
                mail.note(ctx, "crm.lead", number, **given, allowed=True)
            assert [error.path for error in refused.value.errors] == list(wrong)
    with pytest.raises(Forbidden), crm.unit_of_work(reader) as ctx:
        mail.note(ctx, "crm.lead", number, "m@example.test", "all", allowed=True, source="letter")
    with crm.read(reader) as ctx:
        (word,) = mail.words(ctx, "crm.lead", number)
        (told,) = [one for one in activities.timeline(ctx, "crm.lead", number) if one.kind == "core.consent"]
    assert (word.allowed, word.source, word.by_id, told.title) == (False, "by telephone", admin.user_id, "by telephone")
    with pytest.raises(MayNotContact):
        post(crm, admin, "m@example.test", purpose="marketing")
    post(crm, admin, "m@example.test")


def test_advertising_takes_consent_and_matters_of_ones_own_do_not(crm: Crm, admin: Actor, inbox: Inbox) -> None:
    for purpose in ("marketing", "all", "survey"):
        with pytest.raises(MayNotContact) as refused:
            post(crm, admin, "new@example.test", purpose=purpose)
        assert "has not agreed" in str(refused.value)
    post(crm, admin, "new@example.test")
    for allowed in (True, False):
        with crm.unit_of_work(admin) as ctx:
            mail.say(ctx, "mail", "new@example.test", "marketing", allowed=allowed, source="form")
        with crm.read(admin) as ctx:
            assert mail.may_contact(ctx, "mail", "New@example.test ", "marketing") is allowed
    assert len(inbox.mails) == 1


def test_an_automation_that_advertises_takes_consent_too(crm: Crm, admin: Actor, inbox: Inbox) -> None:
    step = {"do": "core.send_mail", "with": {"subject": "Sale", "text": "Now", "purpose": "marketing"}}
    body = {"entity": "crm.lead", "trigger": {"kind": "core.created"}, "steps": [step]}
    with crm.unit_of_work(admin) as ctx:
        mail.say(ctx, "mail", "yes@example.test", "marketing", allowed=True, source="form")
        crm.automation.switch(ctx, crm.automation.create(ctx, "Sale", body).id, active=True)
    with crm.unit_of_work(admin) as ctx:
        for name in ("yes", "none"):
            records.create(ctx, "crm.lead", {"last_name": name, "email": f"{name}@example.test"})
    crm.jobs.run_pending()
    with crm.read(admin) as ctx:
        runs = {one.label: (one.state, str(one.error or "")) for one in crm.automation.runs(ctx)}
    assert runs["yes"] == ("done", "")
    assert runs["none"][0] == "failed"
    assert "has not agreed" in runs["none"][1]
    assert [sent["To"] for sent in inbox.mails] == ["yes@example.test"]


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b@c", "a@example.test\nBcc: b@example.test", "a@example.test, b@example.test"]
)
def test_what_is_no_address_is_refused(crm: Crm, admin: Actor, inbox: Inbox, to: str) -> None:
    with pytest.raises(Invalid):
        post(crm, admin, to)
    assert inbox.mails == []


def test_the_smtp_server_obeys_the_outbound_rule() -> None:
    sender = SmtpSender.of("smtp://127.0.0.1:25", OutboundRule())
    with pytest.raises(Refused):
        sender.send(mail.Mail("x@y", "a@y", "", "b@y", "", "s", "t", None, datetime.now(UTC)))
    for url in ("http://mail", "smtp://", "mail.example.com"):
        with pytest.raises(ConfigurationError):
            SmtpSender.of(url, OutboundRule())
    with pytest.raises(NotSent):
        injected = mail.Mail("x@y", "a@y", "", "b@y", "", "s\r\nBcc: c@y", "t", None, datetime.now(UTC))
        sender.send(injected)


def test_notifications_reach_people_as_they_chose(crm: Crm, admin: Actor, inbox: Inbox, make_user: MakeUser) -> None:
    one, two = make_user(name="One"), make_user(name="Two")
    with crm.unit_of_work(two) as ctx:
        notices.choose(ctx, "core.rule", bell=False, mail="now")
    with crm.unit_of_work(one) as ctx:
        notices.choose(ctx, "core.rule", bell=True, mail="digest")
        with pytest.raises(Invalid):
            notices.choose(ctx, "core.colour", bell=True, mail="now")
    hello = msg("{address} asked not to be contacted.", address="x@example.test")
    for _ in range(2):
        with crm.unit_of_work(admin) as ctx:
            notices.notify(
                ctx, "core.rule", [one.user_id or 0, two.user_id or 0, admin.user_id or 0, 999], hello, key="k"
            )
    crm.jobs.run_pending()
    assert [sent["To"] for sent in inbox.mails] == [email_of(crm, two)]
    with crm.unit_of_work(one) as ctx:
        assert notices.unread(ctx) == 1
        (notice,) = notices.listing(ctx)
        assert str(notice.message) == "x@example.test asked not to be contacted."
        assert notices.mark_read(ctx) == 1
        assert notices.unread(ctx) == 0
    for reader in (two, admin):
        with crm.read(reader) as ctx:
            assert (notices.unread(ctx), notices.listing(ctx)) == (0, [])
    with crm.system("morning") as ctx:
        crm.jobs.enqueue(ctx, "core.mail_notices", {"mail": "digest"})
    crm.jobs.run_pending()
    assert [sent["To"] for sent in inbox.mails] == [email_of(crm, two), email_of(crm, one)]


def email_of(crm: Crm, actor: Actor) -> str:
    with crm.database.connect() as connection:
        return str(connection.exec_driver_sql(f"SELECT email FROM core_user WHERE id = {actor.user_id}").scalar())


def test_a_notice_about_a_hidden_record_does_not_name_it(crm: Crm, admin: Actor, make_user: MakeUser) -> None:
    reader = make_user("user")
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(ctx, "crm.lead", {"last_name": "Secret", "visibility": "private"})
        notices.notify(ctx, "core.rule", [reader.user_id or 0], "Look", record=lead)
    with crm.read(reader) as ctx:
        (notice,) = notices.listing(ctx)
    assert (notice.entity, notice.record_id) == ("", None)


def test_templates_fall_back_and_fill(crm: Crm, admin: Actor, make_user: MakeUser) -> None:
    values = {"kind": "core.mail", "key": "welcome", "name": "Welcome", "entity": "crm.lead"}
    with crm.unit_of_work(admin) as ctx:
        lead = records.create(
            ctx, "crm.lead", {"last_name": "Martin", "amount": {"amount": "1200", "currency": "EUR"}}
        ).id
        stored.save(ctx, language="en", subject="Hello", body="Dear {{ record.last_name }}", **values)
        stored.save(
            ctx,
            language="fr",
            subject="Bonjour",
            body="{{ record.last_name }} : {{ record.amount.amount | money('EUR') }}",
            **values,
        )
        french, german = (
            stored.find(ctx, "core.mail", "welcome", "fr_CA"),
            stored.find(ctx, "core.mail", "welcome", "de"),
        )
        assert (french.language, german.language) == ("fr", "en")
        assert stored.rendered(ctx, french, "crm.lead", lead)[1].startswith("Martin : 1")
        with pytest.raises(Invalid) as refused:
            stored.save(ctx, language="en", subject="x", body="line\n{{ record.", **values)
        assert refused.value.errors[0].path == "body"
    with pytest.raises(Forbidden), crm.unit_of_work(make_user("user")) as ctx:
        stored.save(ctx, language="en", subject="x", body="y", **values)
