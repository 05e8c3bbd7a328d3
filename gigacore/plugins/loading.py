"""Turns candidates into running plugins: imports, checks and orders them; what fails is kept apart with its reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from gigacore.data.relations import CoreRelations
from gigacore.entity import Registry, metadata
from gigacore.errors import GigaError, PluginError
from gigacore.messages import Msg, msg
from gigacore.plugins.discovery import Candidate
from gigacore.plugins.dispatch import Dispatcher
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.order import arrange
from gigacore.plugins.registration import check, check_references, missing_tables, prefix_clashes
from gigacore.ui import Column, NavItem, Panel, Tab, Widget

log: Final = logging.getLogger("gigacore.plugins")
R = TypeVar("R")
_PLACES: Final = MappingProxyType({NavItem: "nav", Tab: "tabs", Panel: "panels", Column: "columns", Widget: "widgets"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plugins that run, in order, and what they declare together; `refused` says why others do not."""

    plugins: tuple[Plugin, ...]
    refused: Mapping[str, Msg]
    registry: Registry
    dispatcher: Dispatcher

    def __getitem__(self, name: str) -> Plugin:
        return next(plugin for plugin in self.plugins if plugin.name == name)


@dataclass(slots=True)
class Loader:
    """Loads plugins. With `strict` the first failure is raised; otherwise it is kept in `refused`.

    A failure of a built-in plugin is raised in any case: the application is nothing without it. `admit` raises for a
    plugin that may not run, because its tables do not fit for instance.
    """

    strict: bool = False
    admit: Callable[[Plugin], None] = lambda _plugin: None
    refused: dict[str, Msg] = field(default_factory=dict)
    _vital: frozenset[str] = frozenset()

    def load(self, candidates: Iterable[Candidate], others: Iterable[str] = ()) -> Loaded:
        """Imports the candidates and starts those that can run. `others` are names taken by plugins not to be run.

        A failure refuses its plugin and all that require it; the rest is put together anew without them.
        """
        wanted = {candidate.name: candidate for candidate in candidates}
        self._vital = frozenset(name for name, candidate in wanted.items() if candidate.builtin)
        self._refuse_clashes(wanted, others)
        plugins = {}
        for name, candidate in wanted.items():
            plugin = None if name in self.refused else self._try(name, candidate.load)
            if plugin is not None and self._try(name, self._check, plugin):
                plugins[name] = plugin
        while True:
            before = len(self.refused)
            loaded = self._assemble(plugins)
            if len(self.refused) == before:
                return loaded

    def _refuse_clashes(self, wanted: Mapping[str, Candidate], others: Iterable[str]) -> None:
        for shorter, longer in prefix_clashes({*wanted, *others}).items():
            loser = longer if shorter not in wanted or wanted[shorter].builtin else shorter
            other = longer if loser == shorter else shorter
            if loser in wanted:
                reason = msg("Its name and {other} cannot be told apart in table names.", other=other)
                self._refuse(loser, PluginError(loser, reason, fix=msg("One of the two needs another name.")))

    def _assemble(self, plugins: Mapping[str, Plugin]) -> Loaded:
        order, out = arrange({n: p for n, p in plugins.items() if n not in self.refused}, self.refused)
        for name, reason in out.items():
            self._refuse(name, PluginError(name, reason))
        dispatcher = Dispatcher(strict=self.strict)
        running = [p for p in order if self._try(p.name, _joined, p, plugins, dispatcher)]
        registry = self._registry(running)
        complete = [self._try(p.name, _with_declared, p, dispatcher, registry) or p for p in running]
        return Loaded(tuple(complete), MappingProxyType(self.refused), registry, dispatcher)

    def _check(self, plugin: Plugin) -> bool:
        check(plugin)
        if lost := missing_tables(plugin, metadata):
            raise PluginError(plugin.name, msg("Nothing declares the tables {names}.", names=", ".join(lost)))
        self.admit(plugin)
        return True

    def _registry(self, plugins: Iterable[Plugin]) -> Registry:
        """The registry of all plugins that fit into one; a plugin that does not fit is refused."""
        kept: list[Plugin] = []
        registry = Registry.build(())
        for plugin in plugins:
            found = self._try(plugin.name, _combined, [*kept, plugin])
            if found is not None:
                kept.append(plugin)
                registry = found
        return registry

    def _try(self, name: str, call: Callable[..., R], *arguments: object) -> R | None:
        try:
            return call(*arguments)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit included
            self._refuse(name, error)
            return None

    def _refuse(self, name: str, error: BaseException) -> None:
        if self.strict or name in self._vital:
            raise error
        if name not in self.refused:
            log.error("A plugin was put into quarantine", extra={"plugin": name}, exc_info=error)
            self.refused[name] = _reason(error)


def _reason(error: BaseException) -> Msg:
    if isinstance(error, GigaError):
        return msg("{reason} {fix}", reason=error.message, fix=error.fix) if error.fix else error.message
    return msg("{error}: {text}", error=type(error).__name__, text=str(error) or "-")


def _joined(plugin: Plugin, plugins: Mapping[str, Plugin], dispatcher: Dispatcher) -> bool:
    check_references(plugin, plugins)
    dispatcher.add(plugin)
    return True


def _with_declared(plugin: Plugin, dispatcher: Dispatcher, registry: Registry) -> Plugin:
    """The plugin with the parts of pages that its `declare_parts` adds to those of its manifest."""
    parts: dict[str, tuple[Any, ...]] = {}
    for found in dispatcher.declare(plugin.name, "declare_parts", registry=registry):
        for part in found if isinstance(found, Iterable) else ():
            name = _PLACES[type(part)]
            parts[name] = (*parts.get(name, getattr(plugin, name)), part)
    completed: Plugin = replace(plugin, **parts)  # type: ignore[arg-type]
    check(completed)
    return completed


def _combined(plugins: Iterable[Plugin]) -> Registry:
    known = list(plugins)
    return Registry.build(
        [entity for plugin in known for entity in plugin.entities],
        extensions=[extension for plugin in known for extension in plugin.extensions],
        choice_lists=[entry for plugin in known for entry in plugin.choice_lists],
        actions=[action for plugin in known for action in plugin.actions],
        relation_sources=(CoreRelations(),),
    )
