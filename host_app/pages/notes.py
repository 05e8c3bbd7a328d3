"""Short notes about what was done, shown on the next page: kept in a cookie, for there may be no session yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final
from urllib.parse import quote, unquote

from flask import Flask, Response, g, request

from gigacore.values import dataclass
from host_app.context import host
from host_app.pages.addresses import is_local

COOKIE: Final = "giga_note"
MOST: Final = 3
LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its text (translated), `error` or nothing as its kind, where to open or to undo what was done.

    `saved` is the mark of the form that was saved, so that the browser forgets its draft.
    """

    text: str
    kind: str = ""
    link: str = ""
    undo: str = ""
    saved: str = ""


def note(text: str, *, kind: str = "", link: str = "", undo: str = "", saved: str = "") -> None:
    """Show `text` on the next page."""
    pending: list[Note] = g.setdefault("notes", [])
    pending.append(Note(text[:LONGEST], kind, link, undo, saved[:40]))


def take() -> Sequence[Note]:
    """The notes to show on this page; they are then gone."""
    g.notes_taken = True
    shown: list[Note] = [*_kept(), *g.pop("notes", [])]
    return shown[:MOST]


def _kept() -> list[Note]:
    if COOKIE not in request.cookies:
        return []
    try:
        found = json.loads(unquote(request.cookies[COOKIE]) or "[]")
        notes = [Note(**{name: str(value) for name, value in entry.items()}) for entry in found]
    except (ValueError, TypeError, AttributeError):
        return []
    return [entry for entry in notes if all(not url or is_local(url) for url in (entry.link, entry.undo))]


def register(app: Flask) -> None:
    """Hand notes over from one answer to the next page."""
    app.jinja_env.globals["flashes"] = take

    @app.after_request
    def _hand_over(response: Response) -> Response:
        pending: list[Note] = g.pop("notes", [])
        if pending:
            text = quote(json.dumps([asdict(entry) for entry in pending[:MOST]]))
            response.set_cookie(COOKIE, text, max_age=60, httponly=True, samesite="Lax", secure=host().secure)
        elif g.pop("notes_taken", False) and COOKIE in request.cookies:
            response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=host().secure)
        return response
