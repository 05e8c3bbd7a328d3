"""Calls hook implementations one by one, each under its hook's failure policy; pluggy validates and collects them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import pluggy

from gigacore.errors import Misuse, PluginError, Unavailable
from gigacore.filter import Condition, parse
from gigacore.messages import Msg, msg
from gigacore.plugins.calls import STOPS, Calls, is_meant
from gigacore.plugins.hookspecs import PROJECT, SPECS
from gigacore.plugins.portions import within_limits
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.entity import Entity, EntitySpec, Registry
    from gigacore.plugins.manifest import Plugin
    from gigacore.ui import Content, Slot

UNNAMED: Final = "a part of a page"


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook."""

    plugin: str
    hook: str
    function: Callable[..., object]
    arguments: tuple[str, ...]

    def __call__(self, **values: object) -> object:
        """Calls the function with those of `values` that it takes."""
        return self.function(*map(values.__getitem__, self.arguments))


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a plugin puts into a place of a page; `fault` is set instead when it could not."""

    plugin: str
    content: tuple[Content, ...] = ()
    fault: str = ""


def not_started() -> Registry:
    """The registry of hooks that are called before the application has started: there is none. Raises Misuse."""
    raise Misuse(msg("The application was not started."), fix=msg("Call crm.start() first."))


@dataclass(slots=True)
class Dispatcher:
    """The hooks of the plugins that run. Plugins are added in their order and called in the same.

    Implements the `Hooks` protocol that `gigacore.data` calls in the flush. `strict` re-raises every failure.
    `blocked` names entities whose narrowing plugin does not run: nobody sees them until it runs again. `calls` knows
    what runs at this moment, and keeps what failed; `registry` gives the declarations as they stand.
    """

    strict: bool = False
    calls: Calls = field(default_factory=Calls)
    registry: Callable[[], Registry] = not_started
    blocked: Mapping[str, str] = field(default_factory=dict)
    _hooks: dict[str, tuple[Implementation, ...]] = field(default_factory=dict)

    def add(self, plugin: Plugin) -> None:
        """Collects the plugin's implementations.

        Raises PluginError for a function marked as a hook that does not exist or takes an unknown argument; nothing
        of the plugin is registered then.
        """
        for hook, found in _collect(plugin).items():
            self._hooks[hook] = (*self._hooks.get(hook, ()), *found)

    def remove(self, plugin: str) -> None:
        """Forgets the plugin's implementations."""
        for hook, found in self._hooks.items():
            self._hooks[hook] = tuple(i for i in found if i.plugin != plugin)

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """Who implements `hook`, in calling order."""
        return self._hooks.get(hook, ())

    def declare(self, plugin: str, hook: str, **values: object) -> list[object]:
        """What `plugin` declares through `hook`. Raises whatever its code raises; the manager quarantines it then."""
        return [i(**values) for i in self.implementations(hook) if i.plugin == plugin]

    def validate_record(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Lets plugins refuse a record."""
        self._write("validate_record", ctx=ctx, entity=entity, record=record, changed=changed)

    def before_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Lets plugins complete a record before it is written."""
        self._write("before_save", ctx=ctx, entity=entity, record=record, changed=changed)

    def after_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Lets plugins add records to a write."""
        self._write("after_save", ctx=ctx, entity=entity, record=record, changed=changed)

    def before_delete(self, ctx: Context, entity: EntitySpec, record: Entity) -> None:
        """Lets plugins refuse a deletion."""
        self._write("before_delete", ctx=ctx, entity=entity, record=record)

    def activity_logged(self, ctx: Context, kind: str, at: datetime, records: Sequence[tuple[str, int]]) -> None:
        """Lets plugins bring figures up to date that depend on activities."""
        self._write("activity_logged", ctx=ctx, kind=kind, at=at, records=records)

    def narrow_policy(self, actor: Actor, entity: EntitySpec, verb: str) -> list[Condition]:
        """The conditions of all plugins; the caller joins them with AND.

        Raises Unavailable when a plugin fails or is out of order, so that nothing of the entity is shown.
        """
        if (idle := self.blocked.get(entity.name)) is not None:
            raise Unavailable(
                msg("The plugin {plugin}, which decides who sees this, is out of order.", plugin=idle),
                retry_after=60,
                fix=msg("An administrator finds the reason on the page of plugins."),
            )
        found: list[Condition] = []
        for implementation in self.implementations("narrow_policy"):
            given = self._call(implementation, {"actor": actor, "entity": entity, "verb": verb})
            if given is not None:
                found.append(self._condition(implementation, given, entity))
        return found

    def fill_slot(
        self, ctx: Context, slot: Slot, entity: EntitySpec | None = None, record: Entity | None = None
    ) -> list[Contribution]:
        """What plugins put into a place of a page; a failing one is left out and says why to administrators."""
        return [
            self.guard(i.plugin, i, ctx=ctx, slot=slot, entity=entity, record=record)
            for i in self.implementations("fill_slot")
        ]

    def guard(self, plugin: str, load: Callable[..., object], *values: object, **named: object) -> Contribution:
        """Loads one part of a page under the policy of pages: one that fails, or is huge, is left out."""
        place = load.hook if isinstance(load, Implementation) else getattr(load, "__name__", UNNAMED)
        try:
            with self.calls.into(plugin, place):
                return Contribution(plugin, within_limits(plugin, load(*values, **named)))
        except STOPS:
            raise
        except BaseException as error:  # a plugin may raise anything, SystemExit included
            if self.strict:
                raise
            self.calls.note(plugin, place, error)
            return Contribution(plugin, fault=f"{type(error).__name__}: {error}")

    @contextmanager
    def calling(self, plugin: str, place: str) -> Iterator[None]:
        """Around code of a plugin that a person asked for, an action or a page: its fault refuses what was asked."""
        try:
            with self.calls.into(plugin, place):
                yield
        except STOPS:
            raise
        except BaseException as error:
            if self.strict or is_meant(error):
                raise
            raise self.calls.refusal(plugin, place, error) from error

    def _condition(self, implementation: Implementation, given: Any, entity: EntitySpec) -> Condition:
        """What a plugin narrows by, understood. Raises Unavailable where it is no condition on the entity."""
        try:
            return given if isinstance(given, Condition) else parse(given, entity, self.registry())
        except Exception as error:
            if self.strict:
                raise
            raise self.calls.refusal(implementation.plugin, implementation.hook, error) from error

    def _write(self, hook: str, **values: object) -> None:
        for implementation in self._hooks.get(hook, ()):
            self._call(implementation, values)

    def _call(self, implementation: Implementation, values: Mapping[str, object]) -> object:
        """Calls one implementation; what it raises refuses the operation, as the plugin's fault unless it is meant."""
        call = self.calls.enter(implementation.plugin, implementation.hook)
        try:
            return implementation(**values)
        except STOPS:
            raise
        except BaseException as error:
            if self.strict or is_meant(error):
                raise
            raise self.calls.refusal(implementation.plugin, implementation.hook, error) from error
        finally:
            self.calls.leave(call)


def _collect(plugin: Plugin) -> dict[str, list[Implementation]]:
    """The plugin's implementations by hook, after pluggy compared their signatures with the specifications."""
    if not plugin.hooks:
        return {}
    manager = pluggy.PluginManager(PROJECT)
    for spec in SPECS:
        manager.add_hookspecs(spec)
    try:
        for source in plugin.hooks:
            manager.register(source)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(plugin.name, _explain(error), fix=_hint(error)) from error
    return {
        name: [Implementation(plugin.name, name, i.function, tuple(i.argnames)) for i in caller.get_hookimpls()]
        for name, caller in _callers(manager)
    }


def _explain(error: Exception) -> Msg:
    return msg("A hook does not fit: {reason}", reason=" ".join(str(error).split()))


def _hint(error: Exception) -> Msg:
    """The hook that was meant, where the name is nearly one; else where signatures stand."""
    known = [name for spec in SPECS for name, _ in inspect.getmembers(spec, inspect.isfunction)]
    asked = re.search(r"unknown hook '(\w+)'", str(error))
    near = get_close_matches(asked[1], known, 1) if asked else []
    if near:
        return msg("Call it {name}.", name=near[0])
    return msg("docs/hooks.md names every hook and the arguments that it may take.")


def _callers(manager: pluggy.PluginManager) -> Sequence[tuple[str, pluggy.HookCaller]]:
    names = [name for spec in SPECS for name, _ in inspect.getmembers(spec, inspect.isfunction)]
    return [(name, getattr(manager.hook, name)) for name in names]
