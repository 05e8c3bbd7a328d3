"""Messages that come twice, late or in another order leave what the newest of them says."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigacore import Actor, Crm, records
from gigacore.clock import FixedClock
from gigacore.errors import Invalid
from gigacore.webhooks import signing

MAPPING = {
    "entity": "crm.lead",
    "values": {"last_name": "{{ body.data.name }}", "email": "{{ body.data.email }}", "city": "{{ body.data.city }}"},
    "match": ["email"],
}
PEOPLE, TIMES = ("a", "b"), 4
SESSION = [(person, turn) for person in PEOPLE for turn in range(TIMES)]
"""What a sender tells of two people, one message after the other."""

Send = Callable[[str, int, int], None]


def source(crm: Crm, admin: Actor, key: str, **values: Any) -> str:
    given = {"key": key, "name": key, "mapping": MAPPING} | values
    with crm.unit_of_work(admin) as ctx:
        return str(crm.webhooks.add_source(ctx, **given)[1])


def body(run: int, person: str, turn: int, **more: Any) -> bytes:
    data = {
        "name": f"Martin {turn}",
        "email": f"{person}{run}@example.test",
        "city": "" if turn % 2 else f"Lyon {turn}",
    }
    return json.dumps({"data": data | {"seq": 10 * turn}, **more}).encode()


def arrive(crm: Crm, key: str, headers: dict[str, str], raw: bytes) -> None:
    with crm.system("hook") as ctx:
        crm.webhooks.receive(ctx, "in", key, headers, raw)
    crm.jobs.run_pending()


def versioned(crm: Crm, admin: Actor, clock: FixedClock) -> Send:
    """A sender that numbers its messages, all sent at the same moment."""
    secret = source(crm, admin, "site", mapping=MAPPING | {"version": "body.data.seq"})

    def send(run: int, person: str, turn: int) -> None:
        raw = body(run, person, turn)
        arrive(crm, "site", signing.headers([secret], f"{run}-{person}-{turn}", clock.now(), raw), raw)

    return send


def timed(crm: Crm, admin: Actor, clock: FixedClock) -> Send:
    """A sender of Standard Webhooks that tries again: the body tells when it happened, the header when it was sent."""
    secret = source(crm, admin, "site")

    def send(run: int, person: str, turn: int) -> None:
        raw = body(run, person, turn, timestamp=(clock.now() + timedelta(milliseconds=turn)).isoformat())
        arrive(crm, "site", signing.headers([secret], f"{run}-{person}-{turn}", clock.now(), raw), raw)

    return send


def signed(crm: Crm, admin: Actor, clock: FixedClock) -> Send:
    """A sender whose messages hold no time but the signed one of their header."""
    secret = source(crm, admin, "site")

    def send(run: int, person: str, turn: int) -> None:
        raw = body(run, person, turn)
        at = clock.now() + timedelta(seconds=turn)
        arrive(crm, "site", signing.headers([secret], f"{run}-{person}-{turn}", at, raw), raw)

    return send


def plain(crm: Crm, admin: Actor, clock: FixedClock) -> Send:
    """A sender whose messages tell nothing of their order: the control."""
    source(crm, admin, "site", scheme="hmac_sha256", header="x-signature", secret="s3cret")

    def send(run: int, person: str, turn: int) -> None:
        raw = body(run, person, turn)
        arrive(crm, "site", {"x-signature": hmac.new(b"s3cret", raw, hashlib.sha256).hexdigest()}, raw)

    return send


def state(crm: Crm, admin: Actor, run: int) -> list[tuple[str, str, str | None]]:
    """Every lead of that run."""
    wanted = {"field": "email", "op": "contains", "value": f"{run}@example.test"}
    with crm.read(admin) as ctx:
        page = records.page(ctx, "crm.lead", records.ListRequest(wanted, ("email",), ("email", "last_name", "city")))
    return sorted((one["email"].replace(str(run), ""), one["last_name"], one["city"]) for one in page.items)


MANY = 34
"""Three senders on two databases: two hundred orders in all."""
RUNS: Iterator[int] = count(1000)
NEWEST = [(f"{person}@example.test", f"Martin {TIMES - 1}", None) for person in PEOPLE]

orders = st.permutations(SESSION).flatmap(
    lambda order: st.lists(st.sampled_from(SESSION), max_size=4).map(lambda again: [*order, *again])
)
slower = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("sender", [versioned, timed, signed])
@pytest.mark.parametrize("many", [6, pytest.param(MANY, marks=pytest.mark.slow)])
def test_every_order_ends_with_the_newest(
    crm: Crm, admin: Actor, clock: FixedClock, sender: Callable[..., Send], many: int
) -> None:
    send = sender(crm, admin, clock)

    @settings(slower, max_examples=many)
    @given(orders)
    def tries(order: list[tuple[str, int]]) -> None:
        run = next(RUNS)
        for person, turn in order:
            send(run, person, turn)
        assert state(crm, admin, run) == NEWEST

    tries()


def test_without_any_version_the_order_of_arrival_decides(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    send = plain(crm, admin, clock)
    for run, order in ((1, SESSION), (2, SESSION[::-1])):
        for person, turn in order:
            send(run, person, turn)
    assert state(crm, admin, 1) == NEWEST
    assert state(crm, admin, 2) != NEWEST  # so the orders above do differ, and the version is what mends them


def test_a_late_message_is_kept_and_says_so(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    send = versioned(crm, admin, clock)
    send(1, "a", 3)
    send(1, "a", 1)
    with crm.read(admin) as ctx:
        late, first = crm.webhooks.inbox(ctx)
    assert first.result is not None
    assert first.result["created"] is True
    assert (late.state, late.result) == ("done", {"entity": "crm.lead", "id": first.result["id"], "late": True})


def test_a_message_without_its_version_fails_and_changes_nothing(crm: Crm, admin: Actor, clock: FixedClock) -> None:
    secret = source(crm, admin, "site", mapping=MAPPING | {"version": "body.data.seq"})
    for number, value in enumerate((None, "", "soon", True, [], {}, "NaN", "1e999999999", "9" * 80)):
        raw = json.dumps({"data": {"name": "M", "email": "a@example.test", "city": "", "seq": value}}).encode()
        arrive(crm, "site", signing.headers([secret], f"m{number}", clock.now(), raw), raw)
    with crm.read(admin) as ctx:
        arrived = crm.webhooks.inbox(ctx)
        found = records.page(ctx, "crm.lead", records.ListRequest()).items
    assert {one.state for one in arrived} == {"failed"}
    assert found == []


@pytest.mark.parametrize("version", ["seq", "body", "body.a..b", "{{ body.seq }}", 3, "body." + "x" * 80])
def test_a_version_must_be_a_place_in_the_message(crm: Crm, admin: Actor, version: Any) -> None:
    with pytest.raises(Invalid) as refused:
        source(crm, admin, "site", mapping=MAPPING | {"version": version})
    assert [error.path for error in refused.value.errors] == ["mapping.version"]


def test_a_version_needs_a_record_to_be_found_again(crm: Crm, admin: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        source(crm, admin, "site", mapping=MAPPING | {"version": "body.seq", "match": []})
    assert [error.path for error in refused.value.errors] == ["mapping.version"]
