"""From a comparison and its surroundings to one positive, two-valued test: the part that both backends share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from gigacore.context import Actor
from gigacore.entity.folding import fold
from gigacore.entity.spec import FieldSpec
from gigacore.errors import Misuse
from gigacore.filter.ast import ActorValue, Compare, Many, Moment, Offset, Operand, Path, Period, RecordValue, Value
from gigacore.filter.expressions import is_cut
from gigacore.filter.moments import midnight, shifted, span_of
from gigacore.filter.operands import comparable
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.entity.registry import Registry

_NEGATIONS: Final = {"ne": "eq", "nin": "in"}
_SPAN_OPS: Final = {
    "eq": ("span", False),
    "in": ("span", False),
    "between": ("span", False),
    "ne": ("span", True),
    "nin": ("span", True),
}


@dataclass(frozen=True, slots=True)
class Check:
    """A test that is false for a missing value, then perhaps negated.

    `op` is one of `eq lt le gt ge in between span contains starts filled never` or, against another field of the
    record, `eq lt le gt ge distinct` with a FieldSpec as `value`. `span` is half-open: from, before.
    """

    op: str
    value: Any = None
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What relative operands refer to."""

    registry: Registry
    actor: Actor
    now: datetime


def prepare(node: Compare, around: Surroundings) -> Check:
    """The test that `node` means here and now."""
    if node.op == "empty":
        wanted = isinstance(node.value, Value) and bool(node.value.value)
        return _by_kind(Check("filled", None, wanted), node.path, around)
    if node.op.startswith("changed"):
        raise Misuse(f"“{node.op}” compares with a record's old image; there is none here")
    if isinstance(node.value, RecordValue):
        return Check("distinct" if node.op == "ne" else node.op, node.value.field)
    if isinstance(node.value, Period):
        return _span(node.op, node.value, node.path.field, around)
    op = _NEGATIONS.get(node.op, node.op)
    value = _resolve(node.value, node.path.field, around)
    return _by_kind(_known(op, value, node), node.path, around)


def _known(op: str, value: Any, node: Compare) -> Check:
    """A comparison with null is false; `ne` null is IS DISTINCT FROM null."""
    negate = node.op in _NEGATIONS
    if op == "in":
        items = tuple(item for item in value if item is not None)
        return Check("in", items, negate) if items else Check("never", None, negate)
    if op == "between":
        return Check(op, value) if None not in value else Check("never")
    if value is None:
        return Check("filled") if node.op == "ne" else Check("never")
    return Check(op, value, negate)


def _by_kind(test: Check, path: Path, around: Surroundings) -> Check:
    """A test on the semantic kind of a choice is one on its keys."""
    if path.part != "kind" or test.op == "never":
        return test
    choices = around.registry.choice_list(path.field)
    wanted = test.value if test.op == "in" else (test.value,)
    rows = choices.choices if choices else ()
    keys = tuple(row.key for row in rows if (bool(row.kind) if test.op == "filled" else row.kind in wanted))
    return Check("in", keys, test.negate) if keys else Check("never", None, test.negate)


def _span(op: str, period: Period, spec: FieldSpec, around: Surroundings) -> Check:
    first, end = span_of(period.name, today(around))
    start_end: tuple[Any, Any] = (first, end)
    if spec.kind == "datetime":
        start_end = (midnight(first, around.actor.zone), midnight(end, around.actor.zone))
    if op in _SPAN_OPS:
        name, negate = _SPAN_OPS[op]
        return Check(name, start_end, negate)
    start, after = start_end
    return {"lt": Check("lt", start), "ge": Check("ge", start), "le": Check("lt", after), "gt": Check("ge", after)}[op]


def today(around: Surroundings) -> date:
    """The day that it is for the actor."""
    return around.now.astimezone(around.actor.zone).date()


def _resolve(operand: Operand, spec: FieldSpec, around: Surroundings) -> Any:
    match operand:
        case Value(value):
            return value
        case Many(items):
            return tuple(_resolve(item, spec, around) for item in items)
        case ActorValue(name):
            return _actor_value(name, around.actor)
        case Moment(name):
            return _moment(name, spec, around)
        case Offset():
            moment = shifted(around.now, operand, around.actor.zone)
            return moment if spec.kind == "datetime" else moment.astimezone(around.actor.zone).date()
    raise Misuse(f"{operand!r} has no value of its own")


def _actor_value(name: str, actor: Actor) -> Any:
    return {
        "id": actor.user_id,
        "org": actor.org_id,
        "team": actor.team_id,
        "teams": actor.team_ids,
        "tree": actor.tree_ids,
        "subordinates": actor.subordinate_ids,
    }[name]


def _moment(name: str, spec: FieldSpec, around: Surroundings) -> date | datetime:
    if spec.kind == "date":
        return today(around)
    return around.now.astimezone(UTC) if name == "now" else midnight(today(around), around.actor.zone)


def text_form(spec: FieldSpec, text: str, op: str) -> str:
    """A text of the field as `op` compares it: the form of its key column, or folded where that would be cut short."""
    return fold(text) if op == "contains" and is_cut(spec) else comparable(spec)(text)
