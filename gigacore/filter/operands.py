"""From JSON operands to typed ones, judged against the field that they are compared with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal

from gigacore.entity.folding import fold
from gigacore.entity.kinds import KINDS, BadValue, Kind, clean_text
from gigacore.entity.money import Money, quantise
from gigacore.entity.spec import FieldSpec
from gigacore.entity.vocabularies import code_of
from gigacore.filter.ast import ActorValue, Many, Moment, Offset, Operand, Path, Period, RecordValue, Value
from gigacore.filter.moments import is_period, parse_duration
from gigacore.messages import Msg, msg

MAX_TEXT: Final = 1000
_MOST_DIGITS: Final = 40
_LARGEST: Final = 2**63 - 1
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}", re.ASCII)
_ACTOR_ONE: Final = frozenset({"id", "org", "team"})
_ACTOR_MANY: Final = frozenset({"teams", "tree", "subordinates"})
_TEMPORAL: Final = frozenset({"date", "datetime"})
_COMPARISONS: Final = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_PART_OPS: Final = frozenset({"eq", "ne", "in", "nin", "empty"})
EVENT_OPS: Final = frozenset({"changed", "changed_from", "changed_to"})

FieldFinder = Callable[[str], FieldSpec | None]


def operators(path: Path, *, events: bool = False) -> frozenset[str]:
    """The operators that the field at `path` knows; `events` adds those that compare with the record's old image."""
    ops = _PART_OPS if path.part else KINDS[path.field.kind].ops
    return ops | EVENT_OPS if events and not path.hops and not path.part and "eq" in ops else ops


def parse_operand(raw: object, op: str, path: Path, find: FieldFinder) -> Operand:
    """The operand of `op`. Raises BadValue with a text for the reader."""
    if op in ("empty", "changed"):
        return Value(_flag(raw))
    if op in ("in", "nin") and not isinstance(raw, Mapping):
        return Many(tuple(_one(item, path) for item in _items(raw)))
    if op == "between" and not _is_period(raw):
        low, high = _bounds(raw)
        return Many((_one(low, path), _one(high, path)))
    return _dynamic(raw, op, path, find) or _needle(_one(raw, path), op, path)


def _flag(raw: object) -> bool:
    if raw is None or raw is True or raw is False:
        return raw is not False
    raise BadValue(msg("This must be yes or no."))


def _items(raw: object) -> list[Any]:
    if not isinstance(raw, list | tuple):
        raise BadValue(msg("This must be a list of values."))
    return list(raw)


def _bounds(raw: object) -> tuple[object, object]:
    items = _items(raw)
    if len(items) != 2:
        raise BadValue(msg("This must be a list of two values, the lowest and the highest."))
    return items[0], items[1]


def _needle(operand: Operand, op: str, path: Path) -> Operand:
    if op not in ("contains", "starts") or not isinstance(operand, Value):
        return operand
    if not path.field.is_text:
        return operand
    if not comparable(path.field)(str(operand.value)):
        raise BadValue(msg("There is nothing here to look for."))
    return operand


def comparable(spec: FieldSpec) -> Callable[[str], str]:
    """How a text of this field is brought into the form in which texts are compared."""
    if not spec.key_column:
        return fold
    key = KINDS[spec.kind].key
    return lambda text: key(text) or ""


# Constants ------------------------------------------------------------------------------------------------------------


def _one(raw: object, path: Path) -> Operand:
    """A constant, or a time relative to now where the field is a date or a moment."""
    if raw is None:
        raise BadValue(msg("A comparison needs a value; to look for missing values use “empty”."))
    if isinstance(raw, Mapping) and path.field.kind in _TEMPORAL:
        found = _time(raw)
        if found is None or isinstance(found, Period):
            raise BadValue(msg("This is not a value to compare with."))
        return found
    if path.part:
        return Value(_part(raw, path))
    return Value(_CONSTANTS.get(path.field.kind, _declared)(raw, path.field))


def _part(raw: object, path: Path) -> str:
    text = clean_text(raw, path.field, 40)
    return text.upper() if path.part == "currency" else text


def _text(raw: object, spec: FieldSpec) -> str:
    clean_text(raw, spec, MAX_TEXT)
    return code_of(spec.vocabulary, str(raw)) if spec.vocabulary else str(raw)


def _integer(raw: object, spec: FieldSpec) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise BadValue(msg("This must be a whole number."))
    if abs(raw) > _LARGEST:
        raise BadValue(msg("This number is too large."))
    return raw


def _decimal(raw: object, spec: FieldSpec) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        raise BadValue(msg("This must be a number."))
    if isinstance(raw, int) and abs(raw) > _LARGEST:
        raise BadValue(msg("This number is too large."))
    return _exact(str(raw))


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= _MOST_DIGITS and text.isascii() and "_" not in text else Decimal("NaN")
        exact = quantise(number)
    except ArithmeticError:
        raise BadValue(msg("This must be a number.")) from None
    except ValueError:
        raise BadValue(msg("This number is too large.")) from None
    if exact != number:
        raise BadValue(msg("At most four decimal places can be kept."))
    return exact


def _money(raw: object, spec: FieldSpec) -> Decimal | Money:
    if isinstance(raw, Money):
        return raw
    if not isinstance(raw, Mapping):
        return _decimal(raw, spec)
    currency = raw.get("currency")
    if set(raw) - {"amount", "currency"} or "amount" not in raw:
        raise BadValue(msg("This must be an amount, alone or with its currency."))
    amount = _decimal(raw["amount"], spec)
    if currency is None:
        return amount
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise BadValue(msg("The currency must be a code of three capital letters, such as EUR."))
    return Money(amount, currency.upper())


def _choice(raw: object, spec: FieldSpec) -> str:
    return clean_text(raw, spec, MAX_TEXT)


def _enum(raw: object, spec: FieldSpec) -> object:
    if not isinstance(raw, str) and not (spec.enum and isinstance(raw, spec.enum)):
        raise BadValue(msg("This is not one of the possible values."))
    return KINDS["enum"].parse(raw, spec) if spec.enum else clean_text(raw, spec, MAX_TEXT)


def _ref(raw: object, spec: FieldSpec) -> int:
    return _integer(raw.get("id") if isinstance(raw, Mapping) else raw, spec)


def _declared(raw: object, spec: FieldSpec) -> object:
    kind: Kind = KINDS[spec.kind]
    return kind.parse(raw, spec)


_CONSTANTS: Final[Mapping[str, Callable[[object, FieldSpec], object]]] = MappingProxyType(
    {
        **dict.fromkeys(("text", "longtext", "url", "email", "phone"), _text),
        "integer": _integer,
        "decimal": _decimal,
        "money": _money,
        "choice": _choice,
        "choices": _choice,
        "enum": _enum,
        "ref": _ref,
    }
)


# Values known only when the condition is used -------------------------------------------------------------------------


def _dynamic(raw: object, op: str, path: Path, find: FieldFinder) -> Operand | None:
    if not isinstance(raw, Mapping):
        return None
    if set(raw) == {"ref"}:
        return _reference(_name(raw["ref"]), op, path, find)
    operand = _time(raw)
    if operand is None:
        return None
    _require(path.field.kind in _TEMPORAL and not path.part, msg("Only dates compare with a time."))
    _require(not isinstance(operand, Period) or op in _COMPARISONS | {"in", "nin", "between"}, _UNFIT)
    _require(isinstance(operand, Period) or op not in ("in", "nin"), msg("This must be a list of values."))
    return operand


def _reference(name: str, op: str, path: Path, find: FieldFinder) -> Operand:
    group, _, rest = name.partition(".")
    if name in ("now", "today"):
        _require(path.field.kind in _TEMPORAL, msg("Only dates compare with a time."))
        _require(op in _COMPARISONS, _UNFIT)
        return Moment("now" if name == "now" else "today")
    if group == "actor" and rest in _ACTOR_ONE | _ACTOR_MANY:
        _require(path.field.kind in ("ref", "integer") and not path.part, _UNFIT)
        _require((op in ("in", "nin")) == (rest in _ACTOR_MANY) and op not in EVENT_OPS, _UNFIT)
        return ActorValue(rest)
    if group == "record" and rest:
        return _record_value(rest, op, path, find)
    raise BadValue(msg("There is no value called “{name}”.", name=name[:80]))


def _record_value(name: str, op: str, path: Path, find: FieldFinder) -> RecordValue:
    other = find(name)
    if other is None:
        raise BadValue(msg("There is no field {name}.", name=name[:80]))
    _require(op in _COMPARISONS and not path.part and _family(other) == _family(path.field), _UNFIT)
    return RecordValue(other)


def _family(spec: FieldSpec) -> object:
    """Fields of one family compare with each other."""
    if spec.kind == "phone":
        return "phone" if spec.key_column else "text"
    if spec.is_text:
        return "text"
    if spec.kind in ("integer", "ref"):
        return "integer"
    if spec.kind in ("json", "choices", "file"):
        return spec
    return (spec.kind, spec.enum)


def _time(raw: Mapping[str, object]) -> Offset | Period | Moment | None:
    if len(raw) != 1:
        return None
    (key, value), *_ = raw.items()
    if key == "ref" and value in ("now", "today"):
        return Moment("now" if value == "now" else "today")
    if key == "period":
        name = _name(value)
        _require(is_period(name), msg("There is no period called “{name}”.", name=name[:80]))
        return Period(name)
    if key in ("ago", "ahead"):
        return _offset(_name(value), -1 if key == "ago" else 1)
    return None


def _offset(text: str, sign: Literal[-1, 1]) -> Offset:
    offset = parse_duration(text, sign)
    if offset is None:
        raise BadValue(msg("This must be a duration such as P7D or PT2H."))
    return offset


def _is_period(raw: object) -> bool:
    return isinstance(raw, Mapping) and set(raw) == {"period"}


def _name(raw: object) -> str:
    return clean_text(raw, _UNNAMED, MAX_TEXT)


def _require(condition: bool, message: Msg) -> None:
    if not condition:
        raise BadValue(message)


_UNNAMED: Final = FieldSpec("", "text", "")
_UNFIT: Final = msg("This value does not fit the field and the operator.")
