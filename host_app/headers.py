"""Security headers of every answer."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, g

from host_app.csrf import remember_visitor

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


def content_policy() -> str:
    """The Content-Security-Policy of pages: own scripts and styles only, no inline code, no framing."""
    return "; ".join(f"{name} {value}" for name, value in POLICY)


def add_headers(app: Flask, *, secure: bool) -> None:
    """Send the headers with each answer; authenticated answers are kept out of every cache."""
    fixed = [*FIXED, ("Content-Security-Policy", content_policy())]
    if secure:
        fixed.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))

    @app.after_request
    def _send(response: Response) -> Response:
        headers = response.headers
        for name, value in fixed:
            headers.setdefault(name, value)
        if g.known_identity is not None or "visitor" in g or response.status_code in (401, 403):
            headers["Cache-Control"] = "no-store"
            headers["Vary"] = "Cookie, Authorization, Accept-Language"
        remember_visitor(response)
        return response
