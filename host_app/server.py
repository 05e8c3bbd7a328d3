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

from gigacore.settings import Settings
from host_app.app import create_app
from host_app.context import host


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how to serve, in one process. `with_worker` also runs jobs in it."""

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


def _start(serving: Serving) -> Flask:
    app = create_app(settings=serving.settings)
    host(app).crm.jobs.start("embedded" if serving.with_worker else "none")
    return app


def _stop(app: Flask) -> None:
    host(app).crm.jobs.stop()
    host(app).crm.close()


def _serve_gunicorn(serving: Serving) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415  # cannot be imported on Windows

    running: list[Flask] = []

    class Application(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(serving, lambda: [_stop(app) for app in running]).items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            running.append(_start(serving))
            return running[0]

    Application().run()


def _gunicorn_settings(serving: Serving, stop: Callable[[], object]) -> dict[str, Any]:
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
        "post_worker_init": lambda _worker: serving.ready(),
        "worker_exit": lambda _server, _worker: stop(),
    }


def _serve_werkzeug(serving: Serving) -> None:
    app = _start(serving)
    server = make_server(serving.address, serving.port, app, threaded=True)

    def end(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    serving.ready()
    server.serve_forever()
    _stop(app)
