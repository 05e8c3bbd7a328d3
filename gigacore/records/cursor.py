"""Keyset cursors: where a page of a list ends, as an opaque text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import orjson

from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.values import dataclass

Direction = Literal["next", "previous"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row seen: the values of the sort keys, or, in the part of rows without a value, only the last ones."""

    direction: Direction
    in_empty_part: bool
    values: tuple[Any, ...]


def encode(cursor: Cursor) -> str:
    """The cursor as text for URLs."""
    body = orjson.dumps([cursor.direction[0], cursor.in_empty_part, [_pack(value) for value in cursor.values]])
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """The cursor that `encode` wrote. Raises Invalid for anything else."""
    try:
        body = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        letter, empty, packed = orjson.loads(body)
        direction: Direction = {"n": "next", "p": "previous"}[letter]  # type: ignore[assignment]
        return Cursor(direction, bool(empty), tuple(_unpack(item) for item in packed))
    except (ValueError, TypeError, KeyError, binascii.Error, ArithmeticError):
        raise Invalid.of("cursor", msg("This cursor does not come from this list."), "cursor") from None


def _pack(value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, Decimal):
        return ["n", str(value)]
    return value


def _unpack(item: Any) -> Any:
    if not isinstance(item, Sequence) or isinstance(item, str):
        return item
    tag, text = item
    if tag == "t":
        return datetime.fromisoformat(text)
    return date.fromisoformat(text) if tag == "d" else Decimal(text)
