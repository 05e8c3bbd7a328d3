"""Answers of the API: JSON by orjson, never cached by anybody else."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from flask import Response

from gigacore import records
from gigacore.messages import Msg
from host_app.context import say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

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


def shown(value: DataclassInstance) -> dict[str, Any]:
    """A value of the library as an object, its texts in the caller's language."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: say(inner) if isinstance(inner, Msg) else inner for name, inner in found.items()}
