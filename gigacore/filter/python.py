"""The Python backend: the same conditions on a record at hand, with the same meaning as in SQL."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from gigacore.context import Actor
from gigacore.entity.money import Money
from gigacore.entity.spec import TEXT_KINDS, FieldSpec
from gigacore.filter.ast import (
    All,
    Any_,
    Compare,
    Condition,
    Everything,
    Not,
    Nothing,
    Path,
    Relation,
    Shared,
    Value,
)
from gigacore.filter.evaluation import Check, Surroundings, prepare, text_form
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity.registry import Registry
    from gigacore.filter.relations import ToMany


class RecordReader(Protocol):
    """How conditions look at a record."""

    def get(self, field: FieldSpec) -> Any:
        """The Python value of a field, None when missing."""

    def follow(self, field: FieldSpec) -> RecordReader | None:
        """The record that a reference names; None when it names none or the reader may not see it."""

    def related(self, relation: ToMany) -> Iterable[RecordReader]:
        """The related rows that the reader may see."""

    def shared(self, verb: str) -> bool:
        """Whether the record is shared with the reader for `verb`; a new record is with nobody."""


@dataclass(frozen=True, slots=True)
class PyEnv:
    """On whose behalf a condition is evaluated, and when; `before` is the record's old image, for `changed`."""

    registry: Registry
    actor: Actor
    now: datetime
    before: RecordReader | None = None


def matches(condition: Condition, record: RecordReader, env: PyEnv) -> bool:
    """Whether `record` fulfils `condition`: the same answer as `to_sql` gives for the same data."""
    return _Evaluator(env, Surroundings(env.registry, env.actor, env.now), record).holds(condition, record)


@dataclass(frozen=True, slots=True)
class _Evaluator:
    env: PyEnv
    around: Surroundings
    root: RecordReader

    def holds(self, node: Condition, record: RecordReader) -> bool:
        match node:
            case Compare():
                return self._compare(node, record)
            case All(items):
                return all(self.holds(item, record) for item in items)
            case Any_(items):
                return any(self.holds(item, record) for item in items)
            case Not(item):
                return not self.holds(item, record)
            case Relation(quantifier, relation, where):
                found = any(self.holds(where, row) for row in record.related(relation))
                return found == (quantifier == "some")
            case Shared(verb):
                return record.shared(verb)
            case Everything():
                return True
            case Nothing():
                return False

    def _compare(self, node: Compare, record: RecordReader) -> bool:
        if node.op.startswith("changed"):
            return self._changed(node, record)
        check = prepare(node, self.around)
        value = _value_at(node.path, record)
        if isinstance(check.value, FieldSpec):
            return _compare_fields(check.op, node.path.field, value, check.value, self.root.get(check.value))
        return _passes(check, node.path, value) != check.negate

    def _changed(self, node: Compare, record: RecordReader) -> bool:
        new = record.get(node.path.field)
        old = self.env.before.get(node.path.field) if self.env.before else None
        if node.op == "changed":
            wanted = isinstance(node.value, Value) and bool(node.value.value)
            return bool(old != new) is wanted
        check = prepare(replace(node, op="eq"), self.around)
        was, now = (_passes(check, node.path, value) for value in (old, new))
        return (was and not now) if node.op == "changed_from" else (now and not was)


def _value_at(path: Path, record: RecordReader) -> Any:
    for hop in path.hops:
        target = record.follow(hop.field)
        if target is None:
            return None
        record = target
    value = record.get(path.field)
    return value.currency if path.part == "currency" and value is not None else value


def _passes(check: Check, path: Path, value: Any) -> bool:
    if check.op == "never" or value is None:
        return False
    if check.op == "filled":
        return path.field.kind not in _MAY_BE_HOLLOW or bool(value)
    if path.field.is_text:
        return _passes_text(check, path.field, value)
    return _TESTS[check.op](value, check.value)


def _passes_text(check: Check, spec: FieldSpec, value: str) -> bool:
    wanted = check.value if isinstance(check.value, tuple) else (check.value,)
    folded = tuple(text_form(spec, item, check.op) for item in wanted)
    own = text_form(spec, value, check.op)
    return _TESTS[check.op](own, folded if check.op == "in" else folded[0])


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Money compares with an amount of any currency, or with money of the same one."""

    def test(value: Any, other: Any) -> bool:
        if not isinstance(value, Money):
            return compare(value, other)
        if not isinstance(other, Money):
            return compare(value.amount, other)
        return value.currency == other.currency and compare(value.amount, other.amount)

    return test


_MAY_BE_HOLLOW: Final = TEXT_KINDS | {"choices"}
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    name: _ordered(compare)
    for name, compare in (
        ("eq", operator.eq), ("lt", operator.lt), ("le", operator.le), ("gt", operator.gt), ("ge", operator.ge),
    )
}  # fmt: skip
_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    **_ORDER,
    "in": lambda value, items: any(_ORDER["eq"](value, item) for item in items),
    "between": lambda value, bounds: _ORDER["ge"](value, bounds[0]) and _ORDER["le"](value, bounds[1]),
    "span": lambda value, bounds: bool(bounds[0] <= value < bounds[1]),
    "contains": lambda value, item: item in value,
    "starts": lambda value, prefix: value.startswith(prefix),
}


def _compare_fields(op: str, spec: FieldSpec, value: Any, other: FieldSpec, against: Any) -> bool:
    mine = text_form(spec, value, op) if spec.is_text and value is not None else value
    theirs = text_form(other, against, op) if other.is_text and against is not None else against
    if op == "distinct":
        return bool(mine != theirs)
    return mine is not None and theirs is not None and _ORDER[op](mine, theirs)
