"""Word between the processes of one installation: that something was committed, and messages to open pages.

A wake-up carries no data and may be lost, late or doubled: who hears one looks into the database, which stays the
truth. Without a channel, or while it is broken, everybody looks by themselves at short distances, and messages to
pages reach those of one process only.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Final, Protocol

import orjson
import sqlalchemy as sa

from gigacore.errors import Unavailable
from gigacore.ids import uuid7
from gigacore.live import LiveMessage
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore import Crm
    from gigacore.settings import Settings

CHANNEL: Final = "giga_committed"
QUIET_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 1.0
TIMEOUT: Final = 3.0
MOST_WAITING: Final = 200
log: Final = logging.getLogger("host_app.wakeups")


class Channel(Protocol):
    """Carries short texts from any process of the installation to all of them."""

    def tell(self, text: str) -> None:
        """Send a text. Raises what the client of the channel raises."""

    def hear(self) -> Generator[str]:
        """Texts as they come; an empty one every few seconds in which none came. Raises when the channel breaks."""


class PostgresChannel:
    """NOTIFY and LISTEN on the database itself, outside any transaction of the application."""

    def __init__(self, engine: sa.Engine) -> None:
        self._telling = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._hearing = sa.create_engine(engine.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")

    def tell(self, text: str) -> None:
        """Notify whoever listens."""
        with self._telling.connect() as connection:
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, text)))

    def hear(self) -> Generator[str]:
        """Listen on a connection of its own; after silence it is asked whether it is still there."""
        with self._hearing.connect() as connection:
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
            driver = connection.connection.driver_connection
            assert driver is not None
            yield ""
            while True:
                told = [one.payload for one in driver.notifies(timeout=QUIET_SECONDS, stop_after=1)]
                if not told:
                    connection.exec_driver_sql("SELECT 1")
                yield from told or [""]


class RedisChannel:
    """Publish and subscribe on the server of `GIGA_REDIS_URL`. Raises Unavailable without the client."""

    def __init__(self, url: str, installation: str) -> None:
        try:
            import redis  # the extra `worker`
        except ImportError as error:
            raise Unavailable(
                msg("The client of Redis is not installed."),
                fix=msg("Install the extra: pip install 'gigacore[worker]'."),
            ) from error
        self._client = redis.Redis.from_url(
            url, socket_connect_timeout=TIMEOUT, socket_timeout=2 * QUIET_SECONDS, decode_responses=True
        )
        self._name = f"{CHANNEL}:{installation}"

    def tell(self, text: str) -> None:
        """Publish to whoever subscribed."""
        self._client.publish(self._name, text)

    def hear(self) -> Generator[str]:
        """Subscribe on a connection of its own; after silence it is asked whether it is still there."""
        with self._client.pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
            heard.subscribe(self._name)
            yield ""
            while True:
                told = heard.get_message(timeout=QUIET_SECONDS)
                if told is None:
                    heard.ping()
                yield "" if told is None else str(told["data"])


def channel_of(settings: Settings, engine: sa.Engine) -> Channel | None:
    """Redis where it is named, else PostgreSQL; SQLite alone has none. Raises Unavailable without Redis's client."""
    if settings.redis_url:
        return RedisChannel(settings.redis_url, settings.broker_queue)
    return PostgresChannel(engine) if engine.dialect.name == "postgresql" else None


class Wakeups:
    """Tells the other processes of commits and messages in this one; calls `heard` and `deliver` for those of others.

    `healthy` says whether the channel brings texts: also one's own count, for a proxy may let LISTEN pass and drop
    what comes.
    """

    def __init__(
        self,
        crm: Crm,
        channel: Channel | None,
        heard: Callable[[], object] | None = None,
        deliver: Callable[[LiveMessage], object] | None = None,
    ) -> None:
        self.crm = crm
        self.channel = channel
        self.heard = heard
        self.deliver = deliver
        self.healthy = False
        self._messages: deque[str] = deque(maxlen=MOST_WAITING)
        self._name = uuid7().hex
        self._news = threading.Event()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._tell, name="giga-teller", daemon=True)]
        if heard is not None:
            self._threads.append(threading.Thread(target=self._hear, name="giga-listener", daemon=True))

    @classmethod
    def of(
        cls,
        crm: Crm,
        heard: Callable[[], object] | None = None,
        deliver: Callable[[LiveMessage], object] | None = None,
    ) -> Wakeups:
        """Those of a running application. Raises Unavailable without Redis's client where Redis is named."""
        return cls(crm, channel_of(crm.settings, crm.engine), heard, deliver)

    def start(self) -> None:
        """Begin, if there is a channel."""
        if self.channel is not None:
            self.crm.database.after_commit.append(self._news.set)
            self.crm.live.carriers.append(self.carry)
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """Tell what is left and end; a listener ends with the process, or when it next hears something."""
        self._ended.set()
        self._news.set()
        if self.channel is not None:
            self._threads[0].join(TIMEOUT)

    def carry(self, message: LiveMessage) -> None:
        """Queue a message for the pages of other processes; when too many wait, the oldest is lost."""
        data = {"user_id": message.user_id, "kind": message.kind, "data": message.data}
        self._messages.append(f"{self._name} {orjson.dumps(data).decode()}")
        self._news.set()

    def _tell(self) -> None:
        """One text for all commits since the last one, from a thread of its own: no request waits for it."""
        while not self._ended.is_set():
            self._news.wait()
            self._news.clear()
            try:
                while self._messages:
                    self._channel.tell(self._messages.popleft())
                self._channel.tell(self._name)
            except Exception as error:  # noqa: BLE001 - a wake-up is worth nothing by itself: others look anyway
                log.debug("others could not be woken: %s", error)
                if not self._ended.wait(AGAIN_SECONDS):
                    self._news.set()

    def _hear(self) -> None:
        while not self._ended.is_set():
            try:
                with contextlib.closing(self._channel.hear()) as texts:
                    self._follow(texts)
            except Exception as error:  # noqa: BLE001 - whatever breaks, looking at short distances goes on
                if self.healthy:
                    log.warning("wake-ups are away, looking by ourselves: %s", error)
            self.healthy = False
            self._ended.wait(AGAIN_SECONDS)

    def _follow(self, texts: Iterator[str]) -> None:
        for text in texts:
            if self._ended.is_set():
                return
            if not text and not self.healthy:
                self._news.set()  # who hears itself knows that the channel works
            self.healthy = self.healthy or bool(text)
            sender, _, message = text.partition(" ")
            if sender and sender != self._name:
                self._others(message)

    def _others(self, message: str) -> None:
        if message and self.deliver is not None:
            self.deliver(LiveMessage(**orjson.loads(message)))
        elif not message and self.heard is not None:
            self.heard()

    @property
    def _channel(self) -> Channel:
        assert self.channel is not None
        return self.channel
