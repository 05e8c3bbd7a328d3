"""What pages answer to a small change: a part of the page for scripts, the whole page anew for plain forms."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from gigacore.errors import GigaError, Invalid
from host_app.pages.addresses import is_local
from host_app.pages.frame import is_partial
from host_app.pages.notes import note
from host_app.pages.reader import Reader


def reason_of(error: GigaError, who: Reader) -> str:
    """Why something was not done, with what to do about it."""
    faults = [fault.message for fault in error.errors] if isinstance(error, Invalid) else []
    told = dict.fromkeys(who.t(text) for text in (error.message, *faults, error.fix) if text is not None)
    return " ".join(told)


def refused(error: GigaError, target: str, who: Reader) -> ResponseReturnValue:
    """Say why something was not done: as a toast where a script asked, else on the page at `target`."""
    if is_partial():
        return toast(reason_of(error, who), error.status, kind="error")
    if error.status == 404:
        raise error
    note(reason_of(error, who), kind="error")
    back = request.form.get("back", "")
    return redirect(back if is_local(back) else target, 303)


def toast(text: str, status: int = 200, *, kind: str = "") -> Response:
    """An answer that shows a word and leaves the page as it is."""
    return Response(
        "", status, {"HX-Trigger": json.dumps({"toast": {"text": text, "kind": kind}}), "HX-Reswap": "none"}
    )


def parts(drawn: Sequence[str], status: int = 200) -> Response:
    """Parts of a page, the first of which takes the place that was asked for."""
    return Response("\n".join(drawn), status, content_type="text/html; charset=utf-8")
