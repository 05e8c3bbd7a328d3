"""Finds every text of a package that a person may read, so that a test can compare it with the translations."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from jinja2 import Environment, nodes

from gigacore import errors

FIRST: Final = ("msg", "Msg", "t", "translate", "say", "Fact", "Note", "Link")
SECOND: Final = ("Choice", "ChoiceList")
ERRORS: Final = tuple(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.GigaError) and value is not errors.PluginError
)
KEYWORDS: Final = frozenset(
    [
        "label",
        "label_plural",
        "label_new",
        "help",
        "confirm",
        "description",
        "definition",
        "fix",
        "locked_reason",
        "refusal",
        "placeholder",
        "section",
        "group",
    ]
)
TEMPLATE_SUFFIXES: Final = (".html", ".txt", ".jinja")
TEMPLATE_CALLS: Final = ("t", "_", "msg", "tn")
SKIPPED_FOLDERS: Final = frozenset(["tests", "migrations", "frontend", "static", "node_modules", "__pycache__"])
SPEC_LABELS: Final = (
    "label",
    "label_plural",
    "label_new",
    "help",
    "section",
    "group",
    "locked_reason",
    "description",
    "confirm",
    "refusal",
)
PLACEHOLDER: Final = re.compile(r"\{(\w+)[^}]*\}")
Found = dict[str, str]


def package_texts(package: str) -> Found:
    """English texts of a package's Python and template files, each with a place where it stands."""
    found: Found = {}
    for path, file in walk(files(package), package):
        if path.endswith(".py"):
            found |= {text: f"{path}:{line}" for text, line in python_texts(file.read_text("utf-8"))}
        elif path.endswith(TEMPLATE_SUFFIXES):
            found |= {text: f"{path}:{line}" for text, line in template_texts(file.read_text("utf-8"))}
    return found


def walk(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    """Every file of a package with its path."""
    for item in folder.iterdir():
        if item.is_file():
            yield f"{path}/{item.name}", item
        elif item.is_dir() and item.name not in SKIPPED_FOLDERS:
            yield from walk(item, f"{path}/{item.name}")


def python_texts(source: str) -> Iterator[tuple[str, int]]:
    """`msg("...")`, errors raised with a text, and keyword arguments that are labels."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from call_texts(node)


def literal_texts(package: str) -> frozenset[str]:
    """Every text constant of a package, shown or not: a translation of none of them is left over."""
    found: set[str] = set(package_texts(package))
    for path, file in walk(files(package), package):
        if path.endswith(".py"):
            tree = ast.walk(ast.parse(file.read_text("utf-8")))
            found |= {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(found)


def call_texts(node: ast.Call) -> Iterator[tuple[str, int]]:
    """The readable texts among the arguments of one call."""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in FIRST or name in ERRORS:
        yield from literals(node.args[:1])
    elif name in SECOND:
        yield from literals(node.args[1:2])
    elif name == "plural":
        yield from literals(node.args[:1])
    yield from literals([word.value for word in node.keywords if word.arg in KEYWORDS])


def literals(arguments: Iterable[ast.expr]) -> Iterator[tuple[str, int]]:
    """Constant texts, in both branches of a condition too."""
    for argument in arguments:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value.strip():
            yield argument.value, argument.lineno
        elif isinstance(argument, ast.IfExp):
            yield from literals([argument.body, argument.orelse])


def template_texts(source: str) -> Iterator[tuple[str, int]]:
    """`t("...")`, `_("...")` and `"..."|t` of a page's template."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]).parse(source)
    for node in tree.find_all((nodes.Call, nodes.Filter)):
        yield from template_call_texts(node)


def template_call_texts(node: nodes.Node) -> Iterator[tuple[str, int]]:
    """The texts that one call or filter of a template translates."""
    values: list[nodes.Node] = []
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in TEMPLATE_CALLS:
        values = list(node.args[:1])
    elif isinstance(node, nodes.Filter) and node.name in TEMPLATE_CALLS and node.node is not None:
        values = [node.node]
    for value in values:
        yield from template_literals(value)


def template_literals(value: nodes.Node) -> Iterator[tuple[str, int]]:
    """Constant texts, in both branches of a condition too."""
    if isinstance(value, nodes.Const) and isinstance(value.value, str) and value.value.strip():
        yield value.value, value.lineno
    elif isinstance(value, nodes.CondExpr):
        for branch in (value.expr1, value.expr2):
            if branch is not None:
                yield from template_literals(branch)


def labels(value: Any, place: str = "") -> Found:
    """The labels of declared values (entity and field specs, choice lists, manifests), walked through their fields."""
    found: Found = {}
    collect(value, place, found, set())
    return found


def collect(value: Any, place: str, found: Found, seen: set[int]) -> None:
    """Adds the labels of one value and of what it holds."""
    if id(value) in seen or isinstance(value, str | bytes | type):
        return
    seen.add(id(value))
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            collect(item, place, found, seen)
    elif is_dataclass(value):
        place = str(getattr(value, "name", "") or place)
        own_labels(value, place, found)
        for item in fields(value):
            if item.name not in SPEC_LABELS and not callable(getattr(value, item.name)):
                collect(getattr(value, item.name), place, found, seen)


def own_labels(value: Any, place: str, found: Found) -> None:
    """The labels of one declared value; what an administrator wrote is his own and not translated here."""
    if getattr(value, "custom", False):
        return
    for name in SPEC_LABELS:
        text = getattr(value, name, "")
        if isinstance(text, str) and text.strip():
            found.setdefault(text, f"{place}.{name}")
    for choice in getattr(value, "choices", ()):
        if isinstance(choice, tuple):
            found.setdefault(choice[1], f"{place}.choices")


def placeholders(text: str) -> frozenset[str]:
    """The names that a text fills in; a translation must have the same."""
    return frozenset(PLACEHOLDER.findall(text))


BAD_SPACE: Final = re.compile(r"(?<=[^\s\u00a0\u202f:/?&=0-9A-Z])[:;!?](?=\s|$)|[ ][:;!?»](?=\s|$)|«[ ]")

CODE: Final = re.compile(r"'[^']*'|`[^`]*`|https?://\S+")


def typography(text: str) -> str:
    """What French typography refuses in a text: `:`, `;`, `!`, `?` without a no-break space before. Empty = fine."""
    match = BAD_SPACE.search(CODE.sub("x", PLACEHOLDER.sub("x", text)))
    return match[0] if match else ""


def as_po(texts: Iterable[str], place: Callable[[str], str]) -> str:
    """Entries to paste into a .po file."""
    lines = []
    for text in sorted(texts):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'#: {place(text)}\nmsgid "{quoted}"\nmsgstr ""\n')
    return "\n".join(lines)
