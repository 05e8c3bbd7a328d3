"""Server processes for the benchmark, and a client that times requests on one connection."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START: Final = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    pid: int
    started_in: float

    def memory(self) -> float:
        """Resident megabytes of the process that answers; gunicorn's own is the same on both sides."""
        return max(resident(pid) for pid in [self.pid, *_children(self.pid)]) / 1024

    def busy(self) -> float:
        """The seconds of processor that gunicorn and the process that answers have taken: no other work is in them."""
        return sum(_busy(pid) for pid in [self.pid, *_children(self.pid)])

    def client(self, headers: Mapping[str, str]) -> Client:
        """A client on one connection."""
        return Client(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), dict(headers), self)


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests over one connection that is kept open."""

    connection: http.client.HTTPConnection
    headers: dict[str, str]
    server: Server

    def send(
        self, method: str, path: str, body: bytes | None = None, more: Mapping[str, str] = {}
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self.connection.request(method, path, body, {**self.headers, **more})
        answer = self.connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def serving(app: str, environment: Mapping[str, str], cwd: Path) -> Iterator[Server]:
    """One process with one thread, behind gunicorn."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-k",
        "gthread",
        "-w",
        "1",
        "--threads",
        "1",
        "-b",
        f"127.0.0.1:{port}",
    ]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--keep-alive", "60", "--log-level", "error", app], env={**os.environ, **environment}, cwd=cwd
    )
    try:
        _wait(port, process)
        yield Server(port, process.pid, time.perf_counter() - begun)
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit("the server ended at once")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _busy(pid: int) -> float:
    """Of all its threads; Linux counts in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def resident(pid: int, what: str = "VmRSS:") -> float:
    """Resident kilobytes of a process, now or (`VmHWM:`) at most so far; 0 when it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return float(line.split()[1])
    return 0.0
