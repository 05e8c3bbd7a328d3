"""Security headers of every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, g

from gigacore.plugins import Plugin
from host_app.csrf import remember_visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY: Final[tuple[tuple[str, str], ...]] = (
    ("default-src", "'none'"),
    ("script-src", "'self'"),
    ("style-src", "'self'"),
    ("img-src", "'self' data:"),
    ("font-src", "'self'"),
    ("connect-src", "'self'"),
    ("manifest-src", "'self'"),
    ("form-action", "'self'"),
    ("base-uri", "'none'"),
    ("frame-ancestors", "'none'"),
)
FIXED: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)


def content_policy(plugins: Iterable[Plugin] = ()) -> str:
    """The Content-Security-Policy of pages: own scripts and styles only, no inline code, no framing.

    The manifests of `plugins` add the hosts that their parts of pages talk to.
    """
    policy = {name: value.split() for name, value in POLICY}
    for plugin in plugins:
        for name, sources in plugin.csp.items():
            policy.setdefault(name, ["'self'"]).extend(sources)
    return "; ".join(f"{name} {' '.join(dict.fromkeys(sources))}" for name, sources in policy.items())


def add_headers(app: Flask, *, secure: bool, plugins: Iterable[Plugin] = ()) -> None:
    """Send the headers with each answer; authenticated answers are kept out of every cache."""
    fixed = [*FIXED, ("Content-Security-Policy", content_policy(plugins))]
    if secure:
        fixed.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))

    app.wsgi_app = _WithHeaders(app.wsgi_app, fixed)  # type: ignore[method-assign]

    @app.after_request
    def _send(response: Response) -> Response:
        if g.known_identity is not None or "visitor" in g or response.status_code in (401, 403):
            response.headers["Cache-Control"] = "no-store"
            response.headers["Vary"] = "Cookie, Authorization, Accept-Language"
        remember_visitor(response)
        return response


class _WithHeaders:
    """Adds headers to every answer that does not set them itself, below Flask, where each costs next to nothing."""

    def __init__(self, application: WSGIApplication, fixed: Sequence[tuple[str, str]]) -> None:
        self.application = application
        self.fixed = [(name, value, name.lower()) for name, value in fixed]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value, lower in self.fixed if lower not in present]
            return start_response(status, headers, exc_info)

        return self.application(environ, start)
