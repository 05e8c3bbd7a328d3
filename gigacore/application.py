"""The composition root: one `Crm` holds everything that one installation needs, and nothing is global."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from gigacore import customfields, notices
from gigacore.access import AccessGuard, load_actor
from gigacore.access.vault import Vault
from gigacore.automation import CONSUMER as RULES
from gigacore.automation import Automation
from gigacore.clock import Clock, SharedClock, SystemClock
from gigacore.context import Actor, Context
from gigacore.data import Database, check_engine, create_engine, read_generation
from gigacore.data.door import SCOPED
from gigacore.data.engine import reading
from gigacore.entity import Registry
from gigacore.errors import Misuse
from gigacore.jobs import Jobs
from gigacore.jobs.worker import Declared, Declares, Worker
from gigacore.live import Live, LiveEvent
from gigacore.messages import msg
from gigacore.notices import NotificationKind
from gigacore.outbound import OutboundRule
from gigacore.plugins.calls import STOPS, Calls
from gigacore.plugins.discovery import Candidate, discover, given
from gigacore.plugins.dispatch import Dispatcher
from gigacore.plugins.faults import FILE, FaultLog
from gigacore.plugins.loading import Loaded
from gigacore.plugins.manager import PluginManager
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.provided import Provided
from gigacore.plugins.seeding import read_choices, run_install
from gigacore.plugins.stored import idle_extensions, idle_references
from gigacore.ports.followers import Follower
from gigacore.settings import Settings
from gigacore.upkeep import Upkeep
from gigacore.values import dataclass
from gigacore.webhooks import CONSUMER as HOOKS
from gigacore.webhooks import Webhooks

if TYPE_CHECKING:
    from gigacore.files.storage import Storage
    from gigacore.mail import MailSender
    from gigacore.text import Catalogue
    from gigacore.text.stored import TemplateKind

VERSION: Final = version("gigacore")
log: Final = logging.getLogger("gigacore")
BUILTIN: Final = (Candidate("crm", "gigacore.crm:plugin", "gigacore", VERSION, builtin=True),)
FRESH_SECONDS: Final = 2.0
INSTALL: Final = "install"
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class _Running:
    """What a start produced; replaced as a whole, so that readers never see half of a change."""

    database: Database
    loaded: Loaded
    declared: Declared
    automation: Automation
    webhooks: Webhooks
    provided: Provided


class Crm:
    """One installation: its database, its plugins, its registry.

    Give it `settings` (or let it read the environment) and, to embed it, your own `engine`, made by
    `gigacore.data.create_engine` or prepared by `prepare_engine`. `plugins` are manifests to use instead of those that
    installed distributions offer. Two objects in one process never meet.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        engine: sa.Engine | None = None,
        plugins: Iterable[Plugin] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings or Settings.from_env(os.environ)
        self.engine = _checked(engine) if engine is not None else create_engine(self.settings.effective_database_url)
        self.clock: Clock = clock or _clock_of(self.engine)
        offered = discover() if plugins is None else given(plugins)
        self.calls = Calls(FaultLog(self.settings.data_dir / FILE, self.clock))
        self.plugins = PluginManager(
            self.engine,
            {candidate.name: candidate for candidate in (*offered, *BUILTIN)},
            self.clock,
            strict=self.settings.strict,
            safe_mode=self.settings.safe_mode,
            calls=self.calls,
        )
        self.guard = AccessGuard()
        self.jobs = Jobs(self)
        self.live = Live(lambda: self.plugins.declared(LiveEvent))
        self._running: _Running | None = None
        self._changing = threading.Lock()
        self._fresh_at = 0.0

    def start(self, *, finishing: str = "") -> Crm:
        """Loads the plugins and freezes the registry; may be called again after plugins were enabled or disabled.

        A plugin whose own `install` has not run to its end, because the process was ended, runs it now. When it fails,
        administrators see why and the next start tries again; for the plugin `finishing` the error is raised. Raises
        ConfigurationError when the database is older or newer than the code.
        """
        self._run()
        stored = self.plugins.stored()
        for plugin in self.plugins.enabled:
            if plugin.name in stored and stored[plugin.name].installing:
                self._install(plugin, plugin.name == finishing)
        return self

    def _run(self) -> None:
        loaded = self.plugins.start()
        provided = Provided(self, loaded.plugins, self.calls, self.settings.strict)
        webhooks = Webhooks.of(self.outbound, Vault(self.settings.encryption_key), provided.sources())
        automation = Automation.of((webhooks, *loaded.plugins))
        declares: tuple[Declares, ...] = (Upkeep(), automation, webhooks, *loaded.plugins)
        declared = Declared.of(declares)
        registry = self._complete(loaded, automation, webhooks)
        if self._running is None:
            database = Database(self.engine, registry, guard=self.guard, clock=self.clock, interested=self._interested)
        else:
            database = self._running.database
            database.use_registry(registry)
        database.hooks, database.before_session = loaded.dispatcher, self._freshen
        self._fresh_at = time.monotonic()
        loaded.dispatcher.registry = lambda: self.registry
        self.guard.narrow = loaded.dispatcher.narrow_policy
        self._running = _Running(database, loaded, declared, automation, webhooks, provided)
        for made_from_plugins in ("catalogue", "storage", "mail_sender"):
            vars(self).pop(made_from_plugins, None)
        self.jobs.use(declares)

    def refresh(self) -> bool:
        """Reads custom fields and choice lists anew if they changed since; tells whether they did.

        A session opened after a change in this process has it at once, after one in another process within two
        seconds. Plugins that were enabled or disabled elsewhere run after the next start.
        """
        running = self._started()
        with self._changing:
            running.database.stale, self._fresh_at = False, time.monotonic()
            with running.database.connect() as connection:
                self._read_clock(connection)
                if read_generation(connection) == self.registry.generation:
                    return False
            running.database.use_registry(self._complete(running.loaded, running.automation, running.webhooks))
        return True

    def _freshen(self) -> None:
        if self.database.stale or time.monotonic() - self._fresh_at > FRESH_SECONDS:
            self.refresh()

    def upgrade(self) -> dict[str, list[str]]:
        """Brings the database to the version of the code, seeds what is missing, and starts.

        Returns the revisions applied, by owner. Raises ConfigurationError for a database newer than the code.
        """
        if (file := self.engine.url.database) and self.engine.dialect.name == "sqlite" and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        applied = self.plugins.upgrade()
        self.start()
        return applied

    def _install(self, plugin: Plugin, told: bool) -> None:
        """Runs the plugin's own `install`; a plugin that fails there runs on, and administrators see why."""
        try:
            with self.calls.into(plugin.name, INSTALL):
                run_install(self, plugin)
        except STOPS:
            raise
        except BaseException as error:
            if told or self.settings.strict or self.plugins.candidates[plugin.name].builtin:
                raise
            self.calls.note(plugin.name, INSTALL, error)

    def enable(self, name: str, *, by: Actor | None = None, absent: bool = False) -> Plugin:
        """Installs and enables a plugin and runs it at once. Raises what `PluginManager.enable` raises.

        With `absent` one that is installed already, perhaps since a moment ago, is refused. When the plugin's own
        `install` fails, it is disabled again and the error is raised. The audit names `by`, or the system.
        """
        self.plugins.enable(name, by, absent=absent)
        self.calls.faults.forget(name)
        try:
            self.start(finishing=name)
        except BaseException:
            self.disable(name)
            raise
        return self.plugins.loaded[name]

    def disable(self, name: str, *, by: Actor | None = None) -> None:
        """Disables a plugin and goes on without it; its data stays. Raises what `PluginManager.disable` raises."""
        self.plugins.disable(name, by)
        self.start()

    def close(self) -> None:
        """Lets running jobs end and gives back the connections; closing twice is closing once."""
        if self._running is not None:
            self.jobs.stop()
        if self._running is not None:
            self._running.database.close()
        self.engine.dispose()

    def __enter__(self) -> Crm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def database(self) -> Database:
        """Sessions and units of work. Raises Misuse before the start."""
        return self._started().database

    @property
    def registry(self) -> Registry:
        """Entities, custom fields and choice lists as they stand now. Raises Misuse before the start."""
        return self._started().database.registry

    @property
    def hooks(self) -> Dispatcher:
        """The hooks of the plugins that run. Raises Misuse before the start."""
        return self._started().loaded.dispatcher

    @property
    def declared(self) -> Declared:
        """The jobs, schedules and consumers of the plugins that run. Raises Misuse before the start."""
        return self._started().declared

    @property
    def automation(self) -> Automation:
        """The rules: stored, tried, run and logged. Raises Misuse before the start."""
        return self._started().automation

    @property
    def notification_kinds(self) -> tuple[NotificationKind, ...]:
        """What people may be told of here. Raises Misuse before the start."""
        return (
            *notices.KINDS,
            *(kind for plugin in self._started().loaded.plugins for kind in plugin.notification_kinds),
        )

    @property
    def template_kinds(self) -> tuple[TemplateKind, ...]:
        """What templates of texts are for here. Raises PluginError before the start."""
        from gigacore.text.stored import KINDS, TemplateKind

        return (*KINDS, *self.plugins.declared(TemplateKind))

    @property
    def webhooks(self) -> Webhooks:
        """Web hooks out and in. Raises Misuse before the start."""
        return self._started().webhooks

    @cached_property
    def catalogue(self) -> Catalogue:
        """The translations of the library, of the host and of the plugins that run."""
        from gigacore.text import Catalogue

        own = [plugin.package for plugin in self.plugins.enabled if plugin.package]
        return Catalogue.load(dict.fromkeys(["gigacore", *own]))

    @cached_property
    def outbound(self) -> OutboundRule:
        """Which addresses this installation may reach. Raises ConfigurationError."""
        return OutboundRule.of(self.settings.outbound_allow)

    @cached_property
    def mail_sender(self) -> MailSender:
        """Who hands mails over: what a plugin provides, else the server of `GIGA_SMTP_URL`, else files."""
        from gigacore.mail import MailSender, sender_of

        provided = self.service(MailSender)
        return provided or sender_of(self.settings, self.outbound)

    @cached_property
    def storage(self) -> Storage:
        """Where files are kept: what a plugin provides, else a folder of the data directory, encrypted."""
        from gigacore.files.storage import LocalStorage, Storage

        provided = self.service(Storage)
        return provided or LocalStorage(self.settings.data_dir / "files", self.settings.encryption_key)

    def storage_of(self, plugins: Iterable[str]) -> Storage:
        """Where files are kept when these plugins run: for restoring an installation that is not started."""
        from gigacore.files.storage import LocalStorage, Storage

        provided = Provided(self, self.plugins.load(plugins).plugins, self.calls, self.settings.strict).of(Storage)
        own = LocalStorage(self.settings.data_dir / "files", self.settings.encryption_key)
        return next(iter(provided.values()), own)

    def actor(self, user_id: int) -> Actor:
        """The actor for a user, with the rights of this moment. Raises NotFound if unknown or deactivated."""
        with self.database.connect() as connection:
            return load_actor(connection, user_id, cache=self.guard.cache)

    def read(self, actor: Actor | None, **options: Any) -> AbstractContextManager[Context]:
        """A session that finds what `actor` may view and writes nothing."""
        return self.database.read(actor, **options)

    def unit_of_work(self, actor: Actor | None, **options: Any) -> AbstractContextManager[Context]:
        """One transaction of `actor`: data, audit and events are committed together at its end, or not at all."""
        return self.database.unit_of_work(actor, **options)

    def system(self, reason: str, **options: Any) -> AbstractContextManager[Context]:
        """A unit of work without limits, logged and audited with its reason."""
        return self.database.system(reason, **options)

    def worker(self) -> Worker:
        """A worker for the jobs and consumers of the plugins that run."""
        return Worker(self, self.declared)

    def service(self, port: Callable[..., P], *needs: str, key: str = "") -> P | None:
        """What the first plugin provides for a port, or None; with `needs`, the first that has these capabilities.

        `key` names one of several, as `services` does.
        """
        found = self.services(port, *needs)
        return found.get(key) if key else next(iter(found.values()), None)

    def services(self, port: Callable[..., P], *needs: str) -> Mapping[str, P]:
        """All that plugins provide for a port and that has the capabilities, in the order of the plugins.

        The key is the plugin's name, `<plugin>.<name>` for one of several that a plugin provides.
        """
        return self._started().provided.of(port, needs)

    def announce(self, ctx: Context, port: type, key: str, id: str) -> None:
        """Something changed at the provider `key` of a port: every `Follower` of the port looks, by its job."""
        for follower in self.plugins.declared(Follower):
            if follower.port is port:
                self.jobs.enqueue(ctx, follower.job, {"provider": key, "id": id})

    def _started(self) -> _Running:
        if self._running is None:
            raise Misuse(msg("The application was not started."), fix=msg("Call crm.start() first."))
        return self._running

    def _read_clock(self, connection: sa.Connection) -> None:
        if isinstance(self.clock, SharedClock) and connection.dialect.name == "postgresql":
            self.clock.set(connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one())

    def _interested(self, event: str, rules_enabled: bool) -> tuple[str, ...]:
        if self._running is None:
            return ()
        found = self._running.declared.interested(event)
        if self._running.webhooks.hears(event):
            found = (*found, HOOKS)
        return (*found, RULES) if rules_enabled and self._running.automation.hears(event) else found

    def _complete(self, loaded: Loaded, automation: Automation, webhooks: Webhooks) -> Registry:
        """The plugins' registry with the choices and custom fields of the database."""
        with reading(self.engine).execution_options(**{SCOPED: True}).connect() as connection:
            self._read_clock(connection)
            generation = read_generation(connection)
            choices = read_choices(connection, loaded.registry.choice_lists.values())
            registry = loaded.registry.with_choice_lists(choices, generation)
            running = [plugin.name for plugin in loaded.plugins]
            idle, extensions = idle_references(connection, running), idle_extensions(connection, running)
            registry = replace(registry, idle=idle, idle_extensions=extensions)
            registry = customfields.complete(registry, connection, generation)
            automation.refresh(connection, registry)
            webhooks.refresh(connection)
            return registry


def _clock_of(engine: sa.Engine) -> Clock:
    """The database server's time, which all processes share, so that leases and schedules do not depend on theirs."""
    return SharedClock() if engine.dialect.name == "postgresql" else SystemClock()


def _checked(engine: sa.Engine) -> sa.Engine:
    check_engine(engine)
    return engine
