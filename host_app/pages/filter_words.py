"""A filter in words, for chips and titles: what groups and related records say, as far as a line has room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gigacore.entity import BadValue
from gigacore.messages import Msg, msg
from host_app.pages import filters
from host_app.pages.columns import label_of
from host_app.pages.filter_rows import Rows, Scope
from host_app.pages.filter_tree import Leaf, Node, from_json
from host_app.pages.filter_values import value_from
from host_app.pages.filters import Condition

LONGEST: Final = 160


def words_of(tree: Any, rows: Rows, scope: Scope) -> str:
    """The filter as a phrase, cut where it grows too long."""
    text = _node(from_json(tree, rows, scope), rows, scope)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _node(node: Node, rows: Rows, scope: Scope) -> str:
    if isinstance(node, Leaf):
        return _leaf(node, rows, scope)
    tell = scope.reader.t
    below = scope.related(rows, node.relation) if node.relation else rows
    if below is None:
        return tell(msg("further conditions"))
    joint = tell(msg("or")) if node.mode in ("any", "none") else tell(msg("and"))
    parts = [_bracketed(item, _node(item, below, scope)) for item in node.items]
    text = f" {joint} ".join(parts)
    if node.mode in ("none", "notall"):
        text = tell(msg("not ({conditions})", conditions=text))
    return _related(node.relation, node.quantifier, text, rows, scope) if node.relation else text


def _bracketed(item: Node, text: str) -> str:
    return f"({text})" if not isinstance(item, Leaf) and not item.relation and len(item.items) > 1 else text


def _related(relation: str, quantifier: str, text: str, rows: Rows, scope: Scope) -> str:
    label = dict(scope.relations(rows)).get(relation, relation)
    some: Msg = msg("with {things}", things=label) if quantifier == "some" else msg("without {things}", things=label)
    told = scope.reader.t(some)
    return f"{told} ({text})" if text else told


def _leaf(leaf: Leaf, rows: Rows, scope: Scope) -> str:
    spec, part = scope.resolve(leaf.steps, rows)
    if spec is None or leaf.text:
        return scope.reader.t(msg("further conditions"))
    try:
        op, value = value_from(leaf.op, leaf.raw, spec, part, scope.reader)
    except BadValue:
        return scope.reader.t(msg("further conditions"))
    op = "filled" if op == "empty" and not value else op
    shown = value.get("amount") if isinstance(value, dict) and "amount" in value else value
    _label, word, told = filters.told(Condition(leaf.path, op, shown), spec, {}, scope.reader)
    return " ".join(text for text in (_path(leaf.steps, rows, scope), word, told) if text)


def _path(steps: Sequence[str], rows: Rows, scope: Scope) -> str:
    """The labels along the path."""
    found = [scope.resolve(steps[: place + 1], rows)[0] for place in range(len(steps))]
    return ": ".join(dict.fromkeys(label_of(one, scope.reader) for one in found if one is not None))
