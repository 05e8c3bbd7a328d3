"""From the text of a formula to what computes it: the fields it reads, the type of its result, and its value."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, Final

from gigacore.entity.kinds import TEXT_LENGTH, BadValue
from gigacore.entity.money import quantise
from gigacore.entity.spec import FieldSpec
from gigacore.formula.checking import Typing, names_in, parsed
from gigacore.formula.functions import (
    DATE,
    FLAG,
    FUNCTIONS,
    MANY,
    MOMENT,
    NUMBER,
    TEXT,
    bounded,
    kind_name,
)
from gigacore.messages import msg
from gigacore.values import dataclass

TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("integer", "decimal", "money"), NUMBER), "date": DATE, "datetime": MOMENT, "boolean": FLAG,
        **dict.fromkeys(("text", "longtext", "url", "email", "phone", "choice", "enum"), TEXT), "choices": MANY,
    }
)  # fmt: skip
RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {"decimal": NUMBER, "integer": NUMBER, "text": TEXT, "date": DATE, "boolean": FLAG}
)
"""The kinds of field that a formula may give, and the type that it must have for them."""
CURRENCY: Final = "_currency"
_MOST: Final = 2**53 - 1


def usable(field: FieldSpec) -> bool:
    """Whether formulas may read the field: one of the record's own, with a value that the record alone decides."""
    elsewhere = field.extension is not None or (field.rollup is not None and "." in field.rollup.source)
    return field.kind in TYPES and not field.secret and not elsewhere and field.section != "record"


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula. `sources` are the fields it reads; `kind` is that of the field which keeps its result."""

    text: str
    kind: str
    sources: frozenset[str]
    tree: ast.Expression

    def value(self, names: Mapping[str, Any]) -> Any:
        """The result for a record whose values are `names`; None where it has none or cannot be worked out."""
        from simpleeval import InvalidExpression

        try:
            found = _evaluator(names).eval("", previously_parsed=self.tree.body)
            return None if found is None else _RESULT[self.kind](found)
        except (ArithmeticError, ValueError, OverflowError, InvalidExpression):
            return None


def compile_formula(text: str, kind: str, fields: Mapping[str, FieldSpec]) -> Formula:
    """The formula over these fields. Raises BadValue when it is faulty or does not give what `kind` keeps."""
    known = {name: field for name, field in fields.items() if usable(field)}
    types = {name: TYPES[field.kind] for name, field in known.items()}
    types |= {f"{name}{CURRENCY}": TEXT for name, field in known.items() if field.kind == "money"}
    tree = parsed(text)
    found, wanted = Typing(types).of(tree), RESULTS[kind]
    if found != wanted:
        raise BadValue(
            msg("The result is {found}, the field keeps {wanted}.", found=kind_name(found), wanted=kind_name(wanted))
        )
    names = names_in(tree)
    return Formula(
        text, kind, frozenset(name if name in known else name.removesuffix(CURRENCY) for name in names), tree
    )


def _evaluator(names: Mapping[str, Any]) -> Any:
    from simpleeval import SimpleEval

    made = SimpleEval(operators=_OPERATORS, functions=FUNCTIONS, names=names)
    made.nodes[ast.Constant] = lambda node: (
        node.value if isinstance(node.value, bool | str) else Decimal(str(node.value))
    )
    return made


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        return bounded(left + right)
    if isinstance(right, date):
        left, right = right, left
    return left + timedelta(days=int(right)) if isinstance(left, date) else left + right


def _minus(left: Any, right: Any) -> Any:
    if isinstance(right, date):
        return Decimal((left - right).days)
    return left - timedelta(days=int(right)) if isinstance(left, date) else left - right


def _known(act: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """With an empty side there is no result."""
    return lambda left, right: None if left is None or right is None else act(left, right)


def _holds(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison with an empty side does not hold."""
    return lambda left, right: left is not None and right is not None and test(left, right)


_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: _known(_plus), ast.Sub: _known(_minus), ast.Mult: _known(operator.mul), ast.Div: _known(operator.truediv),
    ast.Mod: _known(operator.mod), ast.BitAnd: _known(_plus), ast.USub: lambda v: None if v is None else -v,
    ast.UAdd: lambda v: v, ast.Not: operator.not_, ast.Eq: _holds(operator.eq), ast.NotEq: operator.ne,
    ast.Lt: _holds(operator.lt), ast.LtE: _holds(operator.le), ast.Gt: _holds(operator.gt),
    ast.GtE: _holds(operator.ge),
}  # fmt: skip


def _whole(value: Decimal) -> int:
    number = int(value.to_integral_value(ROUND_HALF_UP))
    if abs(number) > _MOST:
        raise OverflowError
    return number


_RESULT: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "decimal": quantise, "integer": _whole, "boolean": bool, "date": lambda day: day,
        "text": lambda text: text[:TEXT_LENGTH].strip() or None,
    }
)  # fmt: skip
