"""The web server: gunicorn with threads, or Werkzeug's where gunicorn does not run; jobs run in the same process."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any, Final, Literal

from flask import Flask
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header
from werkzeug.serving import make_server

from gigacore import Crm
from gigacore.messages import Translate
from gigacore.plugins.calls import PATIENCE
from gigacore.settings import Settings
from gigacore.values import dataclass
from host_app import broker
from host_app.admission import Admission, Voice
from host_app.app import create_app
from host_app.context import best_locale, host
from host_app.restoring import carry_out
from host_app.wakeups import Wakeups
from host_app.watchdog import Watchdog, end_process

log = logging.getLogger("host_app")

REFRESH_SECONDS: Final = 2.0
MOST_SPARE: Final = 8
EVERY_ADDRESS: Final = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


Dispatching = Literal["embedded", "none", "celery"]


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how to serve, in one process. `dispatcher` says who runs jobs: threads in it, others, or Celery.

    `threads` requests run at a time; a further one is answered 503 when it gets no turn within `patience` seconds. A
    plugin that does not return within `limit` seconds ends the process (0: never), and gunicorn starts another.
    """

    settings: Settings
    address: str = "127.0.0.1"
    port: int = 8000
    threads: int = 16
    dispatcher: Dispatching = "embedded"
    patience: float = PATIENCE
    limit: float = 60.0
    ready: Callable[[], None] = lambda: None

    @property
    def reached(self) -> Settings:
        """The settings, with the address of this server where none is configured and others could use it."""
        if self.settings.public_url or self.address in EVERY_ADDRESS or self.settings.trusted_proxies:
            return self.settings
        name = f"[{self.address}]" if ":" in self.address else self.address
        return replace(self.settings, public_url=f"http://{name}:{self.port}")

    @property
    def spare(self) -> int:
        """Threads besides, which tell those who get no turn."""
        return min(MOST_SPARE, max(2, self.threads // 2))


def serve(serving: Serving) -> None:
    """Serve until SIGTERM or SIGINT; running requests are answered first."""
    if sys.platform == "win32":
        _serve_werkzeug(serving)
    else:
        _serve_gunicorn(serving)


class _Refresher(threading.Thread):
    """Takes up custom fields and choices that another process changed; `shows` that a server without worker lives."""

    def __init__(self, crm: Crm, *, shows: bool) -> None:
        super().__init__(name="giga-refresher", daemon=True)
        self.crm, self.shows = crm, shows
        self.ended = threading.Event()

    def run(self) -> None:
        """Ask every two seconds."""
        while not self.ended.wait(REFRESH_SECONDS):
            try:
                self.crm.refresh()
                if self.shows:
                    self.crm.jobs.worker.show()
            except Exception:  # the database may be away for a while; the next turn asks again
                log.warning("fields could not be read anew", exc_info=True)


@dataclass(frozen=True, slots=True)
class _Running:
    """What one process runs."""

    app: Flask
    refresher: _Refresher
    watchdog: Watchdog
    wakeups: Wakeups

    def stop(self) -> None:
        """Let jobs end, then give back connections."""
        self.watchdog.stop()
        host(self.app).live.stop()
        self.wakeups.stop()
        self.refresher.ended.set()
        self.refresher.join()
        host(self.app).crm.close()


def _start(serving: Serving) -> _Running:
    app = create_app(settings=serving.reached)
    crm = host(app).crm
    crm.calls.patience = serving.patience
    crm.calls.most_stuck = max(1, serving.threads // 4)
    host(app).live.most = max(1, serving.threads // 3)
    crm.jobs.start(broker.dispatcher(crm.settings) if serving.dispatcher == "celery" else serving.dispatcher)
    gate = Admission(app.wsgi_app, serving.threads, serving.patience, voice_of(app))
    app.wsgi_app = gate  # type: ignore[method-assign]
    watchdog = Watchdog(crm.calls, slow=serving.patience, limit=serving.limit)
    live = host(app).live
    wakeups = Wakeups.of(crm, live.wake, live.deliver)
    live.is_woken = lambda: wakeups.healthy
    running = _Running(app, _Refresher(crm, shows=serving.dispatcher != "embedded"), watchdog, wakeups)
    running.refresher.start()
    wakeups.start()
    watchdog.start()
    return running


def voice_of(app: Flask) -> Voice:
    """The language and translation for whoever is answered before the application is asked."""
    catalogue = host(app).catalogue

    def speak(accepted: str) -> tuple[str, Translate]:
        locale = best_locale(catalogue, parse_accept_header(accepted, LanguageAccept))
        return locale, catalogue.translator(locale)

    return speak


def _serve_gunicorn(serving: Serving) -> None:
    from gunicorn.app.base import BaseApplication  # cannot be imported on Windows

    running: list[_Running] = []

    def stop() -> None:
        for one in running:
            one.stop()

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(serving, stop, lambda: running[0].app).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            running.append(_start(serving))
            host(running[0].app).restart = end_process
            return running[0].app

    Application().run()


def _end_streams_first(app: Flask) -> None:
    """End live pages on SIGTERM: a stream is a running request, and the worker waits for those."""
    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        host(app).live.ended.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, end)


def _gunicorn_settings(serving: Serving, stop: Callable[[], object], app: Callable[[], Flask]) -> dict[str, Any]:
    def begin(_worker: object) -> None:
        _end_streams_first(app())
        serving.ready()

    return {
        "bind": f"{serving.address}:{serving.port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": serving.threads + serving.spare,
        "keepalive": 15,
        "timeout": 60,
        "graceful_timeout": 20,
        "limit_request_line": 8190,
        "limit_request_field_size": 16_380,
        "loglevel": "warning",
        "post_fork": lambda _server, worker: carry_out(serving.settings, worker.notify),
        "post_worker_init": begin,
        "worker_exit": lambda _server, _worker: stop(),
    }


def _serve_werkzeug(serving: Serving) -> None:
    running = _start(serving)
    server = make_server(serving.address, serving.port, running.app, threaded=True)

    def end(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    serving.ready()
    server.serve_forever()
    running.stop()
