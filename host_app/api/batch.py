"""Several requests in one: each in its own transaction, in order, as the same caller."""

from __future__ import annotations

from contextvars import Context
from typing import Any, Final
from urllib.parse import unquote

import orjson
from flask import Flask, Response, current_app, request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from gigacore.errors import Invalid, TooLarge
from gigacore.messages import msg
from host_app.api.answers import answer
from host_app.api.body import read_object
from host_app.api.query import only
from host_app.routing import route, signed_in

BATCH: Final = "/api/v1/batch"
MOST: Final = 50
METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
PARTS: Final = frozenset({"method", "path", "body", "headers"})
OWN_HEADERS: Final = frozenset({"if-match", "idempotency-key"})
PASSED_ON: Final = ("Authorization", "Cookie", "X-CSRFToken", "Accept-Language")
KEPT: Final = ("ETag", "Location", "Retry-After", "Idempotency-Replayed")


def register(app: Flask) -> None:
    """Declare the route. Each request inside meets the policy of its own route."""
    route(app, BATCH, policy=signed_in, methods=["POST"])(run_batch)


def run_batch() -> Response:
    """Run the requests one after the other; one that fails leaves the others alone."""
    only()
    body = read_object()
    requests = body.get("requests")
    if set(body) != {"requests"} or not isinstance(requests, list):
        raise Invalid.of("requests", msg("Send an object with the list “requests”."))
    if len(requests) > MOST:
        raise TooLarge(msg("At most {count} requests at a time.", count=MOST))
    environs = [_environ(index, one) for index, one in enumerate(requests)]
    return answer({"responses": [_run(environ) for environ in environs]})


def _environ(index: int, one: Any) -> dict[str, Any]:
    """The WSGI environment of one request. Raises Invalid before any of them has run."""
    place = f"requests.{index}"
    if not isinstance(one, dict) or set(one) - PARTS or one.get("method") not in METHODS:
        raise Invalid.of(place, msg("A request has a method (GET, POST, PATCH, DELETE), a path, a body and headers."))
    path, headers = one.get("path"), one.get("headers", {})
    if not isinstance(path, str) or not path.startswith("/api/v1/") or unquote(path).startswith(BATCH):
        raise Invalid.of(f"{place}.path", msg("The path must lie below /api/v1/ and be no batch."))
    if not isinstance(headers, dict) or not all(_may_set(name, value) for name, value in headers.items()):
        raise Invalid.of(f"{place}.headers", msg("Only If-Match and Idempotency-Key can be set."))
    passed = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    raw = orjson.dumps(one["body"]) if "body" in one else b""
    builder = EnvironBuilder(
        path, method=one["method"], headers=[*passed.items(), *headers.items()], data=raw, base_url=request.root_url,
        content_type="application/json" if raw else None, environ_base={"REMOTE_ADDR": request.remote_addr or ""},
    )  # fmt: skip
    return builder.get_environ()


def _may_set(name: str, value: Any) -> bool:
    return name.lower() in OWN_HEADERS and isinstance(value, str) and value.isprintable()


def _run(environ: dict[str, Any]) -> dict[str, Any]:
    # A context of its own: what one request caches about its caller and reading is not the next one's.
    pieces, status, headers = Context().run(run_wsgi_app, current_app.wsgi_app, environ, buffered=True)
    raw = b"".join(pieces)
    kept = {name: headers[name] for name in KEPT if name in headers}
    is_json = headers.get("Content-Type", "").partition(";")[0].endswith("json")
    return {"status": int(status.split()[0]), "headers": kept, "body": orjson.loads(raw) if raw and is_json else None}
