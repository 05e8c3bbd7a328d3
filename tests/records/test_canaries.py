"""Erasing a person: words that stood everywhere about them are nowhere afterwards, and the chain still verifies."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from gigacore import Actor, Crm, customfields, mail, records
from gigacore.clock import FixedClock
from gigacore.data import activities, audit
from gigacore.data.tables import core_activity
from gigacore.files import service as files
from gigacore.records import erasing
from gigacore.webhooks import signing

KEY = "k3Jx9-0aQwErTyUiOpAsDfGhJkLzXcVb"
CANARIES = [f"canary{number:02}zq" for number in range(20)]
LEAD = {
    "first_name": CANARIES[0], "last_name": CANARIES[1], "email": f"{CANARIES[2]}@example.test",
    "company_name": CANARIES[3], "city": CANARIES[4], "description": CANARIES[5], "x_secret": CANARIES[6],
    "job_title": CANARIES[7], "website": f"https://{CANARIES[10]}.example", "country": CANARIES[11],
}  # fmt: skip
ADDRESS = LEAD["email"]
PLACES = {
    "core_activity", "core_audit_value", "core_consent", "core_file", "core_hook_delivery", "core_inbox", "core_mail",
    "core_notice", "core_rule_run", "crm_lead", "crm_note",
}  # fmt: skip
SENT = "mail"
"""The folder that stands for the mailboxes of others where no mail server is set: what is there has left."""


@pytest.fixture
def clock(crm: Crm) -> FixedClock:
    crm.settings = replace(crm.settings, encryption_key=KEY, outbound_allow=("127.0.0.1",))
    vars(crm).pop("outbound", None)
    crm.database.clock = crm.clock = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
    crm.start()
    return crm.clock


def filled(crm: Crm, admin: Actor) -> int:
    """A lead with one of the words at every place that keeps something of it; gives its number."""
    mailing = {"do": "core.send_mail", "with": {"subject": "{{ record.last_name }}", "text": "{{ record.city }}"}}
    telling = {"do": "core.notify", "with": {"text": "{{ record.last_name }} {{ record.city }}"}}
    rule = {"entity": "crm.lead", "trigger": {"kind": "core.created"}, "steps": [mailing, telling]}
    with crm.unit_of_work(admin) as ctx:
        customfields.define(ctx, {"entity": "crm.lead", "key": "x_secret", "kind": "text", "label": "Secret"})
        crm.automation.switch(ctx, crm.automation.create(ctx, "Welcome", rule).id, active=True)
        crm.webhooks.subscribe(ctx, "crm.lead.created", "http://127.0.0.1:9/hook")
    crm.refresh()
    number = _by_hook(crm, admin)
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.lead", number, LEAD)
        records.create(ctx, "crm.note", {"title": "Said", "lead_id": number, "category": "note", "text": CANARIES[12]})
        activities.log(ctx, "crm.call", CANARIES[13], [("crm.lead", number)], summary=CANARIES[14])
        stored = files.register(ctx, crm.storage.write_stream(io.BytesIO(CANARIES[15].encode())), f"{CANARIES[16]}.txt")
        files.attach(ctx, stored.uid, "crm.lead", number)
        mail.send(ctx, ADDRESS, "Hello", CANARIES[19], records=[("crm.lead", number)])
        mail.note(ctx, "crm.lead", number, ADDRESS, "marketing", allowed=True, source=CANARIES[17])
    crm.jobs.run_pending()
    return number


def _by_hook(crm: Crm, admin: Actor) -> int:
    """The lead comes from a form of the website."""
    values = {"last_name": "{{ body.name }}", "email": "{{ body.email }}", "city": "{{ body.city }}"}
    mapping = {"entity": "crm.lead", "values": values, "match": ["email"]}
    with crm.unit_of_work(admin) as ctx:
        _, secret = crm.webhooks.add_source(ctx, key="site", name="Site", mapping=mapping)
    raw = json.dumps({"name": CANARIES[8], "email": ADDRESS, "city": CANARIES[9], "wish": CANARIES[18]}).encode()
    with crm.system("hook") as ctx:
        crm.webhooks.receive(ctx, "in", "site", signing.headers([secret], "m1", crm.clock.now(), raw), raw)
    crm.jobs.run_pending()
    with crm.read(admin) as ctx:
        (found,) = records.page(ctx, "crm.lead", records.ListRequest()).items
    return int(found["id"])


def hits(crm: Crm) -> set[tuple[str, str]]:
    """Where each of the words stands: tables of the database, and files of the installation."""
    found = {(table, word) for table, text in contents(crm) for word in CANARIES if word.encode() in text}
    for path in Path(crm.settings.data_dir).rglob("*"):
        if path.is_file() and ".sqlite" not in path.name:
            text = (path.name + " ").encode() + path.read_bytes()
            found |= {(path.parent.name, word) for word in CANARIES if word.encode() in text.lower()}
    return found


def contents(crm: Crm) -> Iterator[tuple[str, bytes]]:
    """Every table with all its values as they are stored, in lower case."""
    with crm.database.system_connection("a test looks everywhere") as connection:
        for table in sa.inspect(connection).get_table_names():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                values = [bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row]
                yield table, b" ".join(values).lower()


def test_twenty_words_are_nowhere_after_erasing(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    number = filled(crm, admin)
    before = hits(crm)
    assert {word for _, word in before} == set(CANARIES) - {
        CANARIES[15]
    }  # so the search finds what is there; files are encrypted
    assert {table for table, _ in before} >= PLACES
    with crm.unit_of_work(admin) as ctx:
        erasing.erase(ctx, "crm.lead", number)
    crm.jobs.run_pending()
    assert {place for place, _ in hits(crm)} <= {SENT}
    with crm.database.begin() as connection:
        audit.seal(connection, clock.now())
    with crm.database.connect() as connection:
        assert audit.verify(connection) == []


def test_what_two_records_share_outlives_the_first(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    with crm.unit_of_work(admin) as ctx:
        first, second = (
            records.create(ctx, "crm.lead", {"last_name": name, "email": "two@example.test"}).id for name in ("A", "B")
        )
        mail.note(ctx, "crm.lead", first, "two@example.test", "all", allowed=False, source="by telephone")
        activities.log(ctx, "crm.call", "Both", [("crm.lead", first), ("crm.lead", second)])
    for number, left in ((first, True), (second, False)):
        with crm.unit_of_work(admin) as ctx:
            erasing.erase(ctx, "crm.lead", number)
        with crm.read(admin) as ctx:
            assert mail.may_contact(ctx, "mail", "two@example.test", "service") is not left
        with crm.database.connect() as connection:
            assert ("Both" in connection.scalars(sa.select(core_activity.c.title)).all()) is left
