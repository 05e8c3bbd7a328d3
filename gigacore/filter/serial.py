"""From a condition back to the JSON tree it can be parsed from."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gigacore.entity.kinds import decimal_text, iso
from gigacore.entity.money import Money
from gigacore.filter.ast import (
    ActorValue,
    All,
    Any_,
    Compare,
    Condition,
    Everything,
    Many,
    Moment,
    Not,
    Nothing,
    Offset,
    Operand,
    Period,
    RecordValue,
    Relation,
    Shared,
    Value,
)


def to_json(condition: Condition) -> dict[str, Any]:
    """The tree of `condition`. `parse(to_json(c), ...) == c`, save for `Shared`, which only policies may contain."""
    match condition:
        case All(items):
            return {"all": [to_json(item) for item in items]}
        case Any_(items):
            return {"any": [to_json(item) for item in items]}
        case Not(item):
            return {"not": to_json(item)}
        case Compare(path, op, value):
            return {"field": str(path), "op": op, "value": _operand(value)}
        case Relation(quantifier, relation, where):
            return {quantifier: {"relation": relation.name, "where": to_json(where)}}
        case Shared(verb):
            return {"shared": verb}
        case Everything():
            return {"all": []}
        case Nothing():
            return {"any": []}


def _operand(operand: Operand) -> Any:
    match operand:
        case Value(value):
            return _constant(value)
        case Many(items):
            return [_operand(item) for item in items]
        case ActorValue(name):
            return {"ref": f"actor.{name}"}
        case Moment(name):
            return {"ref": name}
        case Offset(sign, text):
            return {"ago" if sign < 0 else "ahead": text}
        case Period(name):
            return {"period": name}
        case RecordValue(field):
            return {"ref": f"record.{field.name}"}


def _constant(value: object) -> Any:
    match value:
        case Money(amount, currency):
            return {"amount": decimal_text(amount), "currency": currency}
        case Decimal():
            return decimal_text(value)
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case enum.Enum():
            return value.value
        case UUID():
            return str(value)
    return value
