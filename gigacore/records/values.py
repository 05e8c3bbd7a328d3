"""What records look like to their readers: plain values, ready for orjson, pages and templates.

Dates, decimals, `Money` and UUIDs stay Python values; `dumps` writes them the way the API promises.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import orjson

from gigacore.entity import Money
from gigacore.entity.kinds import decimal_text

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS


def dumps(value: object) -> bytes:
    """JSON: moments in UTC with `Z`, decimals as text, money as `{"amount", "currency"}`."""
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, Money):
        return {"amount": decimal_text(value.amount), "currency": value.currency}
    raise TypeError(f"not a value of a record: {type(value).__name__}")


def reference(record_id: int | None, label: str | None) -> dict[str, Any] | None:
    """A reference as readers see it; a label of None means that the record is out of the reader's sight."""
    if record_id is None:
        return None
    if label is None:
        return {"id": record_id, "label": None, "hidden": True}
    return {"id": record_id, "label": label}
