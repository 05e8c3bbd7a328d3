"""A server of its own meets hostile requests: each is refused, none costs memory, and the next one is fine."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from gigacore import Crm
from gigacore.testing.databases import settings
from tests.jobs.brokers import free_port
from tests.jobs.sites import site_on

LEADS = "/api/v1/crm/leads"
MB = 1024 * 1024
FORM = "multipart/form-data; boundary=B"
PIECE = b"a" * 65_536
FILE = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
GROWTH = 50 * MB


@dataclass(frozen=True)
class Target:
    """A running server with one lead, and the token of its owner."""

    port: int
    token: str
    folder: Path
    process: int

    def send(self, head: str, body: Iterable[bytes] = ()) -> int:
        """The status that a request as written is answered with; 0 = the connection was closed without a word."""
        sent = f"{head}\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as line:
            with suppress(ConnectionError):  # the server may answer before it has heard everything
                for piece in _chain([sent.encode("latin-1")], body):
                    line.sendall(piece)
            answer = http.client.HTTPResponse(line)
            try:
                answer.begin()
            except (ConnectionError, http.client.BadStatusLine):
                return 0
            return answer.status

    def post(self, body: str) -> int:
        """JSON sent to the leads."""
        raw = body.encode()
        return self.send(
            f"POST {LEADS} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}", (raw,)
        )

    def upload(self, size: int) -> int:
        """A file of so many bytes for the lead."""
        pieces = (PIECE for _ in range(size // len(PIECE)))
        length = len(FILE) + size // len(PIECE) * len(PIECE) + 9
        head = f"POST {LEADS}/1/files HTTP/1.1\r\nContent-Type: {FORM}"
        return self.send(f"{head}\r\nContent-Length: {length}", _chain([FILE], pieces, [b"\r\n--B--\r\n"]))

    def in_pieces(self, path: str, kind: str, size: int, first: bytes = b" ") -> int:
        """A body without a length."""
        head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked"
        pieces = (b"10000\r\n" + PIECE + b"\r\n" for _ in range(size // len(PIECE)))
        return self.send(head, _chain([b"%x\r\n%s\r\n" % (len(first), first)], pieces, [b"0\r\n\r\n"]))

    def memory(self) -> int:
        """Resident bytes of the process that answers."""
        worker = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()[0]
        return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def left_over(self) -> list[str]:
        """Files of requests that are still there after their end."""
        folder = self.folder / "incoming"
        return os.listdir(folder) if folder.exists() else []


def _chain(*parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from part


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'giga.sqlite3'}"
    with Crm(settings(url, folder), plugins=()) as crm:
        crm.upgrade()
    with site_on(url, folder) as site:
        port = free_port()
        process = site.serve(port)
        found = Target(port, site.token, folder, process.pid)
        assert found.post('{"last_name": "Martin"}') == 201, "the control: a proper request is served"
        yield found


Attack = Callable[[Target], int]
BODIES: dict[str, Attack] = {
    "a million keys": lambda t: t.post("{" + ",".join(f'"k{n}":1' for n in range(1_000_000)) + "}"),
    "many keys in an allowed size": lambda t: t.post("{" + ",".join(f'"k{n}":1' for n in range(200_000)) + "}"),
    "ten thousand levels": lambda t: t.post("[" * 10_000 + "]" * 10_000),
    "ten thousand objects": lambda t: t.post('{"a":' * 10_000 + "1" + "}" * 10_000),
    "not a number": lambda t: t.post('{"amount": NaN}'),
    "beyond a float": lambda t: t.post('{"amount": 1e400}'),
    "lone surrogate": lambda t: t.post('{"last_name": "\\ud800"}'),
    "NUL": lambda t: t.post('{"last_name": "a\\u0000b"}'),
    "101 MB": lambda t: t.upload(101 * MB),
    "101 MB of JSON without a length": lambda t: t.in_pieces(LEADS, "application/json", 101 * MB),
    "a table without a length": lambda t: t.in_pieces(f"{LEADS}/imports", "text/csv", 201 * MB),
    "a file without a length": lambda t: t.in_pieces(f"{LEADS}/1/files", FORM, 101 * MB, FILE),
    "a hundred thousand parts": lambda t: parts(t, f"{LEADS}/1/files"),
    "a hundred thousand parts for a page": lambda t: parts(t, "/crm/leads/new"),
}  # fmt: skip
LINES: dict[str, str] = {
    "64 kB header": f"GET /healthz HTTP/1.1\r\nX-A: {'a' * 65_536}",
    "64 kB cookie": f"GET / HTTP/1.1\r\nCookie: giga={'a' * 65_536}",
    "five hundred headers": "GET / HTTP/1.1\r\n" + "\r\n".join(f"X-{n}: a" for n in range(500)),
    "9 kB path": f"GET /{'a' * 9000} HTTP/1.1",
    "8 kB path": f"GET /{'a' * 8000} HTTP/1.1",
    "dot": "GET /./ HTTP/1.1",
    "NUL in a path": "GET /%00 HTTP/1.1",
    "NUL in a record": f"GET {LEADS}/%00 HTTP/1.1",
    "NUL in a filter": f"GET {LEADS}?filter=%00 HTTP/1.1",
    "NUL in a list": "GET /crm/leads?sort=%00 HTTP/1.1",
    "two slashes": "GET /api/v1//crm/leads HTTP/1.1",
    "climbing": "GET /..%2f..%2fetc/passwd HTTP/1.1",
    "no UTF-8": "GET /%ff%fe HTTP/1.1",
    "raw bytes": "GET /\xff\xfe HTTP/1.1",
    "a number beyond any key": f"GET {LEADS}/99999999999999999999 HTTP/1.1",
    "unknown method": "BREW / HTTP/1.1",
    "negative length": f"POST {LEADS} HTTP/1.1\r\nContent-Length: -1",
    "two lengths": f"POST {LEADS} HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
}


def parts(target: Target, path: str) -> int:
    part = b'--B\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n1\r\n'
    body = b"".join(part % number for number in range(100_000)) + b"--B--\r\n"
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {FORM}"
    return target.send(f"{head}\r\nContent-Length: {len(body)}", (body,))


def refused(status: int) -> bool:
    return status == 0 or 400 <= status < 500


def healthy(target: Target) -> bool:
    return target.send("GET /api/v1/crm/leads/1 HTTP/1.1") == 200


@pytest.mark.parametrize("line", LINES)
def test_a_hostile_line_is_refused_and_the_next_request_is_fine(target: Target, line: str) -> None:
    assert refused(target.send(LINES[line], (b"0\r\n\r\n",)))
    assert healthy(target)


def test_pieces_that_break_the_protocol_are_the_senders_fault(target: Target) -> None:
    head = f"POST {LEADS} HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
    assert target.send(head, (b"zz\r\n",)) == 400
    assert target.send(head, (b'1a\r\n{"last_name": "In pieces"}\r\n0\r\n\r\n',)) == 201, "the control"


@pytest.mark.parametrize("attack", BODIES)
def test_a_hostile_body_is_refused_without_cost(target: Target, attack: str) -> None:
    before = target.memory()
    assert refused(BODIES[attack](target))
    assert target.memory() - before < GROWTH
    assert target.left_over() == []
    assert healthy(target)


@pytest.mark.slow
def test_ten_large_files_at_a_time_are_stored_piece_by_piece(target: Target) -> None:
    assert target.upload(99 * MB) == 201
    before = target.memory()
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(target.upload, [99 * MB] * 10)) == {201}
    assert target.memory() - before < GROWTH
    assert target.left_over() == []
