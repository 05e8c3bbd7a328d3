"""Filters of lists as people use them: a row of simple conditions, all of which must hold, kept in the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import orjson

from gigacore.entity import KINDS, BadValue, EntitySpec, FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from host_app.pages.cells import Reading, choices_of
from host_app.pages.columns import label_of
from host_app.pages.raw import Raw, plain_number

Tree = Mapping[str, Any]

OPERATORS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "in": msg("is"), "nin": msg("is not"), "eq": msg("is"), "ne": msg("is not"), "contains": msg("contains"),
        "starts": msg("begins with"), "gt": msg("is more than"), "ge": msg("is at least"), "lt": msg("is less than"),
        "le": msg("is at most"), "between": msg("is between"), "empty": msg("is empty"), "filled": msg("is filled in"),
    }
)  # fmt: skip
DATE_WORDS: Final[Mapping[str, Msg]] = MappingProxyType(
    {"ge": msg("is on or after"), "le": msg("is on or before"), "gt": msg("is after"), "lt": msg("is before")}
)
CHANGES: Final[Mapping[str, Msg]] = MappingProxyType(
    {"changed": msg("was changed"), "changed_from": msg("was changed from"), "changed_to": msg("was changed to")}
)
PERIODS: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "today": msg("today"), "yesterday": msg("yesterday"), "tomorrow": msg("tomorrow"),
        "this_week": msg("this week"), "last_week": msg("last week"), "next_week": msg("next week"),
        "this_month": msg("this month"), "last_month": msg("last month"), "next_month": msg("next month"),
        "this_quarter": msg("this quarter"), "this_year": msg("this year"), "last_year": msg("last year"),
        "last_7_days": msg("in the last 7 days"), "last_30_days": msg("in the last 30 days"),
        "next_7_days": msg("in the next 7 days"), "next_30_days": msg("in the next 30 days"),
    }
)  # fmt: skip
NAMED: Final[Mapping[str, Msg]] = MappingProxyType(
    {
        "now": msg("now"), "today": msg("today"), "actor.id": msg("me"), "actor.team": msg("my main team"),
        "actor.teams": msg("my teams"), "actor.tree": msg("my teams and those below"),
        "actor.subordinates": msg("the people of my teams"), "actor.org": msg("my organisation"),
    }
)  # fmt: skip
SHOWN: Final = {
    "choice": ("in", "nin", "empty", "filled"),
    "choices": ("contains", "empty", "filled"),
    "ref": ("in", "nin", "empty", "filled"),
    "boolean": ("eq",),
    "date": ("eq", "ge", "le", "between", "empty", "filled"),
    "integer": ("eq", "ge", "le", "between", "empty", "filled"),
    "text": ("contains", "starts", "eq", "ne", "empty", "filled"),
    "name": ("eq", "ne", "empty", "filled"),
    "file": ("empty", "filled"),
}
LIKE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "enum": "choice", "datetime": "date", "decimal": "integer", "money": "integer", "longtext": "text",
        "email": "text", "phone": "text", "url": "text",
    }
)  # fmt: skip
HIDDEN: Final = frozenset({"json", "uuid"})
ME: Final = "me"


@dataclass(frozen=True, slots=True)
class Condition:
    """One simple condition: a field, an operator of `OPERATORS` and its value as the filter language has it."""

    field: str
    op: str
    value: Any = None

    def tree(self) -> dict[str, Any]:
        """The condition in the filter language."""
        if self.op in ("empty", "filled"):
            return {"field": self.field, "op": "empty", "value": self.op == "empty"}
        if self.op in ("in", "nin") and ME in self.value:
            return self._with_me()
        return {"field": self.field, "op": self.op, "value": self.value}

    def _with_me(self) -> dict[str, Any]:
        """“Me” is whoever reads, so a filter with it can be handed on."""
        others = [value for value in self.value if value != ME]
        word, single = ("any", "eq") if self.op == "in" else ("all", "ne")
        parts: list[dict[str, Any]] = [{"field": self.field, "op": single, "value": {"ref": "actor.id"}}]
        if others:
            parts.append({"field": self.field, "op": self.op, "value": others})
        return {word: parts} if others else parts[0]


@dataclass(frozen=True, slots=True)
class Filter:
    """The conditions of a list. `rest` is a tree that the pages cannot show as simple conditions, kept as it is."""

    conditions: tuple[Condition, ...] = ()
    rest: Any = None
    text: str = field(init=False, repr=False, compare=False)
    """The whole as text for addresses; a page has it in some twenty of them."""

    def __post_init__(self) -> None:
        tree = self.tree()
        object.__setattr__(self, "text", orjson.dumps(tree).decode() if tree is not None else "")

    def tree(self) -> Any:
        """The whole in the filter language; None for no condition."""
        trees = [condition.tree() for condition in self.conditions] + self._further()
        return {"all": trees} if len(trees) > 1 else (trees[0] if trees else None)

    def _further(self) -> list[Any]:
        if isinstance(self.rest, dict) and isinstance(self.rest.get("all"), list) and len(self.rest) == 1:
            return list(self.rest["all"])
        return [] if self.rest is None else [self.rest]

    def without(self, index: int) -> Filter:
        """The filter without one condition; the complicated rest has the index after the last."""
        if index >= len(self.conditions):
            return Filter(self.conditions)
        return Filter(self.conditions[:index] + self.conditions[index + 1 :], self.rest)

    def putting(self, condition: Condition, index: int | None) -> Filter:
        """The filter with a condition put in place of another, or after all others."""
        if index is None or index >= len(self.conditions):
            return Filter((*self.conditions, condition), self.rest)
        return Filter((*self.conditions[:index], condition, *self.conditions[index + 1 :]), self.rest)


def from_tree(tree: Any) -> Filter:
    """The filter of a stored tree; None is no condition."""
    return Filter() if tree is None else _split(tree)


def load(text: str) -> Filter:
    """The filter that an address holds. Raises Invalid when it is no JSON; what it says is judged by `records`."""
    if not text:
        return Filter()
    try:
        tree = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid.of("filter", msg("The filter in this address is damaged.")) from None
    return _split(tree)


def _split(tree: Any) -> Filter:
    nodes = tree["all"] if isinstance(tree, dict) and isinstance(tree.get("all"), list) else [tree]
    simple: list[Condition] = []
    rest: list[Any] = []
    for node in nodes:
        found = _simple(node)
        if found is None:
            rest.append(node)
        else:
            simple.append(found)
    return Filter(tuple(simple), {"all": rest} if len(rest) > 1 else (rest[0] if rest else None))


def _simple(node: Any) -> Condition | None:
    """A condition that the pages can show and edit, None for anything else."""
    if not isinstance(node, dict):
        return None
    if len(node) == 1 and (parts := node.get("any") or node.get("all")):
        return _me_among_others(parts, "in" if "any" in node else "nin")
    if not isinstance(node.get("field"), str) or set(node) - {"field", "op", "value"}:
        return None
    op, value = node.get("op", "eq"), node.get("value")
    if op == "empty":
        return Condition(node["field"], "filled" if value is False else "empty")
    if value == {"ref": "actor.id"} and op in ("eq", "ne"):
        return Condition(node["field"], "in" if op == "eq" else "nin", [ME])
    if not isinstance(op, str) or op not in OPERATORS or (op in ("in", "nin") and not isinstance(value, list | dict)):
        return None
    return Condition(node["field"], op, value)


def _me_among_others(parts: Any, op: str) -> Condition | None:
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, dict) for part in parts):
        return None
    me, others = parts
    if me.get("value") != {"ref": "actor.id"} or me.get("field") != others.get("field") or others.get("op") != op:
        return None
    return Condition(me["field"], op, [ME, *others["value"]]) if isinstance(others.get("value"), list) else None


def family(spec: FieldSpec) -> str:
    """The kind whose operators and inputs a field has in the filter box."""
    return "name" if spec.vocabulary else LIKE.get(spec.kind, spec.kind)


def word_of(op: str, spec: FieldSpec) -> Msg:
    """The operator in words that fit the field."""
    if op in CHANGES:
        return CHANGES[op]
    return DATE_WORDS[op] if family(spec) == "date" and op in DATE_WORDS else OPERATORS[op]


def operators_of(spec: FieldSpec) -> Sequence[str]:
    """The operators that the filter box offers for a field."""
    return SHOWN.get(family(spec), ())


def offered(spec: EntitySpec, readable: Sequence[FieldSpec]) -> list[FieldSpec]:
    """The fields by which the reader may filter."""
    return [field for field in readable if field.kind not in HIDDEN and field.name not in ("version", "org_id")]


def condition_from(raw: Raw, spec: FieldSpec, locale: str) -> Condition:
    """The condition that the filter box was filled with. Raises Invalid."""
    op = raw.text("op") or next(iter(operators_of(spec)), "eq")
    if op not in operators_of(spec):
        raise Invalid.of("op", msg("Choose how to compare."))
    if op in ("empty", "filled"):
        return Condition(spec.name, op)
    try:
        return Condition(spec.name, op, _value(raw, op, spec, locale))
    except BadValue as error:
        raise Invalid(errors=[FieldError("value", error.message)]) from None


def _value(raw: Raw, op: str, spec: FieldSpec, locale: str) -> Any:
    texts = [text.strip() for text in raw.texts("value") if text.strip()]
    if period := raw.text("period"):
        return {"period": period}
    if not texts:
        raise BadValue(msg("Fill in a value."))
    if op == "between":
        if len(texts) != 2:
            raise BadValue(msg("Fill in both values."))
        return [_one(text, spec, locale) for text in texts]
    if op in ("in", "nin"):
        return [_one(text, spec, locale) for text in texts]
    return _one(texts[0], spec, locale)


def _one(text: str, spec: FieldSpec, locale: str) -> Any:
    match family(spec):
        case "boolean":
            return text == "1"
        case "ref":
            return ME if text == ME else int(text) if text.isdigit() else _fail()
        case "choice" | "choices" | "text" | "name":
            return text
        case "date":
            return text if spec.kind == "date" else f"{text}T00:00:00Z" if len(text) == 10 else text
    kind = KINDS["decimal" if spec.kind == "money" else spec.kind]
    return kind.dump(kind.parse_text(text, spec, locale))


def _fail() -> Any:
    raise BadValue(msg("Choose from the list."))


def told(condition: Condition, spec: FieldSpec, names: Mapping[str, str], reader: Reading) -> tuple[str, str, str]:
    """Field, operator and value of a condition in words; `names` are labels of referenced records by id."""
    label, op = label_of(spec, reader), reader.t(word_of(condition.op, spec))
    if condition.op in ("empty", "filled", "changed"):
        return label, op, ""
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    joint = reader.t(msg("and")) if condition.op == "between" else reader.t(msg("or"))
    return label, op, f" {joint} ".join(_word(value, spec, names, reader) for value in values)


def _word(value: Any, spec: FieldSpec, names: Mapping[str, str], reader: Reading) -> str:
    if value == ME:
        return reader.t(msg("me"))
    if isinstance(value, dict):
        return _relative(value, reader)
    if spec.kind in ("choice", "choices", "enum") or spec.vocabulary:
        return {key: label for key, label, _colour, _active in choices_of(spec, reader)}.get(value, str(value))
    if spec.kind == "boolean":
        return reader.t(msg("Yes")) if value else reader.t(msg("No"))
    if spec.kind == "ref":
        return names.get(str(value), f"#{value}")
    return _measured(value, spec, reader)


def _measured(value: Any, spec: FieldSpec, reader: Reading) -> str:
    try:
        if spec.kind in ("date", "datetime"):
            return reader.formats.date(dt.datetime.fromisoformat(value))
        if spec.kind in ("decimal", "money", "integer"):
            return plain_number(Decimal(str(value)), reader.formats)
    except (ValueError, TypeError, ArithmeticError):
        return str(value)
    return f"“{value}”"


def _relative(value: Mapping[str, Any], reader: Reading) -> str:
    (word, amount), *_ = value.items()
    if word == "period":
        return reader.t(PERIODS[amount]) if amount in PERIODS else str(amount)
    if word == "ref":
        return reader.t(NAMED[amount]) if amount in NAMED else str(amount)
    if word == "ago":
        return reader.t(msg("{time} ago", time=amount))
    return reader.t(msg("{time} from now", time=amount)) if word == "ahead" else str(amount)
