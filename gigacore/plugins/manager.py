"""Which plugins are there, installed and running, and the operations that change it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import field, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from gigacore import access, migrate, search
from gigacore.clock import Clock
from gigacore.context import Actor
from gigacore.customfields.definitions import read_definitions
from gigacore.customfields.sql import restore_indexes
from gigacore.data import bump_generation, seed
from gigacore.data.door import SCOPED
from gigacore.data.engine import reading
from gigacore.entity import Registry, metadata
from gigacore.errors import Conflict, NotFound, PluginError
from gigacore.messages import Msg, msg
from gigacore.migrate import History, State, states
from gigacore.migrate import state as state_of
from gigacore.plugins import stored, trail
from gigacore.plugins.calls import STOPS, Calls
from gigacore.plugins.discovery import Candidate
from gigacore.plugins.histories import core_history, history_of
from gigacore.plugins.holding import hold_hanging
from gigacore.plugins.loading import Loaded, Loader
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.order import dependents
from gigacore.plugins.registration import tables
from gigacore.plugins.seeding import seed_choices, seed_grants
from gigacore.plugins.stored import StoredPlugin
from gigacore.plugins.tables import DISABLED
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.plugins.hookspecs import Verifier

CORE: Final = "core"
MIGRATION: Final = "migration"
T = TypeVar("T")


class PluginState(enum.StrEnum):
    """Where a plugin stands."""

    AVAILABLE = "available"
    ENABLED = "enabled"
    DISABLED = "disabled"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """A plugin as a person sees it in a list; `reason` says why it is quarantined."""

    name: str
    state: PluginState
    label: str
    version: str = ""
    reason: Msg | None = None
    builtin: bool = False
    requires: tuple[str, ...] = ()


@dataclass(slots=True)
class PluginManager:
    """The plugins of one application. `candidates` are those that could be installed, built-in ones among them.

    In `safe_mode` only built-in plugins run. With `strict` the first failure of a plugin is raised.
    """

    engine: sa.Engine
    candidates: Mapping[str, Candidate]
    clock: Clock
    strict: bool = False
    safe_mode: bool = False
    calls: Calls = field(default_factory=Calls)
    _loaded: Loaded | None = field(default=None, init=False)

    @property
    def loaded(self) -> Loaded:
        """What runs. Raises PluginError before the start."""
        if self._loaded is None:
            raise PluginError(CORE, msg("The application was not started."), fix=msg("Call crm.start() first."))
        return self._loaded

    @property
    def enabled(self) -> Sequence[Plugin]:
        """The plugins that run, in their order. Raises PluginError before the start."""
        return self.loaded.plugins

    def declared(self, kind: type[T]) -> tuple[T, ...]:
        """All values of one kind that the running plugins declare, for instance every `BulkAction`."""
        values = (getattr(plugin, item.name) for plugin in self.enabled for item in fields(plugin))
        return tuple(one for value in values if isinstance(value, tuple) for one in value if isinstance(one, kind))

    def verifiers(self) -> dict[str, Verifier]:
        """The checks that the running plugins add to `giga verify`, by `<plugin>.<name>`."""
        return dict(self.loaded.verifiers)

    def start(self) -> Loaded:
        """Loads what is enabled; keeps what fails in quarantine and notes the reason in the database.

        A plugin for which the process had to be ended twice in a quarter of an hour is not loaded until it is enabled
        anew. Raises ConfigurationError when the core's tables are older or newer than the code.
        """
        with self._connect() as connection:
            state_of(connection, core_history()).check_up_to_date()
            known = stored.read(connection)
        if not self.safe_mode:
            known = hold_hanging(self.engine, known, self.calls.faults.endings())
        self._loaded = self._load(self._wanted(known), known, fitting=True)
        self._loaded.dispatcher.blocked = self._blocked(known, self._loaded)
        if not self.safe_mode:
            self._remember(known, self._loaded)
        return self._loaded

    def upgrade(self) -> dict[str, list[str]]:
        """Applies missing migrations of the core, the built-in and the enabled plugins; each owner in one transaction.

        Returns the revisions applied by owner; a plugin that cannot be loaded is passed over, and one whose migration
        fails keeps its tables as they were and is put into quarantine by the next start. Raises ConfigurationError for
        a database newer than the code.
        """
        with migrate.operation(self.engine) as connection:
            applied = {CORE: migrate.upgrade(connection, core_history())}
            seed(connection)
            access.seed(connection)
            known = stored.read(connection)
        loaded = self._load(self._wanted(known), known)
        for plugin in loaded.plugins:
            applied[plugin.name] = self._upgrade(plugin, loaded.registry)
        return applied

    def _upgrade(self, plugin: Plugin, registry: Registry) -> list[str]:
        try:
            with self.calls.into(plugin.name, MIGRATION):
                return self._install(plugin, registry)
        except STOPS:
            raise
        except BaseException as error:
            if self.strict or self.candidates[plugin.name].builtin:
                raise
            self.calls.note(plugin.name, MIGRATION, error)
            return []

    def enable(self, name: str, by: Actor | None = None, *, absent: bool = False) -> Plugin:
        """Installs a plugin if need be (tables, choice lists) and enables it; it runs after the next start.

        One transaction with its line in the audit: the plugin is wholly there or not at all. Raises NotFound for an
        unknown plugin, Conflict for an installed one if it must be `absent`, PluginError for one that cannot run here,
        ConfigurationError when the database is newer than its code.
        """
        plugin, registry = self.examine(name)
        with migrate.operation(self.engine) as connection:
            row = stored.read(connection).get(name)
            if absent:
                stored.check_state("install", name, row)
            verb = "enabled" if row else "installed"
            self.install_on(connection, plugin, registry)
            trail.note(connection, self.clock.now(), verb, name, by=by)
        return plugin

    def examine(self, name: str) -> tuple[Plugin, Registry]:
        """A plugin as it would run beside those that are enabled, and the registry with it. Changes nothing.

        Raises NotFound for an unknown plugin, PluginError for one that cannot run here, ConfigurationError when the
        core's tables do not fit the code.
        """
        candidate = self._candidate(name)
        with self._connect() as connection:
            state_of(connection, core_history()).check_up_to_date()
            known = stored.read(connection)
        loaded = self._load([*self._wanted(known), candidate], known)
        if name in loaded.refused:
            self._name_missing(candidate, known)
            raise PluginError(
                name,
                msg("{name} cannot run: {reason}", name=name, reason=loaded.refused[name]),
                fix=msg("Nothing was changed. Mend it, or install another version of it, then run the command again."),
            )
        return loaded[name], loaded.registry

    def _name_missing(self, candidate: Candidate, known: Mapping[str, StoredPlugin]) -> None:
        """Raises PluginError with the next command where a candidate that can be imported lacks a requirement."""
        try:
            plugin = candidate.load()
        except STOPS:
            raise
        except BaseException:  # noqa: BLE001 - why it cannot be imported is known already
            return
        self._check_required(plugin, known)

    def disable(self, name: str, by: Actor | None = None) -> None:
        """Disables a plugin: it is not imported any more after the next start; its data stays.

        Raises NotFound for a plugin that is not installed, Conflict for a built-in one or while others require it.
        """
        with migrate.operation(self.engine) as connection:
            self.check_disabling(stored.read(connection), name)
            stored.disable(connection, name, self.clock.now())
            trail.note(connection, self.clock.now(), "disabled", name, by=by)
            bump_generation(connection)

    def check_disabling(self, known: Mapping[str, StoredPlugin], name: str) -> None:
        """Raises what `disable` would raise, given what is installed."""
        if name not in known:
            raise NotFound(msg("There is no installed plugin {name}.", name=name), fix=msg("See `giga plugin list`."))
        if name in self.candidates and self.candidates[name].builtin:
            raise stored.part_of_application(name)
        active = {n: p for n, p in known.items() if p.state != DISABLED}
        if needing := dependents(active, name):
            raise Conflict(
                msg("These plugins require it: {names}.", names=", ".join(needing)),
                fix=msg("Run `giga plugin disable {name}` first.", name=needing[-1]),
            )

    def current(self) -> list[State]:
        """How far the database has come for the core and for each plugin that runs."""
        with self._connect() as connection:
            return states(connection, self._histories())

    def check(self) -> dict[str, list[str]]:
        """Differences between declared tables and the database, by owner; owners without any are left out."""
        found: dict[str, list[str]] = {}
        with self._connect() as connection:
            for history in self._histories():
                found[history.owner] = migrate.check(connection, history, metadata)
        return {owner: lines for owner, lines in found.items() if lines}

    def stored(self) -> dict[str, StoredPlugin]:
        """What the database knows of every installed plugin, also of those whose code is gone."""
        with self._connect() as connection:
            return stored.read(connection)

    def load(self, names: Iterable[str]) -> Loaded:
        """The built-in plugins and those of these names whose code is here and in order, loaded beside what runs."""
        wanted = {*names}
        candidates = [c for c in self.candidates.values() if c.builtin or c.name in wanted]
        return Loader(strict=False, telling=False).load(candidates, set(self.candidates) - {c.name for c in candidates})

    def restore_indexes(self, connection: sa.Connection) -> None:
        """Makes the indexes of custom fields and searches that are missing, for the plugins that are enabled."""
        known = stored.read(connection)
        on = [name for name, row in known.items() if row.state != DISABLED]
        registry = self.load(on).registry
        restore_indexes(connection, registry, read_definitions(connection))
        search.restore(connection, registry.entities.values())

    def history(self, name: str) -> History:
        """The migrations of the core or of a plugin that could be loaded. Raises NotFound or PluginError."""
        if name == CORE:
            return core_history()
        wanted = {candidate.name: candidate for candidate in self._builtin()}
        missing = {name} - set(wanted)
        while missing:
            wanted |= {one: self._candidate(one) for one in missing}
            missing = {r for one in missing for r in wanted[one].load().requires} - set(wanted)
        return history_of(Loader(strict=True).load(wanted.values())[name])

    def _histories(self) -> list[History]:
        plugins = self._loaded.plugins if self._loaded else self._load(self._wanted(self.stored()), {}).plugins
        return [core_history(), *(history_of(plugin) for plugin in plugins)]

    def _install(self, plugin: Plugin, registry: Registry) -> list[str]:
        with migrate.operation(self.engine) as connection:
            return self.install_on(connection, plugin, registry)

    def install_on(
        self,
        connection: sa.Connection,
        plugin: Plugin,
        registry: Registry,
        *,
        before: Mapping[str, Any] | None = None,
        revision: str | None = None,
        refill: Callable[[sa.Connection], None] | None = None,
    ) -> list[str]:
        """Brings a plugin's tables to its code, seeds what is new and marks it enabled, in the caller's operation.

        `refill` puts archived rows into the tables as they were at `revision`; `before` is the manifest of that time.
        Returns the revisions applied. Raises PluginError when a required plugin went in the meantime.
        """
        history = history_of(plugin)
        if history.tables and history.head() is None:
            raise _without_migrations(plugin)
        known = stored.read(connection)
        self._check_required(plugin, known)
        if before is None:
            before = known[plugin.name].manifest if plugin.name in known else {}
        applied = migrate.upgrade(connection, history, revision) if revision else []
        if refill is not None:
            refill(connection)
        applied += migrate.upgrade(connection, history)
        # A table that SQLite had to rebuild has lost its indexes on expressions and its triggers.
        restore_indexes(connection, registry, read_definitions(connection))
        search.restore(connection, [spec for spec in registry.entities.values() if spec.plugin == plugin.name])
        seed_choices(connection, plugin, before)
        seed_grants(connection, plugin, before)
        stored.write(connection, plugin, self.clock.now())
        bump_generation(connection)
        return applied

    def _check_required(self, plugin: Plugin, known: Mapping[str, StoredPlugin]) -> None:
        builtin = {candidate.name for candidate in self._builtin()}
        for name in plugin.requires:
            if name not in builtin and (name not in known or known[name].state == DISABLED):
                raise PluginError(
                    plugin.name,
                    msg("It requires {plugin}, which is not installed or not enabled.", plugin=name),
                    fix=msg("Run `giga plugin enable {name}` first.", name=name),
                )

    def _builtin(self) -> list[Candidate]:
        return [candidate for candidate in self.candidates.values() if candidate.builtin]

    def _wanted(self, known: Mapping[str, StoredPlugin]) -> list[Candidate]:
        on = {n for n, row in known.items() if row.state != DISABLED and row.held is None and not self.safe_mode}
        return [c for c in self.candidates.values() if c.builtin or c.name in on]

    def _load(self, wanted: Iterable[Candidate], known: Mapping[str, StoredPlugin], *, fitting: bool = False) -> Loaded:
        """Loads candidates; with `fitting` (a start) one whose tables do not fit its code is refused."""
        once = {candidate.name: candidate for candidate in wanted}
        with self._connect() if fitting else nullcontext() as connection:
            loader = Loader(self.strict, self.calls, telling=fitting)
            if connection is not None:
                loader.admit = lambda plugin: _check_fits(connection, plugin)
            return loader.load(once.values(), {*known, *self.candidates} - set(once))

    @staticmethod
    def _blocked(known: Mapping[str, StoredPlugin], loaded: Loaded) -> dict[str, str]:
        """Entities that an enabled plugin narrows although it does not run, in safe mode for instance."""
        running = {plugin.name for plugin in loaded.plugins}
        idle = [row for name, row in known.items() if row.state != DISABLED and name not in running]
        return {entity: row.name for row in idle for entity in row.manifest.get("narrows", ())}

    def _remember(self, known: Mapping[str, StoredPlugin], loaded: Loaded) -> None:
        refused = dict(loaded.refused)
        for name, row in known.items():
            if row.state != DISABLED and row.held is not None:
                refused[name] = row.held
            elif row.state != DISABLED and name not in self.candidates:
                refused[name] = msg("Its distribution is not installed.")
        changed = [n for n, r in refused.items() if n in known and known[n].reason != str(r)]
        changed += [p.name for p in loaded.plugins if p.name in known and known[p.name].reason]
        if changed:
            with migrate.operation(self.engine) as connection:
                stored.remember(connection, refused, [p.name for p in loaded.plugins], self.clock.now())

    def _status(self, name: str, row: StoredPlugin | None) -> PluginStatus:
        candidate = self.candidates.get(name)
        label = str(row.manifest.get("label") or name) if row else name
        version = row.version if row else candidate.version if candidate else ""
        reason = (row.held or Msg(row.reason)) if row and row.reason else None
        return PluginStatus(
            name,
            PluginState(row.state) if row else PluginState.AVAILABLE,
            label,
            version,
            self._loaded.refused.get(name, reason) if reason and self._loaded else reason,
            builtin=bool(candidate and candidate.builtin),
            requires=row.requires if row else (),
        )

    def _candidate(self, name: str) -> Candidate:
        found = self.candidates.get(name)
        if found is None:
            raise NotFound(
                msg("No installed distribution offers a plugin {name}.", name=name),
                fix=msg("Install it with pip first; known are: {names}.", names=", ".join(sorted(self.candidates))),
            )
        return found

    def _connect(self) -> sa.Connection:
        return reading(self.engine).execution_options(**{SCOPED: True}).connect()

    def list(self) -> list[PluginStatus]:
        """Every plugin that is installed or could be, by name. Imports nothing that does not run."""
        with self._connect() as connection:
            known = stored.read(connection)
        return [self._status(name, known.get(name)) for name in sorted({*known, *self.candidates})]


def _check_fits(connection: sa.Connection, plugin: Plugin) -> None:
    found = state_of(connection, history_of(plugin))
    found.check_up_to_date()
    if tables(plugin) and found.head is None:
        raise _without_migrations(plugin)


def _without_migrations(plugin: Plugin) -> PluginError:
    return PluginError(
        plugin.name,
        msg("It has tables but no migrations."),
        fix=msg("Write them with `giga db revision {name}`.", name=plugin.name),
    )
