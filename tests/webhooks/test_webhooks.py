"""Web hooks out and in: signed, once, in sight of their owner, and nothing lost when the other side misbehaves."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from standardwebhooks import Webhook

from gigacore import Actor, Crm, notices, records
from gigacore.access.profiles import bump
from gigacore.access.tables import core_grant
from gigacore.access.vault import Vault
from gigacore.clock import FixedClock
from gigacore.data.tables import core_delivery, core_outbox
from gigacore.errors import ConfigurationError, Conflict, Forbidden, Invalid, NotFound
from gigacore.ids import uuid7
from gigacore.webhooks import BadSignature, signing
from gigacore.webhooks.pacing import retry_after
from tests.webhooks.conftest import KEY, Receiver

MakeUser = Callable[..., Actor]


def subscribe(crm: Crm, actor: Actor, url: str, event: str = "crm.lead.created") -> tuple[int, str]:
    with crm.unit_of_work(actor) as ctx:
        hook, secret = crm.webhooks.subscribe(ctx, event, url)
    return hook.id, secret


def lead(crm: Crm, actor: Actor, **values: Any) -> int:
    with crm.unit_of_work(actor) as ctx:
        number = records.create(ctx, "crm.lead", {"last_name": "Martin", **values}).id
    crm.jobs.run_pending()
    return number


def log(crm: Crm, actor: Actor, hook: int) -> list[Any]:
    with crm.read(actor) as ctx:
        return crm.webhooks.deliveries(ctx, hook)


def test_an_event_is_told_signed_and_once(crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver) -> None:
    before = lead(crm, admin)
    hook, secret = subscribe(crm, admin, receiver.url)
    number = lead(crm, admin)
    with crm.database.begin() as connection:  # the same event delivered twice
        connection.execute(core_delivery.update().values(state="new", attempts=0, done_at=None))
    crm.jobs.run_pending()
    ((headers, body),) = receiver.got
    assert len(headers["X-Correlation-ID"]) == 32
    lower = {name.lower(): value for name, value in headers.items()}
    assert lower["webhook-timestamp"] == str(int(clock.now().timestamp()))
    signing.verify_standard(secret, lower, body, clock.now())
    found = json.loads(body)
    assert (found["type"], found["data"]["id"], found["data"]["name"]) == ("crm.lead.created", number, "Martin")
    assert before != number
    (delivery,) = log(crm, admin, hook)
    assert (delivery.state, delivery.status, delivery.attempts) == ("done", 200, 1)


def test_the_reference_library_accepts_our_signature_and_refuses_a_changed_body() -> None:
    secret, now = signing.new_secret(), datetime.now(UTC)
    headers = signing.headers([signing.new_secret(), secret], "msg_1", now, b'{"a":1}')
    assert Webhook(secret).verify(b'{"a":1}', headers) == {"a": 1}
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(b'{"a":2}', headers)


def test_what_its_owner_may_not_see_is_not_told(
    crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver, make_user: MakeUser
) -> None:
    seller = make_user("user")
    with pytest.raises(Forbidden):
        subscribe(crm, seller, receiver.url)
    with crm.system("allow") as ctx:
        row = {"uid": uuid7(), "role_id": seller.role_ids[0], "entity": "core.hook", "level": "all", "forbid": False}
        ctx.session.connection().execute(
            insert(core_grant), [row | {"uid": uuid7(), "verb": verb} for verb in ("view", "create")]
        )
        bump(ctx.session.connection())
    seller = crm.actor(seller.user_id or 0)
    hook, _ = subscribe(crm, seller, receiver.url)
    lead(crm, admin, visibility="private")
    assert receiver.got == []
    shown = lead(crm, admin, visibility="read")
    assert json.loads(receiver.got[0][1])["data"]["id"] == shown
    assert sorted(one.state for one in log(crm, seller, hook)) == ["done", "skipped"]
    gone, _ = subscribe(crm, seller, receiver.url, "crm.lead.deleted")
    for number in (lead(crm, admin, visibility="private"), shown):
        with crm.unit_of_work(admin) as ctx:
            records.delete(ctx, "crm.lead", number)
    crm.jobs.run_pending()
    assert [json.loads(body)["data"]["id"] for _, body in receiver.got if b".deleted" in body] == [shown]
    assert sorted(one.state for one in log(crm, seller, gone)) == ["done", "skipped"]
    with crm.read(make_user("manager")) as ctx, pytest.raises(Forbidden):
        crm.webhooks.hooks(ctx)


def test_failures_are_tried_again_on_schedule_with_the_same_id(
    crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver
) -> None:
    hook, _ = subscribe(crm, admin, receiver.url)
    receiver.answers = [(500, {}), (302, {"Location": "http://127.0.0.1:1/"}), (429, {"Retry-After": "7200"})]
    lead(crm, admin)
    for minutes in (1, 10, 60):
        clock.advance(timedelta(minutes=minutes))
        crm.jobs.run_pending()
    assert len(receiver.got) == 3  # the fourth waits two hours, as asked
    clock.advance(timedelta(hours=2))
    crm.jobs.run_pending()
    assert len(receiver.got) == 4
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    (delivery,) = log(crm, admin, hook)
    assert (delivery.state, delivery.attempts) == ("done", 4)


def test_after_ten_attempts_the_hook_is_switched_off_its_owner_is_told_and_it_can_be_resent(
    crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver
) -> None:
    hook, _ = subscribe(crm, admin, receiver.url)
    receiver.answers = [(503, {})] * 10
    lead(crm, admin)
    for _ in range(12):
        clock.advance(timedelta(days=1, hours=3))
        crm.jobs.run_pending()
    assert len(receiver.got) == 10
    (delivery,) = log(crm, admin, hook)
    assert delivery.state == "dead"
    with crm.unit_of_work(admin) as ctx:
        assert not crm.webhooks.hook(ctx, hook).active
        assert [one.kind for one in notices.listing(ctx)] == ["core.hook_off"]
        crm.webhooks.switch(ctx, hook, active=True)
        crm.webhooks.resend(ctx, delivery.id)
        with pytest.raises(Conflict):
            crm.webhooks.resend(ctx, delivery.id)
    crm.jobs.run_pending()
    assert log(crm, admin, hook)[0].state == "done"


def test_gone_ends_the_subscription_and_rotation_signs_twice(
    crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver
) -> None:
    hook, old = subscribe(crm, admin, receiver.url)
    with crm.unit_of_work(admin) as ctx:
        new = crm.webhooks.rotate(ctx, hook)
    receiver.answers = [(410, {})]
    lead(crm, admin)
    headers = {name.lower(): value for name, value in receiver.got[0][0].items()}
    for secret in (old, new):
        signing.verify_standard(secret, headers, receiver.got[0][1], clock.now())
    lead(crm, admin)
    assert len(receiver.got) == 1
    with crm.unit_of_work(admin) as ctx:
        assert str(crm.webhooks.hook(ctx, hook).why_off) == "the receiver answered 410 Gone"
        crm.webhooks.unsubscribe(ctx, hook)
        with pytest.raises(NotFound):
            crm.webhooks.hook(ctx, hook)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.com/", "https://", "https://localhost/", "https://10.0.0.1/x", "https://[::1]/",
        "http://93.184.215.14/", "https://user:pw@93.184.215.14/", "https://169.254.169.254/latest",
        "https://93.184.215.14:6379/", "https://a:99999/", "x" * 3000,
    ],
)  # fmt: skip
def test_addresses_that_cannot_be_are_refused(crm: Crm, admin: Actor, clock: FixedClock, url: str) -> None:
    with pytest.raises(Invalid):
        subscribe(crm, admin, url)
    with pytest.raises(Invalid):
        subscribe(crm, admin, "http://127.0.0.1/", "crm.lead.exploded")


def test_retry_after_is_read_and_bounded() -> None:
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    asked = {"Retry-After": "Mon, 02 Mar 2026 08:05:00 GMT"}
    assert retry_after(asked, now) == timedelta(minutes=5)
    assert retry_after({"retry-after": "999999999"}, now) == timedelta(days=1)
    assert retry_after({"Retry-After": "soon"}, now) is None


# In ------------------------------------------------------------------------------------------------------------------

MAPPING = {
    "entity": "crm.lead",
    "values": {"last_name": "{{ body.person.name }}", "email": "{{ body.person.email }}"},
    "match": ["email"],
}
BODY = json.dumps({"person": {"name": "Durand", "email": "durand@example.test"}}).encode()


def source(crm: Crm, admin: Actor, **values: Any) -> str:
    with crm.unit_of_work(admin) as ctx:
        _, secret = crm.webhooks.add_source(ctx, **{"key": "site", "name": "Site", "mapping": MAPPING} | values)
    return str(secret)


def arrive(crm: Crm, headers: dict[str, str], body: bytes = BODY, key: str = "site") -> bool:
    with crm.system("hook") as ctx:
        new = crm.webhooks.receive(ctx, "in", key, headers, body)
    crm.jobs.run_pending()
    return new


def names(crm: Crm, admin: Actor) -> list[str]:
    with crm.read(admin) as ctx:
        return [item["last_name"] for item in records.page(ctx, "crm.lead", records.ListRequest()).items]


def test_a_signed_message_becomes_a_record_once_and_changes_it_later(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    secret = source(crm, admin)
    first = signing.headers([secret], "msg_1", clock.now(), BODY)
    assert [arrive(crm, first), arrive(crm, first)] == [True, False]
    assert names(crm, admin) == ["Durand"]
    changed = BODY.replace(b"Durand", b"Dupont")
    arrive(crm, signing.headers([secret], "msg_2", clock.now(), changed), changed)
    assert names(crm, admin) == ["Dupont"]


def test_forged_old_and_malformed_messages_leave_nothing(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    secret = source(crm, admin)
    good = signing.headers([secret], "msg_1", clock.now(), BODY)
    old = signing.headers([secret], "msg_1", clock.now() - timedelta(minutes=6), BODY)
    future = signing.headers([secret], "msg_1", clock.now() + timedelta(minutes=6), BODY)
    other = signing.headers([signing.new_secret()], "msg_1", clock.now(), BODY)
    broken = [
        {}, old, future, other, good | {"webhook-id": "msg_2"}, good | {"webhook-timestamp": "x"},
        good | {"webhook-signature": "v1,é"}, good | {"webhook-signature": ""}, good | {"webhook-timestamp": "9" * 40},
    ]  # fmt: skip
    for headers in broken:
        with pytest.raises(BadSignature):
            arrive(crm, headers)
    with pytest.raises(BadSignature):
        arrive(crm, good, BODY + b" ")
    with pytest.raises(NotFound):
        arrive(crm, good, key="other")
    with pytest.raises(Invalid):
        arrive(crm, good, b"x" * 600_000)
    assert names(crm, admin) == []
    assert arrive(crm, good)


def test_plain_hmac_and_the_event_for_rules(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    source(crm, admin, scheme="hmac_sha256", header="X-Hub-Signature-256", secret="s3cret", mapping={})
    signature = "sha256=" + hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()
    assert arrive(crm, {"x-hub-signature-256": signature})
    assert not arrive(crm, {"x-hub-signature-256": signature})
    with pytest.raises(BadSignature):
        arrive(crm, {"x-hub-signature-256": signature.upper()[:-1] + "0"})
    with crm.database.connect() as connection:
        found = connection.scalars(select(core_outbox.c.name)).all()
    assert found.count("hooks.site.received") == 1


def test_sources_and_secrets_are_checked(crm: Crm, admin: Actor, clock: FixedClock, make_user: MakeUser) -> None:
    wrong = [
        ({"key": "Site!"}, "key"), ({"scheme": "none"}, "scheme"), ({"scheme": "hmac_sha256"}, "header"),
        ({"mapping": {"entity": "crm.x"}}, "mapping.entity"),
        ({"mapping": MAPPING | {"values": {"colour": "red"}, "match": []}}, "mapping.values.colour"),
        ({"mapping": MAPPING | {"match": ["city"]}}, "mapping.match"),
    ]  # fmt: skip
    for values, path in wrong:
        with pytest.raises(Invalid) as refused:
            source(crm, admin, **values)
        assert [error.path for error in refused.value.errors] == [path]
    with pytest.raises(Forbidden):
        source(crm, make_user("user"))
    sealed = Vault(KEY).seal("hello", "one")
    assert Vault(KEY).open(sealed, "one") == "hello"
    assert b"hello" not in base64.b64decode(sealed)
    for vault, purpose in ((Vault(KEY + "x"), "one"), (Vault(KEY), "two")):
        with pytest.raises(ConfigurationError):
            vault.open(sealed, purpose)
    with pytest.raises(ConfigurationError):
        Vault("").seal("hello", "one")
