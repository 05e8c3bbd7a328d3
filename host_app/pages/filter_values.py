"""The value of a condition between the filter language and the inputs of its row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gigacore.entity import KINDS, BadValue, FieldSpec
from gigacore.messages import Msg, msg
from host_app.pages.filters import CHANGES, PERIODS, family
from host_app.pages.raw import Raw
from host_app.pages.reader import Reader

UNITS: Final[Mapping[str, Msg]] = MappingProxyType(
    {"H": msg("hours"), "D": msg("days"), "W": msg("weeks"), "M": msg("months"), "Y": msg("years")}
)
COUNTED: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "last": msg("in the last … days"), "next": msg("in the next … days"), "ago": msg("… ago"),
        "ahead": msg("… from now"),
    }
)  # fmt: skip
MOMENTS: Final[Mapping[str, Msg]] = MappingProxyType({"now": msg("now"), "today": msg("today")})
PEOPLE: Final = ("actor.id", "actor.subordinates")
TEAMS: Final = ("actor.team", "actor.teams", "actor.tree")
LISTS: Final = frozenset({"actor.subordinates", "actor.teams", "actor.tree"})
OPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "choice": ("in", "nin", "empty", "filled"),
        "choices": ("contains", "empty", "filled"),
        "ref": ("in", "nin", "empty", "filled"),
        "boolean": ("eq", "empty", "filled"),
        "date": ("eq", "ne", "ge", "gt", "le", "lt", "between", "in", "nin", "empty", "filled"),
        "integer": ("eq", "ne", "ge", "gt", "le", "lt", "between", "in", "nin", "empty", "filled"),
        "text": ("contains", "starts", "eq", "ne", "in", "nin", "empty", "filled"),
        "name": ("eq", "ne", "in", "nin", "empty", "filled"),
        "uuid": ("eq", "ne", "empty", "filled"),
        "part": ("in", "nin", "empty", "filled"),
    }
)
ORDERED: Final = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_ROLLING: Final = re.compile(r"(last|next)_(\d+)_days")
_DURATION: Final = re.compile(r"P(T?)(\d+)([HDWMY])")
_SPLIT: Final = re.compile(r"[;\n]+")


def ops_of(spec: FieldSpec, part: str) -> Sequence[str]:
    """The operators of a field; fields that hold files or objects are empty or not."""
    return OPS["part"] if part else OPS.get(family(spec), ("empty", "filled"))


def people_of(spec: FieldSpec) -> Sequence[str]:
    """The words for whoever reads that fit a reference."""
    return PEOPLE if spec.target == "core.user" else TEAMS if spec.target == "core.team" else ()


def value_from(op: str, raw: Raw, spec: FieldSpec, part: str, reader: Reader) -> tuple[str, Any]:
    """Operator and value as the filter language has them. Raises BadValue."""
    if op not in (*ops_of(spec, part), *(CHANGES if not part else ())):
        raise BadValue(msg("Choose how to compare."))
    if op == "changed":
        return op, True
    if op in ("empty", "filled"):
        return "empty", op == "empty"
    if other := raw.text("w"):
        return op, {"ref": f"record.{other}"}
    shape = "choice" if part else family(spec)
    if shape == "date" and (word := raw.text("p")):
        return op, _moment(word, op, raw)
    if shape == "ref" and (word := raw.text("p")):
        return _person(word, op)
    return op, _constant(op, raw, spec, shape, reader)


def _person(word: str, op: str) -> tuple[str, Any]:
    if word in LISTS:
        return op, {"ref": word}
    return {"in": "eq", "nin": "ne"}.get(op, op), {"ref": word}


def _moment(word: str, op: str, raw: Raw) -> Any:
    if word in PERIODS:
        return {"period": word}
    if word in MOMENTS:
        return {"ref": word}
    amount = raw.text("a").strip()
    if not amount.isdigit() or len(amount) > 4 or not int(amount):
        raise BadValue(msg("Fill in a whole number."))
    if word in ("last", "next"):
        return {"period": f"{word}_{int(amount)}_days"}
    unit = raw.text("u") if raw.text("u") in UNITS else "D"
    return {"ago" if word == "ago" else "ahead": f"P{'T' if unit == 'H' else ''}{int(amount)}{unit}"}


def _constant(op: str, raw: Raw, spec: FieldSpec, shape: str, reader: Reader) -> Any:
    texts = [text.strip() for text in raw.texts("v") if text.strip()]
    if op in ("in", "nin") and shape not in ("choice", "ref"):
        texts = [part.strip() for text in texts for part in _SPLIT.split(text) if part.strip()]
    if not texts:
        raise BadValue(msg("Fill in a value."))
    if op == "between":
        if len(texts) != 2:
            raise BadValue(msg("Fill in both values."))
        return [_one(text, raw, spec, shape, reader) for text in texts]
    if op in ("in", "nin"):
        return [_one(text, raw, spec, shape, reader) for text in texts]
    return _one(texts[0], raw, spec, shape, reader)


def _one(text: str, raw: Raw, spec: FieldSpec, shape: str, reader: Reader) -> Any:
    match shape:
        case "boolean":
            return text == "1"
        case "ref":
            if not text.isdigit():
                raise BadValue(msg("Choose from the list."))
            return int(text)
        case "choice" | "choices" | "text" | "name" | "uuid":
            return text
        case "date":
            return text if spec.kind == "date" or len(text) > 10 else f"{text}T00:00:00Z"
    kind = KINDS["decimal" if spec.kind == "money" else spec.kind]
    amount = kind.dump(kind.parse_text(text, spec, reader.locale))
    currency = raw.text("c")
    return {"amount": amount, "currency": currency} if spec.kind == "money" and currency else amount


def raw_of_value(op: Any, value: Any, spec: FieldSpec, part: str, reader: Reader) -> tuple[str, Raw]:
    """The operator as people choose it, and the texts of the inputs; an empty operator when inputs cannot show it."""
    if op == "empty":
        return ("filled" if value is False else "empty"), Raw()
    shape = "choice" if part else family(spec)
    if op == "changed" and value is not False:
        return op, Raw()
    if shape in ("choice", "ref") and op in ("eq", "ne"):
        op, value = {"eq": "in", "ne": "nin"}[op], value if isinstance(value, Mapping) else [value]
    if not isinstance(op, str) or op not in (*ops_of(spec, part), *CHANGES):
        return "", Raw()
    if isinstance(value, Mapping) and "amount" not in value:
        return op, _relative(value)
    values = value if isinstance(value, list) else [value]
    raw = Raw({"v": [_text(one, spec, reader) for one in values]})
    currencies = {one.get("currency") for one in values if isinstance(one, Mapping)}
    if len(currencies) == 1 and (currency := currencies.pop()):
        raw["c"] = [str(currency)]
    if op in ("in", "nin") and shape not in ("choice", "ref"):
        raw["v"] = ["\n".join(raw["v"])]
    return op, raw


def _text(value: Any, spec: FieldSpec, reader: Reader) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Mapping):
        value = value.get("amount", "")
    if spec.kind in ("decimal", "money"):
        return str(value).replace(".", reader.formats.symbols[1])
    return str(value)


def _relative(value: Mapping[str, Any]) -> Raw:
    word, amount = next(iter(value.items()), ("", ""))
    amount = amount if isinstance(amount, str) else ""
    if word == "ref" and amount.startswith("record."):
        return Raw({"w": [amount.removeprefix("record.")]})
    if word == "period" and amount not in PERIODS and (rolling := _ROLLING.fullmatch(amount)):
        return Raw({"p": [rolling[1]], "a": [rolling[2]]})
    if word in ("ago", "ahead") and (length := _DURATION.fullmatch(amount)):
        return Raw({"p": [word], "a": [length[2]], "u": [length[3]]})
    return Raw({"p": [amount]}) if word in ("ref", "period") else Raw()
