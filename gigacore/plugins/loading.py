"""Turns candidates into running plugins: imports, checks and orders them; what fails is kept apart with its reason."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gigacore.data.relations import CoreRelations
from gigacore.entity import Registry, metadata
from gigacore.errors import GigaError, PluginError
from gigacore.messages import Msg, msg
from gigacore.plugins.calls import Calls
from gigacore.plugins.discovery import Candidate
from gigacore.plugins.dispatch import Dispatcher
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.order import arrange
from gigacore.plugins.portions import several
from gigacore.plugins.registration import check, check_references, missing_tables, prefix_clashes
from gigacore.plugins.watching import threads_of, watched
from gigacore.ui import Column, NavItem, Panel, Tab, Widget
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.plugins.hookspecs import Verifier

log: Final = logging.getLogger("gigacore.plugins")
MOST_PARTS: Final = 1000
R = TypeVar("R")
_PLACES: Final = MappingProxyType({NavItem: "nav", Tab: "tabs", Panel: "panels", Column: "columns", Widget: "widgets"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """The plugins that run, in order, and what they declare together; `refused` says why others do not."""

    plugins: tuple[Plugin, ...]
    refused: Mapping[str, Msg]
    registry: Registry
    dispatcher: Dispatcher
    verifiers: Mapping[str, Verifier] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Plugin:
        return next(plugin for plugin in self.plugins if plugin.name == name)


@dataclass(slots=True)
class Loader:
    """Loads plugins. With `strict` the first failure is raised; otherwise it is kept in `refused`.

    A failure of a built-in plugin is raised in any case: the application is nothing without it. `admit` raises for a
    plugin that may not run, because its tables do not fit for instance. Without `telling` a plugin that is refused with
    a reason is not logged: whoever asked is told; what it raised unexpectedly is logged in any case.
    """

    strict: bool = False
    calls: Calls = field(default_factory=Calls)
    admit: Callable[[Plugin], None] = lambda _plugin: None
    telling: bool = True
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
            plugin = None if name in self.refused else self._try(name, self._import, candidate)
            if plugin is not None and self._try(name, self._check, plugin):
                plugins[name] = plugin
        while True:
            before = len(self.refused)
            loaded = self._assemble(plugins)
            if len(self.refused) == before:
                return loaded

    def _import(self, candidate: Candidate) -> Plugin:
        before = threads_of(candidate.package)
        plugin = candidate.load()
        if started := threads_of(candidate.package) - before:
            error = PluginError(
                plugin.name,
                msg("It started threads: {names}.", names=_names(started)),
                fix=msg("Do that work in a job."),
            )
            self.calls.note(plugin.name, "import", error)
        return plugin

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
            fix = msg("Install, enable or mend that one first: `giga plugin doctor` names the command.")
            self._refuse(name, PluginError(name, reason, fix=fix))
        dispatcher = Dispatcher(strict=self.strict, calls=self.calls)
        joined = [self._try(p.name, _joined, p, plugins, dispatcher) for p in order]
        running = [p for p in joined if p is not None]
        registry = self._registry(running)
        complete = [self._try(p.name, _with_declared, p, dispatcher, registry) or p for p in running]
        verifiers: dict[str, Verifier] = {}
        for plugin in running:
            verifiers |= self._try(plugin.name, _verifiers, plugin, dispatcher) or {}
        return Loaded(tuple(complete), MappingProxyType(self.refused), registry, dispatcher, verifiers)

    def _check(self, plugin: Plugin) -> bool:
        check(plugin)
        if lost := missing_tables(plugin, metadata):
            raise PluginError(
                plugin.name,
                msg("Nothing declares the tables {names}.", names=", ".join(lost)),
                fix=msg("Declare them in its models, or take them out of tables=."),
            )
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
            if isinstance(error, SystemExit):  # raised as it is, it would end the process without a word
                reason = msg("{name} cannot run: {reason}", name=name, reason=_reason(error))
                raise PluginError(name, reason, fix=msg("Take what ends the program out of its modules.")) from error
            raise error
        if name not in self.refused:
            trace = None if isinstance(error, GigaError) else error
            if trace or self.telling:
                log.error("Plugin %s cannot run: %s", name, _reason(error), extra={"plugin": name}, exc_info=trace)
            self.refused[name] = _reason(error)


def _reason(error: BaseException) -> Msg:
    if isinstance(error, GigaError):
        return msg("{reason} {fix}", reason=error.message, fix=error.fix) if error.fix else error.message
    return msg("{error}: {text}", error=type(error).__name__, text=str(error) or "-")


def _names(threads: Iterable[threading.Thread]) -> str:
    return ", ".join(sorted(thread.name for thread in threads))


def _joined(plugin: Plugin, plugins: Mapping[str, Plugin], dispatcher: Dispatcher) -> Plugin:
    check_references(plugin, plugins)
    dispatcher.add(plugin)
    return watched(plugin, dispatcher)


def _with_declared(plugin: Plugin, dispatcher: Dispatcher, registry: Registry) -> Plugin:
    """The plugin with the parts of pages that its `declare_parts` adds to those of its manifest."""
    parts: dict[str, tuple[Any, ...]] = {}
    for found in dispatcher.declare(plugin.name, "declare_parts", registry=registry):
        for part in several(plugin.name, found, MOST_PARTS):
            name = _PLACES.get(type(part), "")
            if not name:
                raise PluginError(
                    plugin.name,
                    msg("declare_parts gives {what}, no part of a page.", what=repr(part)[:80]),
                    fix=msg("Give parts of gigacore.ui, for instance Panel, Tab, Widget or RecordAction."),
                )
            parts[name] = (*parts.get(name, getattr(plugin, name)), part)
    completed: Plugin = replace(plugin, **parts)  # type: ignore[arg-type]
    check(completed)
    return completed


def _verifiers(plugin: Plugin, dispatcher: Dispatcher) -> Mapping[str, Verifier]:
    """The checks that the plugin's `declare_verifiers` gives, under the plugin's name."""
    found = dispatcher.declare(plugin.name, "declare_verifiers")
    if wrong := [one for one in found if not isinstance(one, Mapping | None)]:
        raise PluginError(
            plugin.name,
            msg("declare_verifiers gives {what}, no mapping.", what=repr(wrong[0])[:80]),
            fix=msg("Give a mapping of names to functions."),
        )
    return {f"{plugin.name}.{name}": check for one in found if isinstance(one, Mapping) for name, check in one.items()}


def _combined(plugins: Iterable[Plugin]) -> Registry:
    known = list(plugins)
    registry = Registry.build(
        [entity for plugin in known for entity in plugin.entities],
        extensions=[extension for plugin in known for extension in plugin.extensions],
        choice_lists=[entry for plugin in known for entry in plugin.choice_lists],
        actions=[action for plugin in known for action in plugin.actions],
        relation_sources=(CoreRelations(),),
    )
    return replace(
        registry,
        link_kinds=tuple(kind for plugin in known for kind in plugin.link_kinds),
        bulk_actions=tuple(action for plugin in known for action in plugin.bulk_actions),
    )
