"""How many requests run at a time; what does not get its turn soon is answered 503 at once, not left waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import field
from html import escape
from typing import TYPE_CHECKING, Final

import orjson
from werkzeug.wsgi import ClosingIterator

from gigacore.messages import Translate, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
RETRY_SECONDS: Final = 5
TITLE: Final = "Not available now"
DETAIL: Final = msg("Every worker is busy. Please try again in a moment.")
BUSY: Final = {"type": "urn:giga:error:unavailable", "title": TITLE, "status": 503, "code": "unavailable"}
PAGE: Final = (
    '<!doctype html><html lang="{lang}"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    '<main><h1>{title}</h1><p>{detail}</p><p>{kept}</p><p><a href="{again}">{label}</a></p></main></html>'
)
Voice = Callable[[str], tuple[str, Translate]]


def _english(_accepted: str) -> tuple[str, Translate]:
    return "en", str


@dataclass(slots=True)
class Admission:
    """A WSGI application in front of `app` that lets `most` requests in at a time.

    A further one waits up to `patience` seconds for its turn, and not at all while every one inside has been there for
    longer than that: they hang, in a plugin for instance. The server needs some threads more than `most`, to say so.
    Monitors (`/healthz`, `/readyz`, `/metrics`) are always let in. `voice` gives language and translation for
    the languages that a reader accepts.
    """

    app: WSGIApplication
    most: int
    patience: float
    voice: Voice = _english
    _inside: dict[int, float] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _last: int = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") in ALWAYS:
            return self.app(environ, start_response)
        turn = self._enter()
        if turn is None:
            return _refuse(environ, start_response, self.voice)
        try:
            return ClosingIterator(self.app(environ, start_response), self._leave(turn))
        except BaseException:
            self._leave(turn)()
            raise

    def _enter(self) -> int | None:
        until = time.monotonic() + self.patience
        with self._changed:
            while len(self._inside) >= self.most:
                left = until - time.monotonic()
                if left <= 0 or self._hangs():
                    return None
                self._changed.wait(left)
            self._last += 1
            self._inside[self._last] = time.monotonic()
            return self._last

    def _leave(self, turn: int) -> Callable[[], None]:
        def leave() -> None:
            with self._changed:
                self._inside.pop(turn, None)
                self._changed.notify()

        return leave

    def _hangs(self) -> bool:
        return time.monotonic() - max(self._inside.values()) > self.patience


def _refuse(environ: WSGIEnvironment, start_response: StartResponse, voice: Voice) -> Iterable[bytes]:
    language, translate = voice(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    program = environ.get("PATH_INFO", "").startswith("/api/") or "html" not in environ.get("HTTP_ACCEPT", "")
    if program:
        kind = "application/problem+json"
        body = orjson.dumps(BUSY | {"title": translate(TITLE), "detail": DETAIL.render(translate)})
    else:
        kind, body = "text/html", _page(environ, language, translate).encode()
    headers = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Retry-After", str(RETRY_SECONDS)),
        ("Cache-Control", "no-store"),
    ]
    start_response("503 Service Unavailable", headers)
    return [body]


def _page(environ: WSGIEnvironment, language: str, translate: Translate) -> str:
    """A page that needs nothing else of the server; a form that was sent is not sent again by its link."""
    again = "" if environ.get("REQUEST_METHOD") == "GET" else "/"  # the empty address is the page's own
    label = translate("Back to the start") if again else translate("Try again")
    kept = translate("What you had typed is kept in your browser: try again in a moment.")
    words = {"title": translate(TITLE), "detail": DETAIL.render(translate), "kept": kept, "label": label}
    safe = {name: escape(text) for name, text in words.items()}
    return PAGE.format(lang=language, again=again, **safe)
