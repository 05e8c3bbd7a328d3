"""How large an answer of a plugin's own route may be; files of any size go out piece by piece through `download`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

from flask import Response, current_app

from gigacore.errors import PluginError
from gigacore.messages import msg

MOST_BYTES: Final = 16 * 1024 * 1024


class Download(Response):
    """An answer that `download` made."""


def download(pieces: Iterable[bytes], name: str, mimetype: str = "application/octet-stream") -> Download:
    """A file that the browser saves under `name`, of any size: only one piece is in memory at a time."""
    answer = Download(pieces, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def bounded(plugin: str, given: Any) -> Response:
    """What a view of `plugin` gave, as an answer of at most 16 MB, read to its end where it comes in pieces.

    Raises PluginError for a larger one, and TypeError for what is no answer at all.
    """
    answer = current_app.make_response(given)
    if not isinstance(answer, Download):
        answer.direct_passthrough = False
        pieces = answer.response
        try:
            answer.set_data(b"".join(_within(plugin, answer)))
        finally:
            getattr(pieces, "close", _nothing)()
    return answer


def _nothing() -> None:
    """A list needs no closing."""


def _within(plugin: str, answer: Response) -> Iterator[bytes]:
    size = 0
    for piece in answer.iter_encoded():
        size += len(piece)
        if size > MOST_BYTES:
            raise PluginError(
                plugin,
                msg("Its answer is larger than {limit} MB.", limit=MOST_BYTES // (1024 * 1024)),
                fix=msg("Give large files out with `host_app.ext.download`."),
            )
        yield piece
