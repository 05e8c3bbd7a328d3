"""A session that belongs to one actor: what it may not read it does not find, what it may not write it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from sqlalchemy import ColumnElement, Connection, inspect, select
from sqlalchemy.orm import InstanceState, Session

from gigacore.data.door import Door
from gigacore.data.faults import translated_errors
from gigacore.errors import Misuse, NotFound
from gigacore.messages import msg

if TYPE_CHECKING:
    from gigacore.context import Actor, Context
    from gigacore.data.changes import Change
    from gigacore.data.journal import Journal
    from gigacore.data.plan import Plans
    from gigacore.entity import Entity, EntitySpec, Registry

MAX_FLUSHES: Final = 20


class Guard(Protocol):
    """The rights of an actor, as the session asks for them. `gigacore.access` implements it."""

    def criteria(self, session: ActorSession, entity: EntitySpec, verb: str = "view") -> ColumnElement[bool] | None:
        """What the actor may reach with `verb`, on the mapped class; None = every record."""

    def check_write(
        self,
        session: ActorSession,
        entity: EntitySpec,
        obj: Entity,
        verb: str,
        changed: frozenset[str],
        before: dict[str, Any] | None,
    ) -> None:
        """Raise Forbidden or NotFound unless the actor may do this on the old and on the new image."""


class Hooks(Protocol):
    """The hooks of plugins inside a write. Whatever they raise refuses it."""

    def before_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """May set fields."""

    def validate_record(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """May refuse the record."""

    def after_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """May add records to the write."""

    def before_delete(self, ctx: Context, entity: EntitySpec, record: Entity) -> None:
        """May refuse the deletion."""

    def activity_logged(self, ctx: Context, kind: str, at: datetime, records: Sequence[tuple[str, int]]) -> None:
        """May bring figures up to date that depend on activities."""


class NoHooks:
    """No plugin has a say."""

    def before_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Sets nothing."""

    def validate_record(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Accepts the record."""

    def after_save(self, ctx: Context, entity: EntitySpec, record: Entity, changed: frozenset[str]) -> None:
        """Adds nothing."""

    def before_delete(self, ctx: Context, entity: EntitySpec, record: Entity) -> None:
        """Accepts the deletion."""

    def activity_logged(self, ctx: Context, kind: str, at: datetime, records: Sequence[tuple[str, int]]) -> None:
        """Keeps no figures."""


class ActorSession(Session):
    """A session bound to one actor and one connection; opened only by `Database`.

    It ends with its `with` block: commit and rollback belong to the unit of work. Savepoints (`begin_nested`) may be
    used; what they roll back leaves no audit and no event.
    """

    context: Context

    def __init__(
        self,
        connection: Connection,
        *,
        actor: Actor,
        plans: Plans,
        guard: Guard,
        hooks: Hooks,
        journal: Journal,
        door: Door,
        writable: bool,
        write_new: Callable[[ActorSession], bool] = lambda session: False,
    ) -> None:
        super().__init__(bind=connection, expire_on_commit=False, autoflush=writable)
        self._bound = connection
        self.actor = actor
        self.plans = plans
        self.guard = guard
        self.hooks = hooks
        self.journal = journal
        self.door = door
        self.writable = writable
        self.unlimited = actor.is_system
        self.changes: list[Change] = []
        self.saved: list[Change] = []
        self.prepared: list[Change] | None = None
        """Judged already, when a flush that began as one of new records only turned out to hold more."""
        self.write_new = write_new
        self.raised: set[Any] = set()
        self.extended: set[Any] = set()
        """New extension rows: the identity map is weak, and who looks there for one must find it."""
        self.after_commit: list[Callable[[], None]] = []
        self._ending = False

    @property
    def registry(self) -> Registry:
        """The declarations that this session was opened with."""
        return self.plans.registry

    def connection(self, *args: Any, **options: Any) -> Connection:
        """The connection that the session is bound to; to read by statements it needs no transaction of the session."""
        return super().connection(*args, **options) if self.writable or args or options else self._bound

    # Reading: the identity map never answers for the database -----------------------------------------------------

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """The record with that key if the actor may see it now, else None. Always asks the database."""
        if self.unlimited or not self._is_registered(entity):
            return super().get(entity, ident, **options)
        plan = self.plans.entities.get(entity)
        if plan is None or options:
            return self._get_by_select(entity, ident, options)
        limit = self.guard.criteria(self, plan.spec, "view")
        return self.scalars(plan.load_within(limit), {"pk": ident}).one_or_none()

    def refresh(self, instance: object, *args: Any, **options: Any) -> None:
        """Read the record again. Raises NotFound when the actor may not see it (any more)."""
        if not self.unlimited and self._is_registered(type(instance)):
            state: InstanceState[Any] = inspect(instance)
            if state.identity is None or self.get(type(instance), state.identity[0]) is None:
                raise NotFound
        super().refresh(instance, *args, **options)

    def query(self, *entities: Any, **options: Any) -> NoReturn:
        """Not offered: the legacy query reads the identity map without asking."""
        raise Misuse(msg("session.query is not offered."), fix=msg("Use select() with session.scalars."))

    # Writing: only through the flush ------------------------------------------------------------------------------

    def bulk_save_objects(self, *args: Any, **options: Any) -> NoReturn:
        """Not offered: it passes over audit and events."""
        self._refuse_bulk()

    def bulk_insert_mappings(self, *args: Any, **options: Any) -> NoReturn:
        """Not offered: it passes over audit and events."""
        self._refuse_bulk()

    def bulk_update_mappings(self, *args: Any, **options: Any) -> NoReturn:
        """Not offered: it passes over audit and events."""
        self._refuse_bulk()

    def flush(self, objects: Any = None) -> None:
        """Write what changed, with audit and events, then let `after_save` hooks add to it."""
        for _ in range(MAX_FLUSHES):
            self._flush_once()
            saved, self.saved = self.saved, []
            for change in saved:
                change.announce(self)
            if not (saved and self._has_work()):
                return
        raise Misuse(msg("Hooks keep changing records; the write was given up."))

    @contextmanager
    def by_rule(self) -> Iterator[None]:
        """Let changes pass that follow from a declared rule (a delete rule, a restored dependent), not from the actor.

        Neither rights nor locks are asked inside; what is frozen stays frozen. Flush before, and inside.
        """
        before = self.unlimited, self.context.unlocking
        self.unlimited = self.context.unlocking = True
        try:
            with self.door.opened():
                yield
        finally:
            self.unlimited, self.context.unlocking = before

    def commit(self) -> None:
        """Refused: the unit of work commits."""
        if not self._ending:
            raise Misuse(msg("A session does not commit; its unit of work does."))
        super().commit()

    def rollback(self) -> None:
        """Refused: raise an error to roll the unit of work back."""
        if not self._ending:
            raise Misuse(
                msg("A session does not roll back; its unit of work does."),
                fix=msg("Raise an error, or use begin_nested for a savepoint."),
            )
        super().rollback()

    def finish(self) -> None:
        """Flush and commit. For `Database` only."""
        self._ending = True
        self.flush()
        with translated_errors():
            super().commit()

    def abandon(self) -> None:
        """Roll back. For `Database` only."""
        self._ending = True
        super().rollback()

    def _flush_once(self) -> None:
        with self.door.left_as_found(), translated_errors():
            if not self.write_new(self):
                super().flush()

    def _has_work(self) -> bool:
        return bool(self.new or self.deleted or any(self.is_modified(one) for one in self.dirty))

    def _is_registered(self, cls: type) -> bool:
        table = getattr(cls, "__table__", None)
        return table is not None and table.name in self.plans.tables

    def _get_by_select(self, entity: Any, ident: Any, options: dict[str, Any]) -> Any:
        statement = select(entity).where(entity.id == (ident[0] if isinstance(ident, tuple) else ident))
        if options.get("with_for_update"):
            statement = statement.with_for_update()
        if options.get("options"):
            statement = statement.options(*options["options"])
        return self.scalars(
            statement.execution_options(populate_existing=bool(options.get("populate_existing")))
        ).first()

    def _refuse_bulk(self) -> NoReturn:
        raise Misuse(
            msg("The bulk methods of a session pass over audit and events."), fix=msg("Use gigacore.data.bulk.")
        )
