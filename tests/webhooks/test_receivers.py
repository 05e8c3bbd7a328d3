"""F16: receivers that are slow, hang, fail, talk nonsense or never end: bounded, and nobody else waits for them."""

from __future__ import annotations

import contextlib
import datetime as dates
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gigacore import Actor, Crm, Plugin, outbound, records
from gigacore.clock import FixedClock
from gigacore.jobs import Job, core_job
from gigacore.jobs.worker import Declared
from gigacore.outbound import OutboundRule, Unreachable
from gigacore.webhooks import outgoing, pacing
from tests.jobs.brokers import wait_for
from tests.webhooks.conftest import Receiver
from tests.webhooks.test_webhooks import log, subscribe

RULE = OutboundRule.of(("127.0.0.1",))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MEGABYTE = bytes(1024 * 1024)
SENT: list[int] = []


def hang(peer: socket.socket) -> None:
    time.sleep(30)


def drip(peer: socket.socket) -> None:
    peer.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(100):
        peer.sendall(b"x")
        time.sleep(0.3)


def drip_head(peer: socket.socket) -> None:
    for byte in HEAD * 10:
        peer.sendall(bytes([byte]))
        time.sleep(0.3)


def half(peer: socket.socket) -> None:
    peer.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")


def gigabyte(peer: socket.socket) -> None:
    peer.sendall(HEAD + b"Content-Length: 1073741824\r\n\r\n")
    SENT.append(0)
    for _ in range(1024):
        peer.sendall(MEGABYTE)
        SENT[-1] += 1


def nonsense(peer: socket.socket) -> None:
    peer.sendall(b"\x00\xff\x00garbage\r\n\r\n")


def not_json(peer: socket.socket) -> None:
    peer.sendall(HEAD + b"Content-Length: 3\r\n\r\n<a>")


@contextlib.contextmanager
def peer(behave: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that reads a request and behaves so; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer, args=(listening, behave, context), daemon=True).start()
        yield listening.getsockname()[1]


def answer(listening: socket.socket, behave: Callable[[socket.socket], None], context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):
        while True:
            made, _ = listening.accept()
            threading.Thread(target=one, args=(made, behave, context), daemon=True).start()


def one(made: socket.socket, behave: Callable[[socket.socket], None], context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), made:
        wrapped = made if context is None else context.wrap_socket(made, server_side=True)
        wrapped.recv(65536)
        behave(wrapped)


def call(port: int, scheme: str = "http", seconds: float = 1.0) -> outbound.Answer:
    return outbound.call(RULE, "POST", f"{scheme}://127.0.0.1:{port}/", body=b"{}", seconds=seconds)


@pytest.mark.parametrize("behave", [hang, drip, drip_head, half, nonsense], ids=lambda one: one.__name__)
def test_what_is_no_answer_ends_as_one(behave: Callable[[socket.socket], None]) -> None:
    with peer(behave) as port:
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            call(port)
        assert time.monotonic() - begun < 15, "a hang, not a measurement"


def test_without_the_deadline_a_dripping_answer_holds_whoever_reads_it() -> None:
    """The control: a time-out per read is none."""

    def read() -> None:
        with contextlib.suppress(requests.RequestException):
            requests.post(f"http://127.0.0.1:{port}/", timeout=1)

    with peer(drip) as port:
        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        reading.join(3)
        assert reading.is_alive()


def test_an_answer_without_end_is_cut() -> None:
    SENT.clear()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with peer(gigabyte) as port:
        answered = call(port, seconds=20)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(answered.body) == outbound.http.MAX_BYTES
    assert SENT[0] < 64, "the rest was not even read"
    assert grown < 64


def test_what_the_answer_says_does_not_matter_where_nobody_reads_it() -> None:
    with peer(not_json) as port:
        assert (call(port).status, call(port).body) == (200, b"<a>")


def certificate(folder: Path) -> ssl.SSLContext:
    """One that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dates.datetime.now(dates.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dates.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "both.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_a_certificate_that_cannot_be_trusted_is_not(tmp_path: Path) -> None:
    said: list[bytes] = []
    with peer(lambda made: said.append(b"heard"), certificate(tmp_path)) as port:
        with pytest.raises(Unreachable, match="certificate"):
            call(port, "https", seconds=5)
        with pytest.raises(Unreachable):
            call(port, "http", seconds=5)
    assert said == []


@pytest.fixture
def plugins() -> list[Plugin]:
    return [Plugin("demo", jobs=[Job("demo.short", lambda ctx, payload: None, system="test")])]


@pytest.mark.slow
@pytest.mark.parametrize("lane", [True, False], ids=["guard", "control"])
def test_receivers_that_hang_hold_nobody_up(
    crm: Crm, admin: Actor, monkeypatch: pytest.MonkeyPatch, lane: bool
) -> None:
    """Six hang, and short work goes on: one thread takes nothing else. Without it all threads wait for receivers."""
    monkeypatch.setattr(outgoing, "SECONDS", 8.0)
    crm.webhooks.rule = RULE
    if not lane:
        monkeypatch.setattr(Declared, "long_jobs", ())
    with peer(hang) as port:
        for number in range(6):
            subscribe(crm, admin, f"http://127.0.0.1:{port}/{number}")
        with crm.unit_of_work(admin) as ctx:
            records.create(ctx, "crm.lead", {"last_name": "Martin"})
        crm.jobs.start("embedded")
        wait_for(lambda: in_state(crm, outgoing.JOB, "running") == (1 if lane else 2), 30, "receivers that hang")
        with crm.unit_of_work(admin) as ctx:
            crm.jobs.enqueue(ctx, "demo.short", system="test")
        time.sleep(3)
        done = in_state(crm, "demo.short", "done")
        crm.jobs.stop()
    assert done == (1 if lane else 0)


def in_state(crm: Crm, name: str, state: str) -> int:
    with crm.database.connect() as connection:
        found = sa.select(sa.func.count()).where(core_job.c.name == name, core_job.c.state == state)
        return int(connection.scalar(found) or 0)


@pytest.mark.parametrize("breaker", [True, False], ids=["guard", "control"])
def test_a_receiver_that_fails_is_left_alone_until_it_answers(
    crm: Crm, admin: Actor, clock: FixedClock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, breaker: bool
) -> None:
    if not breaker:
        monkeypatch.setattr(pacing, "MOST_FAILING", 10**6)
    hook, _ = subscribe(crm, admin, receiver.url)
    receiver.answers = [(500, {})] * 100
    for number in range(20):
        with crm.unit_of_work(admin) as ctx:
            records.create(ctx, "crm.lead", {"last_name": f"Martin {number}"})
    crm.jobs.run_pending()
    assert len(receiver.got) == (pacing.MOST_FAILING if breaker else 20)
    assert {one.state for one in log(crm, admin, hook)} == {"waiting"}
    receiver.answers.clear()
    for _ in range(3):
        clock.advance(dates.timedelta(seconds=30))
        crm.jobs.run_pending()
    assert {one.state for one in log(crm, admin, hook)} == {"done"}
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 20
