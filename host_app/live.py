"""Live pages: who has a page open hears by server-sent events that something changed, and asks for it.

Messages name no values: a stream only says that a record, a list or the bell has news, and the page fetches what its
reader may see. One thread per process watches the outbox, woken by each commit here and, through `host_app.wakeups`,
elsewhere; without wake-ups from elsewhere it looks every half second. Each stream holds a thread of the server: they
are capped, and a page without one asks by itself.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final

import orjson
import sqlalchemy as sa
from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from gigacore import Crm, access
from gigacore.data.tables import core_outbox
from gigacore.errors import Invalid
from gigacore.live import LiveMessage
from gigacore.messages import msg
from gigacore.notices import core_notice
from gigacore.values import dataclass
from host_app.auth import current
from host_app.context import current_crm, host
from host_app.routing import route, signed_in

log: Final = logging.getLogger("host_app.live")
PATH: Final = "/live"
LOOK_SECONDS: Final = 0.5
CALM_SECONDS: Final = 5.0
BEAT_SECONDS: Final = 15.0
LIFE_SECONDS: Final = 300.0
OVERLAP: Final = timedelta(seconds=10)
MOST_TOPICS: Final = 8
MOST_PER_PERSON: Final = 4
MOST_WAITING: Final = 200
BATCH: Final = 500
Message = tuple[str, dict[str, object]]


@dataclass(eq=False, slots=True)
class Stream:
    """One open page: what it wants to hear of, and what waits to be sent to it."""

    user_id: int
    topics: frozenset[str]
    waiting: queue.Queue[Message] = field(default_factory=lambda: queue.Queue(MOST_WAITING))

    def tell(self, kind: str, /, **data: object) -> None:
        """Queue a message; a page that does not read loses the oldest news, not the server its memory."""
        try:
            self.waiting.put_nowait((kind, data))
        except queue.Full:
            return


class Live:
    """The open streams of one process, and the thread that watches for them."""

    def __init__(self, crm: Crm, most: int = 5) -> None:
        self.crm = crm
        self.most = most
        crm.live.carriers.append(self.deliver)
        self.streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self.ended = threading.Event()
        self.is_woken: Callable[[], bool] = lambda: False
        """Asked whether commits of other processes wake this one; if so, it looks by itself only now and then."""
        self._thread: threading.Thread | None = None
        self._seen: dict[object, float] = {}
        self._notice = 0

    def open(self, user_id: int, topics: frozenset[str]) -> Stream | None:
        """A new stream; None when the process, or the person, has enough of them."""
        with self._lock:
            own = sum(stream.user_id == user_id for stream in self.streams)
            if len(self.streams) >= self.most or own >= MOST_PER_PERSON or self.ended.is_set():
                return None
            stream = Stream(user_id, topics)
            self.streams.add(stream)
            if self._thread is None:
                self._start()
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        with self._lock:
            self.streams.discard(stream)

    def deliver(self, message: LiveMessage) -> None:
        """Tell the open pages of one person."""
        for stream in self._of(message.user_id):
            stream.tell("live", kind=message.kind, data=message.data)

    def wake(self) -> None:
        """Something was committed; never blocks."""
        self._woken.set()

    def stop(self) -> None:
        """End every stream and the watching."""
        self.ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(5)

    def send(self, user_id: int, kind: str, **data: object) -> None:
        """Tell one person's open pages of this process something that is in no table (`kind` is a plugin's own)."""
        for stream in self._of(user_id):
            stream.tell(kind, **data)

    def _of(self, user_id: int) -> list[Stream]:
        with self._lock:
            return [stream for stream in self.streams if stream.user_id == user_id]

    def _start(self) -> None:
        self.crm.database.after_commit.append(self.wake)
        with self.crm.database.connect() as connection:
            self._notice = int(connection.scalar(sa.select(sa.func.max(core_notice.c.id))) or 0)
        self._thread = threading.Thread(target=self._watch, name="giga-live", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        since = self.crm.clock.now()
        while not self.ended.is_set():
            self._woken.wait(CALM_SECONDS if self.is_woken() else LOOK_SECONDS)
            self._woken.clear()
            if not self.streams:
                since = self.crm.clock.now()
                continue
            try:
                since = self._look(since)
            except Exception:  # the database may be away for a while; the next turn asks again
                log.warning("the outbox could not be read", exc_info=True)
                self.ended.wait(LOOK_SECONDS)

    def _look(self, since: datetime) -> datetime:
        """Tell the streams what was committed; late commits are found because a little is looked at twice.

        When there is more than can be told one by one, each page hears that what it shows may have changed.
        """
        now, columns = self.crm.clock.now(), core_outbox.c
        wanted = (columns.id, columns.entity, columns.record_id, columns.actor_id)
        rows = sa.select(*wanted).where(columns.at >= now - OVERLAP, columns.at >= since).order_by(columns.id.desc())
        notices = sa.select(core_notice.c.id, core_notice.c.user_id).where(core_notice.c.id > self._notice)
        with self.crm.database.connect() as connection:
            events = connection.execute(rows.limit(BATCH)).all()
            told = connection.execute(notices.order_by(core_notice.c.id).limit(BATCH)).all()
        fresh = [event for event in events if event[0] not in self._seen]
        self._seen |= {event[0]: time.monotonic() for event in fresh}
        if len(fresh) == BATCH:
            self._spread_all()
        for _key, entity, record_id, actor_id in fresh if len(fresh) < BATCH else ():
            self._spread(entity, record_id, actor_id)
        for number, user_id in told:
            self._notice = max(self._notice, number)
            for stream in self._of(user_id):
                stream.tell("notice")
        self._forget()
        return max(since, now - OVERLAP)

    def _spread(self, entity: str, record_id: int | None, actor_id: int | None) -> None:
        record, rows = f"record:{entity}:{record_id}", f"list:{entity}"
        with self._lock:
            streams = list(self.streams)
        for stream in streams:
            if record in stream.topics and stream.user_id != actor_id:
                stream.tell("record", topic=record)
            if rows in stream.topics and stream.user_id != actor_id:
                stream.tell("list", topic=rows)

    def _spread_all(self) -> None:
        with self._lock:
            streams = list(self.streams)
        for stream in streams:
            for topic in stream.topics:
                stream.tell(topic.partition(":")[0], topic=topic)

    def _forget(self) -> None:
        limit = time.monotonic() - 2 * OVERLAP.total_seconds()
        for key in [key for key, at in self._seen.items() if at < limit]:
            del self._seen[key]


def register(app: Flask) -> None:
    """Declare the route."""
    route(app, PATH, policy=signed_in)(live)


def live() -> ResponseReturnValue:
    """The stream of one page: `?topic=record:crm.lead:5&topic=list:crm.lead`, and always one's notifications.

    204 tells the browser not to come back by itself: there is no room, so the page asks now and then.
    """
    topics = frozenset(_checked(topic) for topic in request.args.getlist("topic")[:MOST_TOPICS])
    service = host().live
    stream = service.open(current().user_id or 0, topics)
    if stream is None:
        return Response(status=204)
    response = Response(_messages(service, stream), content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: service.close(stream))
    return response


def _checked(topic: str) -> str:
    """A topic that the reader may hear of. Raises Invalid, Forbidden, NotFound."""
    kind, _, rest = topic.partition(":")
    entity, _, number = rest.partition(":")
    spec = current_crm().registry.entities.get(entity)
    if spec is None or kind not in ("record", "list") or (kind == "record") != number.isdecimal():
        raise Invalid.of("topic", msg("There is no such topic."))
    access.require(g.ctx, "view", entity)
    if kind == "record" and g.ctx.session.get(spec.cls, int(number)) is None:
        raise Invalid.of("topic", msg("There is no such topic."))
    return topic


def _messages(service: Live, stream: Stream) -> Iterator[bytes]:
    """What the stream hears, with a sign of life in between; it ends after five minutes and the browser comes back."""
    until = time.monotonic() + LIFE_SECONDS
    yield b"retry: 3000\n\n"
    beat = time.monotonic() + BEAT_SECONDS
    while time.monotonic() < until and not service.ended.is_set():
        try:
            kind, data = stream.waiting.get(timeout=1.0)
        except queue.Empty:
            if time.monotonic() >= beat:
                beat = time.monotonic() + BEAT_SECONDS
                yield b": still here\n\n"
            continue
        yield b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
