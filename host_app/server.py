"""The web server: gunicorn with threads, or Werkzeug's where gunicorn does not run; jobs run in the same process."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from gigacore.jobs import EmbeddedDispatcher
from gigacore.settings import Settings
from host_app.app import create_app
from host_app.context import host
from host_app.worker import embedded


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how to serve. SQLite allows one process; `with_worker` also runs jobs in it."""

    settings: Settings
    address: str = "127.0.0.1"
    port: int = 8000
    threads: int = 16
    with_worker: bool = True
    ready: Callable[[], None] = lambda: None


def serve(serving: Serving) -> None:
    """Serve until SIGTERM or SIGINT; running requests are answered first."""
    if sys.platform == "win32":
        _serve_werkzeug(serving)
    else:
        _serve_gunicorn(serving)


def _start(serving: Serving) -> tuple[Flask, EmbeddedDispatcher | None]:
    app = create_app(settings=serving.settings)
    worker = embedded(host(app).crm) if serving.with_worker else None
    if worker is not None:
        worker.start()
    return app, worker


def _stop(app: Flask, worker: EmbeddedDispatcher | None) -> None:
    if worker is not None:
        worker.stop()
    host(app).crm.close()


def _serve_gunicorn(serving: Serving) -> None:
    from gunicorn.app.base import BaseApplication  # not installable on Windows

    class Application(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
        running: tuple[Flask, EmbeddedDispatcher | None] | None = None

        def load_config(self) -> None:
            for name, value in _gunicorn_settings(serving).items():
                self.cfg.set(name, value)
            self.cfg.set("worker_exit", self.stop)

        def load(self) -> Flask:
            Application.running = _start(serving)
            return Application.running[0]

        def stop(self, _server: Any, _worker: Any) -> None:
            if Application.running is not None:
                _stop(*Application.running)

    Application().run()


def _gunicorn_settings(serving: Serving) -> dict[str, Any]:
    return {
        "bind": f"{serving.address}:{serving.port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": serving.threads,
        "keepalive": 15,
        "timeout": 60,
        "graceful_timeout": 20,
        "limit_request_line": 8190,
        "limit_request_field_size": 16_380,
        "loglevel": "warning",
        "when_ready": lambda _server: serving.ready(),
    }


def _serve_werkzeug(serving: Serving) -> None:
    app, worker = _start(serving)
    server = make_server(serving.address, serving.port, app, threaded=True)

    def end(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    serving.ready()
    server.serve_forever()
    _stop(app, worker)
