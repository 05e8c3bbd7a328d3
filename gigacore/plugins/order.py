"""The order in which plugins are loaded, and which of them cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Protocol, TypeVar

from gigacore.messages import Msg, msg


class Node(Protocol):
    """What ordering needs to know of a plugin."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def requires(self) -> Iterable[str]:
        """Plugins without which it cannot run."""

    @property
    def after(self) -> Iterable[str]:
        """Plugins that come first if they are there."""


N = TypeVar("N", bound=Node)


def arrange(plugins: Mapping[str, N], refused: Mapping[str, Msg]) -> tuple[list[N], dict[str, Msg]]:
    """`plugins` in topological order, the name deciding ties, and the reason for each that had to be left out.

    `refused` are plugins already known to be out of order; what requires them is left out too. `after` only orders:
    neither a missing plugin nor a cycle of soft wishes keeps anything from loading.
    """
    out = dict(refused)
    usable = {name: plugin for name, plugin in plugins.items() if name not in out}
    while (found := _unmet(usable, out) or _cycle(usable)) is not None:
        name, reason = found
        out[name] = reason
        del usable[name]
    return _sorted(usable), {name: reason for name, reason in out.items() if name not in refused}


def dependents(plugins: Mapping[str, Node], name: str) -> list[str]:
    """The plugins that require `name`, directly or through others."""
    found: list[str] = []
    wave = {name}
    while wave:
        wave = {p.name for p in plugins.values() if wave & set(p.requires) and p.name not in found}
        found += sorted(wave)
    return found


def _unmet(usable: Mapping[str, Node], out: Mapping[str, Msg]) -> tuple[str, Msg] | None:
    for name in sorted(usable):
        for wanted in usable[name].requires:
            if wanted in out:
                return name, msg("It requires {plugin}, which is out of order.", plugin=wanted)
            if wanted not in usable:
                return name, msg("It requires {plugin}, which is not installed or not enabled.", plugin=wanted)
    return None


def _cycle(usable: Mapping[str, Node]) -> tuple[str, Msg] | None:
    cycle = _find_cycle({name: set(plugin.requires) for name, plugin in usable.items()})
    if not cycle:
        return None
    return min(cycle), msg("It requires itself: {path}.", path=" → ".join(cycle))


def _find_cycle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _sorted(usable: Mapping[str, N]) -> list[N]:
    hard = {name: set(plugin.requires) for name, plugin in usable.items()}
    soft = {name: hard[name] | {a for a in plugin.after if a in usable} for name, plugin in usable.items()}
    sorter = TopologicalSorter(_without_soft_cycles(hard, soft))
    sorter.prepare()
    done: list[N] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()])
        name = ready.pop(0)
        sorter.done(name)
        done.append(usable[name])
    return done


def _without_soft_cycles(hard: Mapping[str, set[str]], soft: Mapping[str, set[str]]) -> dict[str, set[str]]:
    graph = {name: set(before) for name, before in hard.items()}
    for name in sorted(soft):
        for before in sorted(soft[name] - hard[name]):
            graph[name].add(before)
            if _find_cycle(graph):
                graph[name].discard(before)
    return graph
