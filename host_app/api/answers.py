"""Answers of the API: JSON by orjson, never cached by anybody else."""

from __future__ import annotations

from typing import Any

from flask import Response

from gigacore import records

JSON = "application/json"


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    """`value` as JSON. Header names are given with underscores (`ETag="..."`, `Content_Language=...`)."""
    response = Response(records.dumps(value), status=status, content_type=JSON)
    for name, text in headers.items():
        response.headers[name.replace("_", "-")] = text
    return response


def nothing() -> Response:
    """204: done, and there is nothing to show."""
    return Response(status=204)
