"""A receiver of web hooks on loopback, and an application that may reach it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gigacore import Crm
from gigacore.clock import FixedClock

KEY = "k3Jx9-0aQwErTyUiOpAsDfGhJkLzXcVb"


class Receiver(ThreadingHTTPServer):
    """A receiver on loopback: keeps what it gets and answers as told."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (200, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def clock(crm: Crm) -> FixedClock:
    crm.settings = replace(crm.settings, outbound_allow=("127.0.0.1",), encryption_key=KEY)
    vars(crm).pop("outbound", None)
    found = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
    crm.database.clock = crm.clock = found
    crm.start()
    return found
