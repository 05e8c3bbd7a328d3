"""Ports are provided by key, with capabilities, by plugins that may be switched off, not set up, or broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any, Protocol

import pytest

from gigacore import Crm, Job, Plugin, PluginError, ports
from gigacore.errors import Declined, Unavailable, Unsure
from gigacore.ports import Follower
from gigacore.webhooks import InboundSource


class Lamp(Protocol):
    """A port that a test defines."""

    def shine(self) -> str: ...


class Plain:
    capabilities = frozenset({"white"})

    def __init__(self, crm: Any = None) -> None:
        self.crm = crm

    def shine(self) -> str:
        return "white"


class Coloured(Plain):
    capabilities = frozenset({"white", "red"})


Enable = Callable[..., Crm]


@pytest.fixture
def enable(crm: Crm) -> Enable:
    from gigacore.plugins.discovery import given

    def enabled(*plugins: Plugin, strict: bool = True) -> Crm:
        crm.settings = replace(crm.settings, strict=strict)
        crm.plugins.candidates = {**crm.plugins.candidates, **{one.name: one for one in given(plugins)}}
        for one in plugins:
            crm.enable(one.name)
        return crm

    return enabled


def test_several_are_found_by_key_and_by_what_they_can(enable: Enable) -> None:
    red = Coloured()
    crm = enable(Plugin("attic", provides={Lamp: Plain()}), Plugin("shop", provides={Lamp: {"red": red, "b": Plain()}}))
    assert list(crm.services(Lamp)) == ["attic", "shop.red", "shop.b"]
    assert crm.service(Lamp, key="shop.red") is red
    assert crm.service(Lamp, "red") is red
    assert crm.service(Lamp, "red", key="attic") is None
    assert list(crm.services(Lamp, "white", "red")) == ["shop.red"]
    assert crm.service(Lamp, "infrared") is None
    crm.disable("shop")
    assert list(crm.services(Lamp)) == ["attic"]


def test_a_class_or_function_is_called_with_the_installation_once_per_start(enable: Enable) -> None:
    crm = enable(
        Plugin("attic", provides={Lamp: Plain}), Plugin("shop", provides={Lamp: {"red": lambda c: Coloured(c)}})
    )
    made = crm.services(Lamp)
    assert [getattr(one, "crm", None) for one in made.values()] == [crm, crm]
    assert list(crm.services(Lamp).values()) == list(made.values()), "the same ones"
    crm.start()
    assert crm.service(Lamp) is not made["attic"]


def test_two_that_ask_at_once_get_the_same_one_and_hold_nobody_up(enable: Enable) -> None:
    both = Barrier(2, timeout=10)

    def slow(crm: Crm) -> Plain:
        both.wait()
        return Plain(crm)

    crm = enable(Plugin("attic", provides={Lamp: slow}))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: crm.service(Lamp), range(2))
    assert first is second is crm.service(Lamp)


def test_what_is_not_set_up_is_not_there_until_it_is(enable: Enable) -> None:
    set_up: list[Plain] = []
    crm = enable(Plugin("attic", provides={Lamp: lambda crm: set_up[0] if set_up else None}))
    assert crm.service(Lamp) is None
    set_up.append(Plain())
    assert crm.service(Lamp) is set_up[0]


def test_one_that_cannot_be_made_is_left_out_and_told(enable: Enable) -> None:
    def broken(crm: Crm) -> Plain:
        raise ValueError("no bulb")

    attic = Plugin("attic", provides={Lamp: broken}, inbound=[broken])  # type: ignore[list-item]
    crm = enable(attic, Plugin("shop", provides={Lamp: Plain()}), strict=False)
    assert list(crm.services(Lamp)) == ["shop"]
    told = {(one.plugin, one.place, one.error) for one in crm.calls.faults.read()}
    assert {("attic", "provides"), ("attic", "inbound")} == {(plugin, place) for plugin, place, _ in told}
    assert all("no bulb" in error for _, _, error in told)
    crm.settings = replace(crm.settings, strict=True)
    with pytest.raises(ValueError, match="no bulb"):
        crm.start()


def test_a_name_that_cannot_be_a_key_is_refused() -> None:
    with pytest.raises(PluginError):
        Plugin("attic", provides={Lamp: {"Red lamp": Plain()}})


def test_followers_hear_of_their_port_and_no_other(enable: Enable) -> None:
    heard: list[Any] = []

    def look(run: Any, payload: Any) -> None:
        heard.append((dict(payload), run.host.service(Lamp, key=payload["provider"]).shine()))

    crm = enable(
        Plugin("shop", provides={Lamp: Plain()}),
        Plugin(
            "house", jobs=[Job("house.look", look, long=True, system="look")], declares=[Follower(Lamp, "house.look")]
        ),
    )
    with crm.system("a message came") as ctx:
        crm.announce(ctx, Lamp, "shop", "l-1")
        crm.announce(ctx, ports.Payments, "shop", "p-1")
    crm.jobs.run_pending()
    assert heard == [({"provider": "shop", "id": "l-1"}, "white")]


def test_a_source_may_be_made_with_the_installation_and_knows_the_path(enable: Enable) -> None:
    seen: list[Any] = []

    def source(crm: Crm) -> InboundSource:
        def verify(raw: bytes, headers: Any) -> None:
            seen.append((crm.settings.public_url, headers[":path"]))

        return InboundSource("lamps", verify, lambda raw, headers: "1", lambda ctx, message: None)

    crm = enable(Plugin("shop", inbound=[source]))
    with crm.system("message") as ctx:
        crm.webhooks.receive(ctx, "lamps", "account-7", {":path": "/forged"}, b"")
    assert seen == [(crm.settings.public_url, "/hooks/lamps/account-7")]


def test_of_two_senders_with_one_name_the_second_is_told(enable: Enable) -> None:
    def sender() -> InboundSource:
        return InboundSource("lamps", lambda raw, headers: None, lambda raw, headers: "1", lambda ctx, message: None)

    first = sender()
    crm = enable(Plugin("attic", inbound=[first]), Plugin("shop", inbound=[lambda _: sender()]), strict=False)
    assert crm.webhooks.declared["lamps"] is first
    assert {(one.plugin, one.place) for one in crm.calls.faults.read()} == {("shop", "inbound")}


@pytest.mark.parametrize(
    ("error", "state", "seconds"),
    [
        (Unavailable("busy", retry_after=600), "queued", 600),
        (Unavailable("busy"), "queued", 10),
        (Declined("no"), "dead", None),
        (Unsure(), "dead", None),
    ],
)
def test_jobs_tell_what_is_for_now_from_what_is_for_good(
    enable: Enable, error: Exception, state: str, seconds: int | None
) -> None:
    def fail(ctx: Any, payload: Any) -> None:
        raise error

    crm = enable(Plugin("shop", jobs=[Job("shop.buy", fail, system="buy")]))
    with crm.system("buy") as ctx:
        number = crm.jobs.enqueue(ctx, "shop.buy")
    before = crm.clock.now()
    crm.jobs.run_pending()
    with crm.database.connect() as connection:
        from gigacore.jobs import core_job

        row = connection.execute(core_job.select().where(core_job.c.id == number)).one()
    assert row.state == state
    if seconds is not None:
        wait = row.run_at - before
        assert timedelta(seconds=seconds - 1) <= wait <= timedelta(seconds=seconds + 30)


def test_the_ports_cost_nothing_until_one_is_asked_for() -> None:
    code = "import sys; {}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    run = [sys.executable, "-c", code.format("import gigacore.ports")]
    found = set(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split())
    assert "sqlalchemy" not in found
    run[-1] = code.format("from gigacore.ports import Payments, PdfMaker, Telephony, Follower")
    assert "sqlalchemy" not in subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    run[-1] = code.format("from gigacore.ports import MailSender")
    assert "sqlalchemy" in subprocess.run(run, capture_output=True, text=True, check=True).stdout.split(), "the control"
    assert sorted(ports.__all__) == ports.__all__
    assert all(hasattr(ports, name) for name in ports.__all__)
