"""What leaves the installation reaches public addresses only, however a private one is written."""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gigacore import outbound
from gigacore.errors import ConfigurationError
from gigacore.outbound import OutboundRule, Refused, Unreachable
from gigacore.outbound.rule import is_public

PRIVATE = [
    "127.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "0",
    "0.0.0.0", "localhost", "localhost.", "LOCALHOST", "127.0.0.1.", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1",
    "[::1]",
    "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::]", "[fe80::1]", "[fc00::1]", "[fd00::1]", "[ff02::1]", "[::ffff:0:127.0.0.1]", "[100::1]",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.254", "100.64.0.1",
    "169.254.169.254", "169.254.170.2", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "user@127.0.0.1", "good.example@127.0.0.1", "127.0.0.1:6379", "127.0.0.1:22", "[::1]:5432",
]  # fmt: skip
assert len(PRIVATE) >= 60


class Peer(ThreadingHTTPServer):
    """A server on loopback that notes who called."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Peer

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        self.server.calls.append(self.path)
        if self.path == "/hang":
            time.sleep(5)
        self.send_response(302 if self.path == "/redirect" else 200)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        with contextlib.suppress(OSError):
            if self.path == "/endless":
                while True:
                    self.wfile.write(b"x" * 65536)
            if self.path == "/drip":
                for _ in range(50):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
            self.wfile.write(b"hello")


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("host", PRIVATE)
def test_no_spelling_of_a_private_address_is_reached(host: str) -> None:
    with pytest.raises((Refused, Unreachable)) as refused:
        outbound.call(OutboundRule(), "POST", f"http://{host}/", seconds=2)
    # Refused before any packet: a mere failure to connect would leave open whether it was tried.
    assert isinstance(refused.value, Refused) or "cannot be read" in str(refused.value)


def test_a_private_peer_hears_nothing_unless_it_is_allowed(peer: Peer) -> None:
    with pytest.raises(Refused):
        outbound.call(OutboundRule(), "POST", f"{peer.url}/ok")
    assert peer.calls == []
    for entry in ("127.0.0.1", f"127.0.0.1:{peer.server_port}", "127.0.0.0/8"):
        answer = outbound.call(OutboundRule.of([entry]), "POST", f"{peer.url}/ok", body=b"x")
        assert (answer.status, answer.body) == (200, b"hello")
    with pytest.raises(Refused):
        outbound.call(OutboundRule.of(["127.0.0.1:1"]), "POST", f"{peer.url}/ok")
    assert peer.calls == ["/ok"] * 3


def test_a_name_that_points_inside_or_changes_its_mind_is_refused(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = socket.getaddrinfo, []

    def changing(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        answer = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return real(answer, *args, **options) if host == "rebinding.example" else real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    rule = OutboundRule()
    first = rule.resolve("rebinding.example", 80)
    assert [address for _, address in first] == ["93.184.215.14"]
    with pytest.raises(Refused):
        rule.connect("rebinding.example", 80, 1)
    assert asked == ["rebinding.example"] * 2


def test_redirects_are_answers_and_bounds_hold(peer: Peer) -> None:
    rule = OutboundRule.of(["127.0.0.1"])
    assert outbound.call(rule, "POST", f"{peer.url}/redirect").status == 302
    assert peer.calls == ["/redirect"]
    assert len(outbound.call(rule, "POST", f"{peer.url}/endless", max_bytes=100_000).body) == 100_000
    for path in ("/hang", "/drip"):  # the second sends a byte every tenth of a second, for five
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"in time|read"):
            outbound.call(rule, "POST", f"{peer.url}{path}", seconds=0.5)
        assert time.monotonic() - started < 4


def test_ports_schemes_and_settings() -> None:
    with pytest.raises(Refused, match="Port 6379"):
        OutboundRule().resolve("example.test", 6379)
    for url in ("file:///etc/passwd", "gopher://example.test/", "http://", "http://[", "http://a b/"):
        with pytest.raises((Refused, Unreachable)):
            outbound.call(OutboundRule(), "POST", url)
    with pytest.raises(ConfigurationError):
        OutboundRule.of(["10.0.0.0/99"])


def test_public_addresses_pass() -> None:
    for text in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"):
        assert is_public(ipaddress.ip_address(text))
