"""The database of one application: the only place that opens sessions, begins and commits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, false
from sqlalchemy.exc import SQLAlchemyError

from gigacore.clock import Clock, SharedClock, SystemClock
from gigacore.context import Actor, Context, system_actor
from gigacore.data import denied as denied_attempts
from gigacore.data import flush, scope  # noqa: F401 - importing them attaches the session's listeners
from gigacore.data.door import DOOR, SCOPED, Door, StatementGuard
from gigacore.data.engine import reading
from gigacore.data.faults import translated_errors
from gigacore.data.generation import take_bump
from gigacore.data.journal import Entry, Interested, Journal
from gigacore.data.plan import Plans
from gigacore.data.session import ActorSession, Guard, Hooks, NoHooks
from gigacore.entity import Entity, EntitySpec, Registry
from gigacore.errors import Forbidden, GigaError, Misuse, NotFound
from gigacore.ids import later, uuid7
from gigacore.messages import msg

log: Final = logging.getLogger("gigacore.data")


class NoRights:
    """The guard of a database that was given none: only the system reads and writes."""

    def criteria(self, session: ActorSession, entity: EntitySpec, verb: str = "view") -> ColumnElement[bool] | None:
        """Nothing is visible."""
        return false()

    def check_write(
        self,
        session: ActorSession,
        entity: EntitySpec,
        obj: Entity,
        verb: str,
        changed: frozenset[str],
        before: dict[str, Any] | None,
    ) -> None:
        """Nothing may be written."""
        raise Forbidden(msg("You may not do this."))


class Database:
    """Opens readings and units of work on one engine.

    `guard` judges what actors may do, `hooks` are the plugins' in-transaction hooks, `interested` names the consumers
    of an event. All three may be set later, but before the first session. `before_session` is called before each
    session is opened; `stale` says that a unit of work here changed what the registry is made of.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        *,
        guard: Guard | None = None,
        hooks: Hooks | None = None,
        clock: Clock | None = None,
        interested: Interested = lambda name, rules: (),
    ) -> None:
        self.engine = engine
        self.guard: Guard = guard or NoRights()
        self.hooks: Hooks = hooks or NoHooks()
        self.clock: Clock = clock or SystemClock()
        self.journal = Journal(engine.dialect, interested, self._event_id)
        self._plans = Plans.of(registry)
        self._statements = StatementGuard(self._plans.tables)
        self._statements.watch(engine)
        self._reading = reading(engine)
        self._local = threading.local()
        self.before_session: Callable[[], None] = lambda: None
        self.correlation: Callable[[], str | None] = lambda: None
        """Asked by a session that was given no correlation id: the host answers with its request's."""
        self.stale = False
        self.after_commit: list[Callable[[], None]] = []
        """Called after every committed unit of work, in its thread: dispatchers wake their workers here."""

    @property
    def registry(self) -> Registry:
        """The declarations that new sessions are opened with."""
        return self._plans.registry

    def use_registry(self, registry: Registry) -> None:
        """Open new sessions with another registry, for instance after a custom field was added."""
        self._plans = Plans.of(registry)
        self._statements.register(self._plans.tables)

    def close(self) -> None:
        """Close idle connections and stop watching the engine."""
        self._statements.unwatch(self.engine)
        self.engine.dispose()

    @contextmanager
    def read(
        self, actor: Actor | None, *, correlation_id: str | None = None, on: Connection | None = None
    ) -> Iterator[Context]:
        """A session that finds what `actor` may view. Raises Misuse without an actor, or when something is written.

        `on` is a connection of `connect` that nobody else uses any more, for instance the one that told who calls.
        """
        self.before_session()
        with translated_errors(), self._reading.connect() if on is None else nullcontext(on) as connection:
            session = self._session(connection, actor, writable=False)
            try:
                yield self._context(session, correlation_id)
            except (Forbidden, NotFound) as error:
                denied = error
            else:
                return
            finally:
                session.close()
        self._record_denied(session.context, denied)
        raise denied

    @contextmanager
    def unit_of_work(
        self,
        actor: Actor | None,
        *,
        correlation_id: str | None = None,
        source: str = "lib",
        depth: int = 0,
        rules_enabled: bool = True,
    ) -> Iterator[Context]:
        """One transaction of data, audit and events: committed at the end of the block, rolled back by any error.

        Inside it no network, mail or file may be touched. On SQLite it holds the write lock from its first statement.
        """
        self.before_session()
        with self._single(), translated_errors(), self.engine.connect() as connection:
            session = self._session(connection, actor, writable=True)
            ctx = self._context(session, correlation_id)
            ctx.source, ctx.depth, ctx.rules_enabled = source, depth, rules_enabled
            denied: Forbidden | NotFound | None = None
            try:
                yield ctx
                session.finish()
                self.stale |= take_bump(connection)
            except BaseException as error:
                session.abandon()
                take_bump(connection)
                if not isinstance(error, Forbidden | NotFound):
                    raise
                denied = error
            finally:
                session.close()
        if denied is not None:
            self._record_denied(ctx, denied)
            raise denied
        for call in (*session.after_commit, *self.after_commit):
            self._call(call)

    @contextmanager
    def system(self, reason: str, *, correlation_id: str | None = None) -> Iterator[Context]:
        """A unit of work without limits, in its own session. It is logged and leaves one audit row with the reason."""
        if not reason:
            raise Misuse(msg("The system acts only for a reason."))
        log.info("system session: %s", reason)
        with self.unit_of_work(system_actor(reason), correlation_id=correlation_id, source="system") as ctx:
            yield ctx
            ctx.session.flush()
            entry = Entry("core.system", "system", fields=["reason"], values={"reason": reason}, event=False)
            self.journal.write(ctx.session.connection(), ctx, [entry])

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction for the core's own tables (queues, sessions, limits). Entities are out of its reach."""
        with self._single(), self.engine.connect() as connection, translated_errors(), connection.begin():
            yield connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A reading connection for the core's own tables. Entities are out of its reach."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def system_connection(self, reason: str) -> Iterator[Connection]:
        """A write transaction on any table, without audit: for migrations, verifiers and maintenance. It is logged."""
        log.info("system connection: %s", reason)
        engine = self.engine.execution_options(**{SCOPED: True})
        with self._single(), translated_errors(), engine.begin() as connection:
            yield connection

    def _event_id(self) -> UUID:
        """Events of all processes are in the order of one clock, whatever each machine's own says."""
        return later(uuid7(), self.clock.lag) if isinstance(self.clock, SharedClock) else uuid7()

    def _session(self, connection: Connection, actor: Actor | None, *, writable: bool) -> ActorSession:
        if actor is None:
            raise Misuse(msg("A session needs an actor."), fix=msg("Pass one, or use system(reason)."))
        door = Door()
        marks: dict[str, Any] = {DOOR: door}
        if actor.is_system:
            marks[SCOPED] = True
        return ActorSession(
            connection.execution_options(**marks),
            actor=actor,
            plans=self._plans,
            guard=self.guard,
            hooks=self.hooks,
            journal=self.journal,
            door=door,
            writable=writable,
            write_new=flush.write_new,
        )

    def _context(self, session: ActorSession, correlation_id: str | None) -> Context:
        ctx = Context(session.actor, session, correlation_id or self.correlation() or uuid7().hex, self.clock.now())
        session.context = ctx
        return ctx

    @contextmanager
    def _single(self) -> Iterator[None]:
        """Refuse a second write transaction in one thread: on SQLite it would wait for itself."""
        if getattr(self._local, "busy", False):
            raise Misuse(
                msg("A unit of work is already open in this thread."),
                fix=msg("Use the context at hand, or open this one after it has ended."),
            )
        self._local.busy = True
        try:
            yield
        finally:
            self._local.busy = False

    def _call(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # the data is committed; the caller must not take it for lost
            log.exception("A call after the commit failed")

    def _record_denied(self, ctx: Context, error: Forbidden | NotFound) -> None:
        """Keep the attempt; when that cannot be done, the refusal itself must still reach the caller."""
        if isinstance(error, NotFound) and (error.sought is None or ctx.actor.is_system):
            return
        try:
            with self.begin() as connection:
                entry = denied_attempts.entry_of(connection, ctx, error)
                if entry is not None:
                    self.journal.write(connection, ctx, [entry])
        except (GigaError, SQLAlchemyError):
            log.exception("A denied attempt could not be recorded: %s", error.message)
