"""Calls to vendors over HTTP, and what their answers mean for whether to try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from gigacore import NotFound, msg
from gigacore.errors import Declined, Unavailable

if TYPE_CHECKING:
    from gigacore import Crm


def call(crm: Crm, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> dict[str, Any]:
    """The answer's JSON. Only for what may be sent twice: no answer is Unavailable. Raises Declined, NotFound too."""
    from gigacore import outbound

    try:
        answer = outbound.call(crm.outbound, method, url, body=body, headers=headers, seconds=60)
    except outbound.Unreachable as error:
        raise Unavailable(msg("The vendor cannot be reached: {reason}", reason=error.message)) from error
    if answer.status == 404:
        raise NotFound
    if answer.status in (409, 429) or answer.status >= 500:
        wait = answer.headers.get("Retry-After", "")
        raise Unavailable(msg("The vendor has no time."), retry_after=int(wait) if wait.isdecimal() else 5)
    found = parsed(answer.body)
    if answer.status >= 300:
        told = found.get("error")
        why = told if isinstance(told, Mapping) else {}
        text = str(why.get("message") or answer.status)[:200]
        raise Declined(msg("The vendor refused: {reason}", reason=text), reason=str(why.get("code") or answer.status))
    return found


def parsed(body: bytes) -> dict[str, Any]:
    """The answer's object. Raises Unavailable."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(msg("The vendor's answer cannot be read."))
    return found
