"""One request, one transaction, one effect: units of work of the API, with Idempotency-Key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

from flask import Response, request

from gigacore.context import Context
from gigacore.data import idempotency
from gigacore.errors import Invalid
from gigacore.messages import msg
from host_app.auth import current
from host_app.context import current_crm

HEADER: Final = "Idempotency-Key"
REPLAY_HEADER: Final = "Idempotency-Replayed"
KEPT_HEADERS: Final = ("Content-Type", "ETag", "Location")
KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")

Work = Callable[[Context], Response]


def write(work: Work) -> Response:
    """Run `work` in one unit of work of the caller; with an Idempotency-Key its answer is kept and given again."""
    key = _key()
    with current_crm().unit_of_work(current()) as ctx:
        ctx.source = "api"
        if key is None:
            return work(ctx)
        return _once(ctx, key, work)


def _key() -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and (request.method != "POST" or not KEY.fullmatch(key)):
        raise Invalid.of(HEADER, msg("The key must be 1 to 200 visible ASCII characters, on a POST."))
    return key


def _once(ctx: Context, key: str, work: Work) -> Response:
    kept = idempotency.claim(ctx, key, _fingerprint())
    if kept is not None:
        response = Response(kept.body, status=kept.status, headers=dict(kept.headers))
        response.headers[REPLAY_HEADER] = "true"
        return response
    response = work(ctx)
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    idempotency.keep(ctx, key, response.status_code, response.get_data(), headers)
    return response


def _fingerprint() -> str:
    """What the key stands for: method, path, query and body."""
    sent = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    sent.update(request.get_data(cache=True))
    return sent.hexdigest()
