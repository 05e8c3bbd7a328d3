"""A filter as a tree that people edit: groups, related records and conditions, to and from JSON and form inputs.

Each node has a path (`0`, `0.2`, `0.2.1`) that begins the names of its inputs: `n.0.2.op`. What no input can show is
kept as JSON text, so that every filter of the language goes through unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

import orjson

from gigacore.entity import BadValue
from gigacore.messages import msg
from gigacore.values import dataclass
from host_app.pages.filter_rows import Rows, Scope
from host_app.pages.filter_values import raw_of_value, value_from
from host_app.pages.raw import Raw

MODES: Final = ("all", "any", "none", "notall")
MOST_DEPTH: Final = 6
START: Final = "n."


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition: the steps of its field's path, the operator, and the texts of its value's inputs."""

    steps: tuple[str, ...] = ()
    op: str = ""
    raw: Raw = field(default_factory=Raw)
    text: str = ""
    problem: str = ""

    @property
    def path(self) -> str:
        """The path as the filter language writes it."""
        return ".".join(step for step in self.steps if step)


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all, any, none, or not all hold; about related records where `relation` names them."""

    mode: str = "all"
    items: tuple[Node, ...] = ()
    relation: str = ""
    quantifier: str = "some"


Node = Leaf | Group


def from_json(tree: Any, rows: Rows, scope: Scope) -> Group:
    """The tree of a filter; anything but a group becomes a group of one."""
    if tree is None:
        return Group()
    found = _node(tree, rows, scope)
    return found if isinstance(found, Group) and not found.relation else Group(items=(found,))


def _node(tree: Any, rows: Rows, scope: Scope) -> Node:
    if isinstance(tree, Mapping) and len(tree) == 1:
        (word, inner), *_ = tree.items()
        if word in ("all", "any") and isinstance(inner, list):
            return Group(word, tuple(_node(item, rows, scope) for item in inner))
        if word == "not" and isinstance(inner, Mapping) and len(inner) == 1:
            return _negated(inner, rows, scope)
        if word in ("some", "none") and isinstance(inner, Mapping):
            return _related(word, inner, rows, scope)
    return _leaf(tree, rows, scope)


def _negated(inner: Mapping[str, Any], rows: Rows, scope: Scope) -> Node:
    (word, items), *_ = inner.items()
    if word not in ("all", "any") or not isinstance(items, list):
        return Group("none", (_node(inner, rows, scope),))
    return Group({"any": "none", "all": "notall"}[word], tuple(_node(item, rows, scope) for item in items))


def _related(word: str, inner: Mapping[str, Any], rows: Rows, scope: Scope) -> Node:
    name = inner.get("relation")
    below = scope.related(rows, name) if isinstance(name, str) else None
    if below is None or set(inner) - {"relation", "where"}:
        return Leaf(text=_dumped({word: inner}))
    where = from_json(inner.get("where"), below, scope)
    return replace(where, relation=str(name), quantifier=word)


def _leaf(tree: Any, rows: Rows, scope: Scope) -> Leaf:
    if not isinstance(tree, Mapping) or set(tree) - {"field", "op", "value"} or not isinstance(tree.get("field"), str):
        return Leaf(text=_dumped(tree))
    steps = scope.steps(tree["field"], rows)
    spec, part = scope.resolve(steps, rows) if steps else (None, "")
    if spec is None:
        return Leaf(text=_dumped(tree))
    op, raw = raw_of_value(tree.get("op", "eq"), tree.get("value"), spec, part, scope.reader)
    made = Leaf(steps, op, raw)
    try:
        same = bool(op) and _is_same(value_from(op, raw, spec, part, scope.reader), tree)
    except BadValue:
        same = False
    return made if same else Leaf(text=_dumped(tree))


def _is_same(found: tuple[str, Any], tree: Mapping[str, Any]) -> bool:
    op, value = found
    given, wanted = tree.get("op", "eq"), tree.get("value")
    if op == given == "changed":
        return wanted is not False
    if op == given == "empty":
        return (value is not False) == (wanted is not False)
    single = {"in": "eq", "nin": "ne"}.get(op) == given and isinstance(value, list) and value == [wanted]
    return single or (op == given and _plain(value) == _plain(wanted))


def _plain(value: Any) -> Any:
    """Values that mean the same are written in the same way: numbers as text without idle zeros."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "").lstrip("-").isdigit() else text


def _dumped(tree: Any) -> str:
    return orjson.dumps(tree).decode()


def to_json(node: Node, rows: Rows, scope: Scope) -> Any:
    """The filter of a tree. Raises BadValue for a leaf at fault."""
    if isinstance(node, Leaf):
        return _leaf_json(node, rows, scope)
    below = scope.related(rows, node.relation) if node.relation else rows
    if below is None:
        raise BadValue(msg("Choose what is related."))
    items = [to_json(item, below, scope) for item in node.items]
    inner: Any = items[0] if len(items) == 1 and node.mode in ("all", "any") else {_word(node.mode): items}
    inner = {"not": inner} if node.mode in ("none", "notall") else inner
    return {node.quantifier: {"relation": node.relation, "where": inner}} if node.relation else inner


def _word(mode: str) -> str:
    return "any" if mode in ("any", "none") else "all"


def _leaf_json(leaf: Leaf, rows: Rows, scope: Scope) -> Any:
    if leaf.text:
        try:
            return orjson.loads(leaf.text)
        except orjson.JSONDecodeError:
            raise BadValue(msg("This condition is damaged.")) from None
    spec, part = scope.resolve(leaf.steps, rows)
    if spec is None:
        raise BadValue(msg("Choose a field."))
    op, value = value_from(leaf.op, leaf.raw, spec, part, scope.reader)
    return {"field": leaf.path, "op": op, "value": value}


def from_form(raw: Raw, root: str = "0") -> Group:
    """The tree that a submitted form holds; `root` begins its paths, where a form holds several."""
    found = _read(root, raw, 0)
    return found if isinstance(found, Group) else Group()


def _read(at: str, raw: Raw, depth: int) -> Node:
    start = f"{START}{at}."
    if raw.text(f"{start}t") == "c" or depth > MOST_DEPTH:
        inner = Raw({name.removeprefix(start): texts for name, texts in raw.items() if name.startswith(start)})
        steps = tuple(inner.text(f"f{place}") for place in range(3))
        return Leaf(tuple(step for step in steps if step), inner.text("op"), inner, inner.text("json"))
    mode = raw.text(f"{start}m")
    return Group(
        mode if mode in MODES else "all",
        tuple(_read(f"{at}.{place}", raw, depth + 1) for place in _places(start, raw)),
        raw.text(f"{start}r"),
        "none" if raw.text(f"{start}q") == "none" else "some",
    )


def _places(start: str, raw: Raw) -> list[int]:
    found = (name.removeprefix(start).split(".") for name in raw if name.startswith(start))
    return sorted({int(parts[0]) for parts in found if len(parts) == 2 and parts[0].isdigit() and parts[1] == "t"})


def edited(root: Group, command: str) -> Group:
    """The tree after a button was pressed: `add:0.1`, `group:0`, `rows:0`, `remove:0.2`."""
    word, _, at = command.partition(":")
    places = [int(part) for part in at.split(".")[1:] if part.isdigit()]
    if word == "remove":
        return _removed(root, places)
    new: dict[str, Node] = {"add": Leaf(), "group": Group("any", (Leaf(),)), "rows": Group(relation="?")}
    return _added(root, places, new[word]) if word in new else root


def _added(group: Group, places: list[int], node: Node) -> Group:
    if not places:
        return replace(group, items=(*group.items, node))
    return _below(group, places, lambda inner: _added(inner, places[1:], node))


def _removed(group: Group, places: list[int]) -> Group:
    if len(places) == 1:
        return replace(group, items=group.items[: places[0]] + group.items[places[0] + 1 :])
    return _below(group, places, lambda inner: _removed(inner, places[1:]))


def _below(group: Group, places: list[int], change: Any) -> Group:
    if not places or places[0] >= len(group.items) or not isinstance(group.items[places[0]], Group):
        return group
    items = list(group.items)
    items[places[0]] = change(items[places[0]])
    return replace(group, items=tuple(items))


def leaves(
    node: Node, rows: Rows, scope: Scope, around: tuple[str, ...] = ()
) -> Iterator[tuple[Leaf, Rows, tuple[str, ...]]]:
    """Every condition with the rows that it is about and the relations that lead there."""
    if isinstance(node, Leaf):
        yield node, rows, around
        return
    below = scope.related(rows, node.relation) if node.relation else rows
    for item in node.items if below is not None else ():
        yield from leaves(item, below, scope, (*around, node.relation) if node.relation else around)  # type: ignore[arg-type]


def with_problems(node: Node, problems: Mapping[int, str]) -> Node:
    """The tree with what is wrong beside each condition, by its identity."""
    if isinstance(node, Leaf):
        return replace(node, problem=problems.get(id(node), ""))
    return replace(node, items=tuple(with_problems(item, problems) for item in node.items))


def wrapped(tree: Any, around: Iterable[str]) -> Any:
    """A condition on related rows as one on the record, so that it can be judged alone."""
    for relation in reversed(list(around)):
        tree = {"some": {"relation": relation, "where": tree}}
    return tree
