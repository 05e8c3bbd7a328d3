"""A form that is sent twice has one effect: each form that is shown carries a mark of its own."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

import orjson
from flask import request

from gigacore.context import Context
from gigacore.data import idempotency
from gigacore.values import dataclass
from host_app.pages.raw import Raw
from host_app.pages.uploaded import SUM

MARK: Final = "_once"
UNCOUNTED: Final = frozenset({MARK, "_then", "_restore"})


@dataclass(frozen=True, slots=True)
class Saved:
    """The record that a form made or changed."""

    id: int
    title: str


def new_mark() -> str:
    """The mark of a form that is shown for the first time."""
    return secrets.token_urlsafe(12)


def save_once(ctx: Context, raw: Raw, work: Callable[[], Saved]) -> Saved:
    """What `work` saves; the same form sent again gives what the first one saved. In the caller's unit of work.

    A form of the same mark with other values is another one: somebody went back and typed on.
    """
    if not raw.text(MARK):
        return work()
    key = f"form:{raw.text(MARK)[:40]}:{_fingerprint(raw)}"
    kept = idempotency.claim(ctx, key, key[-64:], wait=True)
    if kept is not None:
        return Saved(**orjson.loads(kept.body))
    saved = work()
    idempotency.keep(ctx, key, 200, orjson.dumps(asdict(saved)), {})
    return saved


def _fingerprint(raw: Raw) -> str:
    typed = sorted((name, texts) for name, texts in raw.items() if name not in UNCOUNTED and f"{name}{SUM}" not in raw)
    return hashlib.sha256(orjson.dumps([request.path, typed])).hexdigest()
