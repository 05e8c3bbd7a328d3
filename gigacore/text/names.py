"""Names in a template that its data will never have: told when it is saved instead of when it is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from jinja2 import meta, nodes

from gigacore.messages import Msg, msg
from gigacore.text import sandbox

GUARDS: Final = frozenset({"default", "d", "defined"})


def unknown_name(text: str, known: Mapping[str, Collection[str] | None]) -> Msg | None:
    """The first name that is not there, told to the author; None when all are.

    `known` holds the names of each root, such as `record`; None = any. What a `default` or `is defined` guards may be
    missing. Raises `sandbox.Refusal` for a template that cannot be read.
    """
    tree = sandbox.parse(text, sandbox.SandboxEnvironment(False, {}))
    guarded = {id(inner) for node in _guards(tree) for inner in [node, *node.find_all(nodes.Node)]}
    free = meta.find_undeclared_variables(tree)
    for name in tree.find_all(nodes.Name):
        if name.name in free and name.name not in known and id(name) not in guarded:
            return _told(name.name, name.lineno)
    for node in tree.find_all(nodes.Getattr):
        root = node.node.name if isinstance(node.node, nodes.Name) and node.node.name in free else ""
        names = known.get(root)
        if names is not None and node.attr not in names and id(node) not in guarded:
            return _told(f"{root}.{node.attr}", node.lineno)
    return None


def _guards(tree: nodes.Template) -> Iterator[nodes.Node]:
    """What is guarded."""
    yield from (one.node for one in tree.find_all(nodes.Test) if one.name in GUARDS)
    yield from (one.node for one in tree.find_all(nodes.Filter) if one.name in GUARDS and one.node is not None)


def _told(name: str, line: int) -> Msg:
    unknown = msg("The template uses an unknown name: {detail}", detail=name)
    return msg("Line {line}: {problem}", line=line, problem=unknown)
