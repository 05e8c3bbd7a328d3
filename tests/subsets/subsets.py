"""Which sets of plugins are tried together: none, each alone, pairs that touch each other, some by chance, all."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping

from gigacore import Plugin
from gigacore.plugins.registration import fields

SEED = 20_261_122
BY_CHANCE = 20
Subset = tuple[str, ...]


def closed(names: Iterable[str], plugins: Mapping[str, Plugin]) -> Subset:
    """The plugins with all that they require, required ones first."""
    found: dict[str, None] = {}
    for name in names:
        if name in plugins:
            found |= dict.fromkeys((*closed(plugins[name].requires, plugins), name))
    return tuple(found)


def touched(plugin: Plugin) -> set[str]:
    """The entities that a plugin brings, refers to or adds something to, but for the core's."""
    parts = (*plugin.panels, *plugin.tabs, *plugin.columns, *plugin.actions, *plugin.bulk_actions)
    own = {entity.__giga__.name for entity in plugin.entities}
    others = {one.__extension__.entity for one in plugin.extensions} | {part.entity for part in parts}
    return own | others | {spec.target for spec in fields(plugin) if spec.target}


def touching(plugins: Mapping[str, Plugin]) -> Iterator[tuple[str, str]]:
    """Pairs that meet on an entity, or of which one names the other."""
    for one, other in itertools.combinations(sorted(plugins), 2):
        a, b = plugins[one], plugins[other]
        named = one in (*b.requires, *b.after) or other in (*a.requires, *a.after)
        if named or {name for name in touched(a) & touched(b) if not name.startswith("core.")}:
            yield one, other


def subsets(plugins: Mapping[str, Plugin]) -> list[Subset]:
    """Those that are always tried, each once."""
    chance = random.Random(SEED)
    found: list[Iterable[str]] = [(), *((name,) for name in sorted(plugins)), *touching(plugins)]
    found += [chance.sample(sorted(plugins), chance.randint(1, len(plugins))) for _ in range(BY_CHANCE)]
    return unique([*found, sorted(plugins)], plugins)


def pairs(plugins: Mapping[str, Plugin]) -> list[Subset]:
    """Every pair that is not among those that are always tried."""
    known = {frozenset(one) for one in subsets(plugins)}
    every = unique(itertools.combinations(sorted(plugins), 2), plugins)
    return [one for one in every if frozenset(one) not in known]


def unique(wanted: Iterable[Iterable[str]], plugins: Mapping[str, Plugin]) -> list[Subset]:
    """Each set once, closed under what its plugins require."""
    found: dict[frozenset[str], Subset] = {}
    for names in wanted:
        one = closed(names, plugins)
        found.setdefault(frozenset(one), one)
    return list(found.values())
