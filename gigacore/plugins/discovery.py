"""Finding plugins: distribution metadata is read first, code is imported only for the plugins that shall run."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, distributions
from types import ModuleType
from typing import Final

from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.plugins.manifest import API_LEVEL, Plugin
from gigacore.values import dataclass

CONVENTIONAL: Final = ("models", "services", "hooks", "jobs", "automation")
_ANY_LEVEL: Final = re.compile(r"gigacore\.plugins\.v(\d+)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that could be loaded; `value` is `package:attribute`, `given` a manifest handed over by the program."""

    name: str
    value: str = ""
    distribution: str = ""
    version: str = ""
    level: int = API_LEVEL[0]
    given: Plugin | None = None
    rivals: tuple[str, ...] = ()
    builtin: bool = False

    @property
    def package(self) -> str:
        """The package that holds the manifest."""
        if self.given is not None and self.given.package:
            return self.given.package
        return self.value.partition(":")[0]

    def load(self) -> Plugin:
        """Imports the plugin and its conventional submodules.

        Raises whatever the plugin's code raises, `SystemExit` included; `PluginError` when metadata and manifest
        contradict each other.
        """
        self._check_metadata()
        plugin = self.given if self.given is not None else self._import()
        if plugin.name != self.name:
            raise PluginError(
                self.name,
                msg("The entry point is called {entry}, the manifest {name}.", entry=self.name, name=plugin.name),
                fix=msg("Give both the same name."),
            )
        return replace(
            plugin,
            version=plugin.version or self.version,
            package=self.package,
            hooks=(*plugin.hooks, *(one for one in import_conventional(self.package) if one not in plugin.hooks)),
        )

    def _check_metadata(self) -> None:
        if self.level != API_LEVEL[0]:
            raise PluginError(
                self.name,
                msg(
                    "It is made for plugin API {asked}; this gigacore offers {offered}.",
                    asked=self.level,
                    offered=API_LEVEL[0],
                ),
                fix=msg("Install a version of gigacore or of the plugin so that the two match."),
            )
        if self.rivals:
            raise PluginError(
                self.name,
                msg("Two distributions offer it: {names}.", names=", ".join(self.rivals)),
                fix=msg("Uninstall one of them."),
            )

    def _import(self) -> Plugin:
        module_name, _, attribute = self.value.partition(":")
        found = getattr(importlib.import_module(module_name), attribute or "plugin", None)
        if not isinstance(found, Plugin):
            raise PluginError(
                self.name,
                msg("{value} is not a Plugin.", value=self.value),
                fix=msg("Let the entry point name the Plugin value of the package."),
            )
        return found


def discover() -> list[Candidate]:
    """The plugins that installed distributions offer, by name. Imports nothing."""
    found: dict[str, Candidate] = {}
    for candidate in sorted(_offered(), key=lambda c: (c.name, c.distribution)):
        first = found.get(candidate.name)
        found[candidate.name] = candidate if first is None else _rival(first, candidate)
    return list(found.values())


def given(plugins: Iterable[Plugin]) -> list[Candidate]:
    """Candidates for manifests that the program hands over itself."""
    return [Candidate(plugin.name, version=plugin.version, given=plugin) for plugin in plugins]


def import_conventional(package: str) -> Sequence[ModuleType]:
    """Imports the conventional submodules that `package` has; returns the one called `hooks`, if there is one."""
    present = [n for n in CONVENTIONAL if package and importlib.util.find_spec(f"{package}.{n}") is not None]
    modules = {name: importlib.import_module(f"{package}.{name}") for name in present}
    return [modules["hooks"]] if "hooks" in modules else []


def _offered() -> Iterator[Candidate]:
    for distribution in distributions():
        for entry_point in distribution.entry_points:
            level = _ANY_LEVEL.fullmatch(entry_point.group)
            if level is not None:
                yield _candidate(entry_point, int(level[1]))


def _candidate(entry_point: EntryPoint, level: int) -> Candidate:
    dist = entry_point.dist
    name, version = (dist.name, dist.version) if dist is not None else ("", "")
    return Candidate(entry_point.name, entry_point.value, name, version, level)


def _rival(first: Candidate, second: Candidate) -> Candidate:
    if first.distribution == second.distribution and first.value == second.value:
        return first
    if first.level != second.level:
        return first if first.level == API_LEVEL[0] else second
    return replace(first, rivals=(*(first.rivals or (first.distribution,)), second.distribution))
