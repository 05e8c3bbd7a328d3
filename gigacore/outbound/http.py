"""HTTP that leaves the installation: a `requests` session behind the rule, and a call with bounds on time and size."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util import Timeout

from gigacore.messages import Msg, msg
from gigacore.outbound.rule import OutboundRule, Refused
from gigacore.values import dataclass

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
TOTAL_SECONDS: Final = 30.0
MAX_BYTES: Final = 1024 * 1024
CHUNK: Final = 16 * 1024
NO_ANSWER: Final = msg("no answer in time")


class Unreachable(Exception):
    """No answer in time, or none that could be read. `message` says why, without the answer's contents."""

    def __init__(self, message: Msg) -> None:
        self.message = message
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is cut at the limit of the call."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def session(rule: OutboundRule, opened: Callable[[socket.socket], None] | None = None) -> requests.Session:
    """A session whose connections obey the rule: no proxy, no redirect to where the rule would not let one go."""
    made = requests.Session()
    made.trust_env = False
    adapter = GuardedAdapter(rule, opened)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


class GuardedAdapter(HTTPAdapter):
    """The transport of `requests`, connecting through the rule. `opened` is told of each new socket."""

    def __init__(self, rule: OutboundRule, opened: Callable[[socket.socket], None] | None = None) -> None:
        self.rule = rule
        self.opened = opened
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As the base class, with pools whose connections ask the rule."""
        super().init_poolmanager(*args, **options)
        manager: Any = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _plain_pool(self.open), "https": _secure_pool(self.open)}

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        """A proxy would connect on its own: none is used. Raises Refused."""
        raise Refused(msg("Outgoing requests take no proxy."))

    def open(self, connection: HTTPConnection) -> socket.socket:
        """The connected socket of a connection. Raises Refused, NewConnectionError."""
        timeout = connection.timeout
        seconds = Timeout.resolve_default_timeout(timeout) if timeout is not None else None
        try:
            made = self.rule.connect(connection.host, int(connection.port or 80), seconds)
        except OSError as error:
            raise NewConnectionError(connection, f"cannot be reached: {error}") from error
        if self.opened is not None:
            self.opened(made)
        return made


Open = Callable[[HTTPConnection], socket.socket]


def _plain_pool(opening: Open) -> type[HTTPConnectionPool]:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return opening(self)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    return Pool


def _secure_pool(opening: Open) -> type[HTTPSConnectionPool]:
    class Connection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return opening(self)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def call(
    rule: OutboundRule,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = TOTAL_SECONDS,
    max_bytes: int = MAX_BYTES,
) -> Answer:
    """One request; a redirect is an answer, not followed. Raises Refused, Unreachable.

    It ends after `seconds` whatever the other side does, and reads at most `max_bytes` of the answer.
    """
    started = time.monotonic()
    with _Deadline(seconds) as deadline, session(rule, deadline.watch) as made:
        try:
            with made.request(
                method, url, data=body or None, headers=dict(headers or {}), allow_redirects=False, stream=True,
                timeout=(min(CONNECT_SECONDS, seconds), min(READ_SECONDS, seconds)),
            ) as response:  # fmt: skip
                received = _read(response, max_bytes)
                deadline.check()
        except (requests.RequestException, OSError, ValueError) as error:
            raise Unreachable(NO_ANSWER if deadline.passed else reason(error)) from error
    return Answer(response.status_code, dict(response.headers), received, time.monotonic() - started)


def _read(response: requests.Response, limit: int) -> bytes:
    found = bytearray()
    for chunk in response.iter_content(CHUNK):
        found += chunk
        if len(found) >= limit:
            break
    return bytes(found[:limit])


class _Deadline:
    """Ends the connections of a call when its time is over: one byte every few seconds is no answer either."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self.twins: list[socket.socket] = []
        self.timer = threading.Timer(seconds, self._end)
        self.timer.daemon = True

    def watch(self, sock: socket.socket) -> None:
        """Keep a second handle of the connection: TLS takes the first one away."""
        self.twins.append(sock.dup())

    def _end(self) -> None:
        self.passed = True
        for twin in list(self.twins):
            with contextlib.suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        for twin in self.twins:
            twin.close()

    def check(self) -> None:
        """Raise when the time was over before the answer was."""
        if self.passed:
            raise TimeoutError


def reason(error: BaseException) -> Msg:
    """Why a call failed, in a few words that give nothing of the inside away."""
    if isinstance(error, requests.Timeout | TimeoutError):
        return NO_ANSWER
    if isinstance(error, requests.exceptions.SSLError):
        return msg("the certificate cannot be trusted")
    if isinstance(error, requests.ConnectionError):
        return msg("no connection")
    return msg("the answer cannot be read")
