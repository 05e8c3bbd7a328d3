"""What is wrong with a formula, found before it is kept: size, syntax, names, and the types of every part."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Final

from gigacore.entity.kinds import BadValue
from gigacore.formula.functions import ANY, DATE, FLAG, FUNCTIONS, NUMBER, TEXT, Function, kind_name, type_of
from gigacore.messages import msg

MOST_CHARACTERS: Final = 1000
MOST_PARTS: Final = 200
MOST_DEPTH: Final = 20
_TEXTS: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_PLUS_LIKE: Final = {(NUMBER, NUMBER): NUMBER, (TEXT, TEXT): TEXT, (DATE, NUMBER): DATE, (NUMBER, DATE): DATE}
_MINUS_LIKE: Final = {(NUMBER, NUMBER): NUMBER, (DATE, NUMBER): DATE, (DATE, DATE): NUMBER}
_NUMBERS: Final = {(NUMBER, NUMBER): NUMBER}
_OPERATORS: Final = {
    ast.Add: ("+", _PLUS_LIKE), ast.Sub: ("-", _MINUS_LIKE), ast.Mult: ("*", _NUMBERS), ast.Div: ("/", _NUMBERS),
    ast.Mod: ("%", _NUMBERS), ast.BitAnd: ("&", {(TEXT, TEXT): TEXT}),
}  # fmt: skip
_COMPARED: Final = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def parsed(text: str) -> ast.Expression:
    """The tree of a formula as people write them: `=`, `<>` and `;` mean what they do in a spreadsheet.

    Raises BadValue for what is too long, too deep or no formula.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadValue(msg("This is too long: at most {limit} characters.", limit=MOST_CHARACTERS))
    pieces = _TEXTS.split(text.strip().removeprefix("="))
    plain = "".join(piece if place % 2 else _as_python(piece) for place, piece in enumerate(pieces))
    try:
        tree = ast.parse(plain.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise BadValue(msg("This is no formula. Look at its brackets, commas and quotation marks.")) from None
    if sum(1 for _ in ast.walk(tree)) > MOST_PARTS or _depth(tree) > MOST_DEPTH:
        raise BadValue(msg("This formula is too large. Split it over two fields."))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            node.func.id = node.func.id.upper()
    return tree


def _as_python(piece: str) -> str:
    piece = piece.replace("<>", "!=").replace(";", ",").replace("\n", " ")
    piece = re.sub(r"(?<![<>=!])=(?!=)", "==", piece)
    return re.sub(r"\bif\s*\(", "IF(", piece, flags=re.IGNORECASE)


def _depth(node: ast.AST) -> int:
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [child for one in level for child in ast.iter_child_nodes(one)]
    return deepest


def names_in(tree: ast.AST) -> frozenset[str]:
    """The names of fields in a formula."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)


class Typing:
    """Works out the type of each part of a formula. `names` are the types of what it may mention."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def of(self, node: ast.AST) -> str:
        """The type of a part. Raises BadValue for a part that the language does not have or that does not fit."""
        match node:
            case ast.Expression(body=body):
                return self.of(body)
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return type_of(value)
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self._need(operand, NUMBER, "-")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._need(operand, FLAG, "not")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._pair(*_OPERATORS[type(op)], self.of(left), self.of(right))
            case ast.BoolOp(values=values):
                return {self._need(value, FLAG, "and / or") for value in values}.pop()
            case ast.Compare(left=left, ops=ops, comparators=others) if all(isinstance(op, _COMPARED) for op in ops):
                return self._compared([self.of(one) for one in (left, *others)])
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return self._called(FUNCTIONS[name], [self.of(arg) for arg in args])
            case ast.Call(func=ast.Name(id=name)):
                raise BadValue(msg("There is no function {name}.", name=name[:40]))
        raise BadValue(msg("A formula has fields, numbers, texts, + - * / %, comparisons and functions, nothing else."))

    def _named(self, name: str) -> str:
        found = self.names.get(name)
        if found is None:
            raise BadValue(msg("There is no field {name} that a formula may use.", name=name[:60]))
        return found

    def _need(self, node: ast.AST, wanted: str, sign: str) -> str:
        found = self.of(node)
        if found != wanted:
            raise BadValue(msg("“{sign}” needs {wanted}, not {found}.", sign=sign, wanted=kind_name(wanted),
                               found=kind_name(found)))  # fmt: skip
        return found

    def _pair(self, sign: str, fitting: Mapping[tuple[str, str], str], left: str, right: str) -> str:
        found = fitting.get((left, right))
        if found is None:
            raise BadValue(msg("“{sign}” does not go with {left} and {right}.", sign=sign, left=kind_name(left),
                               right=kind_name(right)))  # fmt: skip
        return found

    def _compared(self, types: list[str]) -> str:
        if len(set(types)) > 1:
            raise BadValue(msg("{left} cannot be compared with {right}.", left=kind_name(types[0]),
                               right=kind_name(next(t for t in types if t != types[0]))))  # fmt: skip
        return FLAG

    def _called(self, function: Function, given: list[str]) -> str:
        most = None if function.many else len(function.takes)
        if len(given) < function.fewest or (most is not None and len(given) > most):
            raise BadValue(msg("{function} has too few or too many values: {help}.", function=function.name,
                               help=function.help))  # fmt: skip
        same = ""
        for place, found in enumerate(given):
            wanted = function.takes[min(place, len(function.takes) - 1)]
            if wanted == ANY:
                same = same or found
                wanted = same
            if found != wanted:
                told = msg("Value {number} of {function} must be {wanted}, not {found}.", number=place + 1,
                           function=function.name, wanted=kind_name(wanted), found=kind_name(found))  # fmt: skip
                raise BadValue(told)
        return same if function.gives == ANY else function.gives
