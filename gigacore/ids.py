"""Identifiers: time-ordered UUIDs for machines, readable references for people."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Final

from uuid_utils.compat import uuid7 as _uuid7

_READABLE: Final = re.compile(r"^([A-Z]{2,12})-(\d{1,18})$")


def uuid7() -> uuid.UUID:
    """A new UUIDv7 (RFC 9562): unique, ordered by time of creation within a process."""
    return _uuid7()


def later(value: uuid.UUID, milliseconds: int) -> uuid.UUID:
    """The same UUIDv7, made that much later."""
    return uuid.UUID(int=value.int + (milliseconds << 80)) if milliseconds else value


def uuid7_floor(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of that millisecond."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def readable_id(prefix: str, record_id: int) -> str:
    """`LEAD-000123` for record 123; it grows past six digits by itself."""
    return f"{prefix}-{record_id:06d}"


def parse_readable(text: str) -> tuple[str, int] | None:
    """`("LEAD", 123)` for `LEAD-000123` in any case, None for anything else."""
    match = _READABLE.match(text.strip().upper())
    return (match[1], int(match[2])) if match else None
