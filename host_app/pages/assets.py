"""The built front end: addresses of its hashed files, icons of its sprite, and the route that serves them."""

from __future__ import annotations

import gzip
import json
import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Flask, Response, request
from markupsafe import Markup

from gigacore.errors import NotFound
from host_app.context import host
from host_app.routing import public_route

DIST: Final = Path(__file__).resolve().parent.parent / "static" / "dist"
UNKNOWN: Final = "point"
ID: Final = re.compile(r'<symbol id="([\w-]+)"')
FOREVER: Final = "public, max-age=31536000, immutable"
PACKED: Final = frozenset({".css", ".js", ".svg", ".txt"})


def manifest() -> Mapping[str, str]:
    """Hashed names by plain name; empty when the front end was not built. Read once per application."""
    cache = host().cache
    if "manifest" not in cache:
        file = DIST / "manifest.json"
        cache["manifest"] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    found: Mapping[str, str] = cache["manifest"]
    return found


def asset(name: str) -> str:
    """The address of a built file (`app.js`)."""
    return f"/static/{manifest().get(name, name)}"


def icons() -> frozenset[str]:
    """The names of the icons in the sprite."""
    cache = host().cache
    if "icons" not in cache:
        file = DIST / manifest().get("icons.svg", "icons.svg")
        cache["icons"] = frozenset(ID.findall(file.read_text("utf-8")) if file.is_file() else ())
    found: frozenset[str] = cache["icons"]
    return found


def icon(name: str) -> Markup:
    """A drawn icon, as decoration. A name that the sprite does not have gives a plain one."""
    known = name if name in icons() else UNKNOWN
    return Markup('<svg class=ic aria-hidden=true><use href="{}#{}"/></svg>').format(asset("icons.svg"), known)


def register(app: Flask) -> None:
    """Declare the route of the built files."""
    drawn: dict[str, Markup] = host(app).cache.setdefault("drawn", {})

    def known_icon(name: str) -> Markup:
        return drawn.get(name) or drawn.setdefault(name, icon(name))

    app.jinja_env.globals.update(asset=asset, icon=known_icon)

    @public_route(app, "/static/<name>", reason="styles and scripts hold no data")
    def static(name: str) -> Response:
        kept = host().cache.setdefault("static", {})
        if name not in kept:
            kept[name] = _read(name)
        return _answer(*kept[name])


def _read(name: str) -> tuple[bytes, bytes | None, str]:
    file = DIST / name
    if name.startswith(".") or file.parent != DIST or not file.is_file():
        raise NotFound
    raw = file.read_bytes()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return raw, gzip.compress(raw, 6, mtime=0) if file.suffix in PACKED else None, kind


def _answer(raw: bytes, packed: bytes | None, kind: str) -> Response:
    small = packed is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(packed if small else raw, content_type=f"{kind}; charset=utf-8")
    response.headers["Cache-Control"] = FOREVER
    response.headers["Vary"] = "Accept-Encoding"
    if small:
        response.headers["Content-Encoding"] = "gzip"
    return response
