"""Values of records in the form that templates take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gigacore.entity import Money


def plain(value: Any) -> Any:
    """A value of a record in the form that templates take."""
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
