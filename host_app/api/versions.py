"""ETag and If-Match: nobody overwrites a change that they have not seen."""

from __future__ import annotations

import re
from typing import Final

from flask import request

from gigacore.errors import PreconditionRequired, StaleVersion
from gigacore.messages import msg

ETAG: Final = re.compile(r'\s*(W/)?"([^"]{0,200})"\s*')


def etag(version: int) -> str:
    """The strong ETag of a record's version."""
    return f'"{version}"'


def required_version() -> int | None:
    """The version that If-Match names; None for `*`.

    Raises PreconditionRequired without the header, StaleVersion for a tag that no version can have (weak, foreign).
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired(
            msg("Say which version of the record you change."),
            fix=msg("Send the ETag of your last read in the If-Match header."),
        )
    if header.strip() == "*":
        return None
    match = ETAG.fullmatch(header)
    if match is None or match[1] or not match[2].isdecimal() or len(match[2]) > 18:
        raise StaleVersion()
    return int(match[2])
