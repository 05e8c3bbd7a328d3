"""The template sandbox itself; needs jinja2 and the standard library only, because it also runs as a bounded child.

As a program (`python -I sandbox.py`) it reads one request from standard input and writes one answer, under limits of
memory, processor time and output. As a module it runs *plain* templates (no loop, no arithmetic) in this process.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, UndefinedError, nodes
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

SOURCE_LIMIT: Final = 64 * 1024
OUTPUT_LIMIT: Final = 2 * 1024 * 1024
MEMORY_LIMIT: Final = 256 * 1024 * 1024
CPU_SECONDS: Final = 2
NUMBER_LIMIT: Final = 10**30
DEPTH_LIMIT: Final = 20

PLAIN_FILTERS: Final = frozenset(
    [
        "abs",
        "capitalize",
        "count",
        "country",
        "d",
        "date",
        "datetime",
        "default",
        "e",
        "escape",
        "first",
        "float",
        "int",
        "language",
        "last",
        "length",
        "lower",
        "money",
        "number",
        "round",
        "title",
        "trim",
        "upper",
    ]
)
FILTERS: Final = PLAIN_FILTERS | frozenset(
    [
        "join",
        "list",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "replace",
        "reverse",
        "select",
        "selectattr",
        "sort",
        "sum",
        "truncate",
        "unique",
        "wordcount",
    ]
)
TESTS: Final = frozenset(
    [
        "defined",
        "undefined",
        "none",
        "boolean",
        "false",
        "true",
        "integer",
        "float",
        "number",
        "string",
        "mapping",
        "sequence",
        "iterable",
        "even",
        "odd",
        "divisibleby",
        "eq",
        "equalto",
        "ne",
        "lt",
        "lessthan",
        "le",
        "gt",
        "greaterthan",
        "ge",
        "in",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
    ]
)
LOOP_NAMES: Final = frozenset(["index", "index0", "revindex", "revindex0", "first", "last", "length", "depth"])
DATE_NAMES: Final = frozenset(["year", "month", "day", "hour", "minute", "second"])
PLAIN_NODES: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Keyword,
)
NODES: Final = (
    *PLAIN_NODES,
    nodes.For,
    nodes.Assign,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Pow,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Slice,
)


class Refusal(Exception):  # not an error of the program: the template's author gets it as an answer
    """Why a template was not rendered: `reason` is a closed key, `detail` a name or jinja2's own words."""

    def __init__(self, reason: str, detail: str = "", line: int | None = None) -> None:
        super().__init__(reason, detail, line)
        self.reason, self.detail, self.line = reason, detail, line


class SandboxEnvironment(ImmutableSandboxedEnvironment):
    """Reads mapping keys only: no attribute of any object, no call, no global, listed filters and tests."""

    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def __init__(self, html: bool, filters: Mapping[str, Callable[..., object]]) -> None:
        super().__init__(autoescape=html, undefined=StrictUndefined, finalize=blank_none, optimized=False)
        self.globals.clear()
        self.filters = {name: run for name, run in {**self.filters, **filters}.items() if name in FILTERS}
        self.tests = {name: run for name, run in self.tests.items() if name in TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a mapping; an attribute only of a loop and of dates."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A key of a mapping or an index of a list."""
        if isinstance(obj, Mapping | list | tuple | str) and not isinstance(obj, Undefined):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=argument)
        if isinstance(obj, LoopContext) and argument in LOOP_NAMES:
            return getattr(obj, argument)
        if isinstance(obj, date | datetime | time) and argument in DATE_NAMES:
            return getattr(obj, argument, self.undefined(obj=obj, name=argument))
        return self.undefined(obj=obj, name=argument)

    def call(self, *_args: Any, **_kwargs: Any) -> Any:
        """Nothing may be called; the parser has already said so."""
        raise Refusal("forbidden", "call")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers of bounded size; `+` also joins text."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        if not all(isinstance(side, int | float | Decimal) for side in (left, right)):
            raise Refusal("limit", operator)
        if operator == "**" and (abs(right) > 100 or abs(left) > 10**6):
            raise Refusal("limit", operator)
        if max(abs(left), abs(right)) > NUMBER_LIMIT:
            raise Refusal("limit", operator)
        left, right = same_kind(left, right)
        return super().call_binop(context, operator, left, right)


def same_kind(left: Any, right: Any) -> tuple[Any, Any]:
    """Decimal and float do not mix in Python; amounts are decimals, literals floats."""
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(str(right))
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(str(left)), right
    return left, right


def blank_none(value: object) -> object:
    """An empty field prints nothing, not "None"."""
    return "" if value is None else value


def parse(source: str, environment: SandboxEnvironment) -> nodes.Template:
    """The syntax tree, after every node was found on the list of allowed ones."""
    if len(source) > SOURCE_LIMIT:
        raise Refusal("limit", "source")
    try:
        tree = environment.parse(source)
        check(tree, 0)
    except TemplateError as error:
        raise Refusal("syntax", error.message or "", getattr(error, "lineno", None)) from None
    except RecursionError:
        raise Refusal("limit", "depth") from None
    return tree


def check(node: nodes.Node, depth: int) -> None:
    """Refuses what is not on a list: a new node type of jinja2 is refused until someone allows it."""
    if not isinstance(node, NODES) or (isinstance(node, nodes.For) and node.recursive):
        raise Refusal("forbidden", type(node).__name__.lower(), node.lineno)
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise Refusal("forbidden", f"|{node.name}", node.lineno)
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise Refusal("forbidden", f"is {node.name}", node.lineno)
    if name := private_name(node):
        raise Refusal("forbidden", name, node.lineno)
    if depth > DEPTH_LIMIT * 5:
        raise Refusal("limit", "depth", node.lineno)
    for child in node.iter_child_nodes():
        check(child, depth + 1)


def private_name(node: nodes.Node) -> str:
    """The private name that a node asks for (also as text, for `map(attribute="__class__")`), or nothing."""
    if isinstance(node, nodes.Name):
        return node.name if node.name.startswith("_") or node.name == "self" else ""
    if isinstance(node, nodes.Getattr):
        return node.attr if node.attr.startswith("_") else ""
    text = node.value if isinstance(node, nodes.Const) else ""
    return text if isinstance(text, str) and text.startswith("__") else ""


def is_plain(tree: nodes.Template) -> bool:
    """Whether time and memory are bounded by the sizes of template and data, so that no child process is needed."""
    return all(
        isinstance(node, PLAIN_NODES) and not (isinstance(node, nodes.Filter) and node.name not in PLAIN_FILTERS)
        for node in [tree, *tree.find_all(nodes.Node)]
    )


def run(source: str, context: Mapping[str, object], environment: SandboxEnvironment) -> str:
    """Checks, compiles and renders; the one function behind validation, preview and sending."""
    parse(source, environment)
    try:
        template = environment.from_string(source)
        return "".join(limited(template.generate(dict(context))))
    except UndefinedError as error:
        raise Refusal("undefined", error.message or "") from None
    except TemplateError as error:
        raise Refusal("syntax", error.message or "") from None
    except (MemoryError, RecursionError, OverflowError):
        raise Refusal("limit", "memory") from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Refusal("value", str(error)[:200]) from None


def limited(pieces: Iterator[str]) -> Iterator[str]:
    """Passes pieces on until the output limit."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > OUTPUT_LIMIT:
            raise Refusal("limit", "output")
        yield piece


def freeze(value: object, depth: int = 0) -> object:
    """A deep copy made of plain values only; anything else is refused, so no object reaches a template."""
    if depth > DEPTH_LIMIT:
        raise Refusal("limit", "depth")
    if value is None or type(value) in (str, int, float, bool, Decimal, date, datetime, time):
        return value
    if isinstance(value, Mapping):
        return {str(key): freeze(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [freeze(item, depth + 1) for item in value]
    raise Refusal("data", type(value).__name__)


TAGS: Final[Mapping[str, Callable[[str], object]]] = {
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
}


def encode(value: object) -> object:
    """What JSON cannot say, as an object with one tagged key."""
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    for kind, tag in ((datetime, "$datetime"), (date, "$date"), (time, "$time")):
        if isinstance(value, kind):
            return {tag: value.isoformat()}
    raise TypeError(type(value).__name__)


def decode(value: dict[str, Any]) -> object:
    """The reverse of `encode`."""
    if len(value) == 1 and (key := next(iter(value))) in TAGS:
        return TAGS[key](value[key])
    return value


def format_filters(locale: str, timezone: str) -> Mapping[str, Callable[..., object]]:
    """The filters date, datetime, number and money of the module beside this one, loaded without its package."""
    spec = importlib.util.spec_from_file_location("giga_formats", Path(__file__).with_name("formats.py"))
    if spec is None or spec.loader is None:
        raise ImportError("formats.py is missing beside sandbox.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["giga_formats"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    filters: Mapping[str, Callable[..., object]] = module.Formats(locale, timezone).filters()
    return filters


def restrict() -> None:
    """Sets the limits of this process; where the platform has none, the parent's time limit remains."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(request: dict[str, Any]) -> dict[str, object]:
    """Renders one request of the parent."""
    try:
        environment = SandboxEnvironment(request["html"], format_filters(request["locale"], request["timezone"]))
        return {"text": run(request["source"], request["context"], environment)}
    except Refusal as refusal:
        return {"reason": refusal.reason, "detail": refusal.detail, "line": refusal.line}
    except MemoryError:
        return {"reason": "limit", "detail": "memory", "line": None}


def main() -> None:
    """Reads a request, restricts itself, answers."""
    request = json.loads(sys.stdin.buffer.read(), object_hook=decode)
    restrict()
    sys.stdout.buffer.write(json.dumps(answer(request)).encode())


if __name__ == "__main__":
    main()
