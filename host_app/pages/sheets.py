"""Forms in a sheet beside the page: the part of the page that a script asks for, and what it is told once saved."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from host_app.api.answers import answer as json_answer
from host_app.pages.saving import Saved

HEADER: Final = "X-Sheet"
PICK: Final = "pick"


def wanted() -> str:
    """How a script asks for a form: `open` beside the page, `pick` for a picker, or empty for a whole page."""
    return request.headers.get(HEADER, "")


def told(saved: Saved, text: str, onward: str, *, again: bool) -> Response:
    """What the script needs once a form was saved: the record, a word for the reader, and where to go."""
    about = {"id": saved.id, "label": saved.title, "text": text, "next": onward, "again": again}
    response: Response = json_answer(about)
    response.headers[HEADER] = "saved"
    return response
