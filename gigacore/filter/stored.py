"""How values of custom fields stand in the JSON column: one form that both engines compare, sort and index exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gigacore.entity.kinds import KINDS
from gigacore.entity.money import PLACES, Money
from gigacore.entity.spec import FieldSpec
from gigacore.errors import Misuse

CUSTOM_KEY: Final = re.compile(r"x_[a-z0-9_]{1,40}", re.ASCII)
_SCALE: Final = 10_000
_LARGEST: Final = 2**63 - 1


def store_value(spec: FieldSpec, value: Any) -> Any:
    """The JSON form of a custom field's Python value (not None).

    Decimals are integers scaled by 10,000, money an object with such an amount, dates ISO texts of fixed width.
    """
    return _STORE.get(spec.kind, _same)(value)


def read_value(spec: FieldSpec, stored: Any) -> Any:
    """The Python value of a custom field from its JSON form; None for a missing one."""
    return None if stored is None else _READ.get(spec.kind, _same)(stored)


def converter(spec: FieldSpec) -> Callable[[Any], Any] | None:
    """What makes a custom field's value of its stored form; None where that is the value itself."""
    return _READ.get(spec.kind)


def is_stored_form(spec: FieldSpec, value: Any) -> bool:
    """Whether a JSON value is in the form in which the field's values are stored; None always is."""
    return value is None or _FORMS.get(spec.kind, _is_text)(value)


def stored_key(spec: FieldSpec, value: Any) -> str | None:
    """The folded form of a text that stands in `custom_key`; None where the field keeps none there."""
    return KINDS[spec.kind].key(value) if spec.key_column and value is not None else None


def scaled(amount: Decimal) -> int:
    """The amount as an integer, scaled by 10,000."""
    return int(amount.quantize(PLACES) * _SCALE)


def unscaled(number: int) -> Decimal:
    """The amount of such an integer."""
    return (Decimal(number) / _SCALE).quantize(PLACES)


def fixed_moment(moment: datetime) -> str:
    """A moment as text of fixed width in UTC, so that texts sort as moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def literal_path(column: str, key: str, kind: str, dialect: str) -> str:
    """The SQL text of a custom field's value, with a literal path: the one form that indexes and queries share.

    `column` is the SQL of the JSON column. `key` becomes SQL text, hence the check. `kind` is a field kind, `currency`
    for that of money, or `json` for the value as it is. Raises Misuse for a key that is no custom field's.
    """
    if not CUSTOM_KEY.fullmatch(key):
        raise Misuse(f"{key!r} is not the key of a custom field")
    inner = {"money": "amount", "currency": "currency"}.get(kind)
    if dialect == "sqlite":
        return f"json_extract({column}, '$.{key}{'.' + inner if inner else ''}')"
    if kind == "json":
        return f"({column} -> '{key}')"
    value, text = f"{column} -> '{key}'", f"({column} ->> '{key}')"
    if inner:
        value, text = f"{value} -> '{inner}'", f"({value} ->> '{inner}')"
    cast = _CASTS.get(kind)
    if cast is None:
        return f'({text} COLLATE "C")'
    # A plain cast would fail on rows that are dead but not yet vacuumed, and still hold a purged field's text.
    return f"(CASE WHEN jsonb_typeof({value}) = '{cast[0]}' THEN {text}::{cast[1]} END)"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return type(value) is int and -_LARGEST <= value <= _LARGEST


def _is_money(value: Any) -> bool:
    amount = value.get("amount") if isinstance(value, dict) else None
    return type(amount) is int and abs(amount) <= _LARGEST and isinstance(value.get("currency"), str)


def _same(value: Any) -> Any:
    return value


def _store_money(value: Money) -> dict[str, Any]:
    return {"amount": scaled(value.amount), "currency": value.currency}


def _read_money(stored: Mapping[str, Any]) -> Money:
    return Money(unscaled(stored["amount"]), stored["currency"])


_CASTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        **dict.fromkeys(("integer", "decimal", "money", "ref"), ("number", "bigint")),
        "boolean": ("boolean", "boolean"),
    }
)
_FORMS: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        **dict.fromkeys(("integer", "ref", "decimal"), _is_integer),
        "boolean": lambda value: isinstance(value, bool),
        "money": _is_money,
        "choices": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
        "date": lambda value: isinstance(value, str) and len(value) == 10,
        "datetime": lambda value: isinstance(value, str) and len(value) == 27,
    }
)
_STORE: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "decimal": scaled,
        "money": _store_money,
        "date": date.isoformat,
        "datetime": fixed_moment,
        "choices": list,
        "file": str,
    }
)
_READ: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "decimal": unscaled,
        "money": _read_money,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
        "choices": list,
        "file": UUID,
    }
)
