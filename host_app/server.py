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

from gigacore.jobs import Jobs
from gigacore.settings import Settings
from host_app.app import create_app
from host_app.context import host
from host_app.worker import jobs_of


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


@dataclass(frozen=True, slots=True)
class _Running:
    """What one process runs."""

    app: Flask
    jobs: Jobs

    def stop(self) -> None:
        """Let jobs end, then give back connections."""
        self.jobs.stop()
        host(self.app).crm.close()


def _start(serving: Serving) -> _Running:
    app = create_app(settings=serving.settings)
    running = _Running(app, jobs_of(host(app).crm))
    running.jobs.start("embedded" if serving.with_worker else "none")
    return running


def _serve_gunicorn(serving: Serving) -> None:
    from gunicorn.app.base import BaseApplication  # cannot be imported on Windows

    running: list[_Running] = []

    def stop() -> None:
        for one in running:
            one.stop()

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(serving, stop).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            running.append(_start(serving))
            return running[0].app

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
    running = _start(serving)
    server = make_server(serving.address, serving.port, running.app, threaded=True)

    def end(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    serving.ready()
    server.serve_forever()
    running.stop()
