"""The one write path: what happens to every record between a change in memory and its row.

Before the flush: rights, locks, hooks, then key columns, computed values, version and stamps. After it, in the same
transaction: rollups, audit rows, events.
"""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import event, inspect
from sqlalchemy.orm import InstanceState, Session
from sqlalchemy.orm.attributes import instance_state

from gigacore.data import file_uses, formulas, locks, rollups, trash
from gigacore.data.changes import Change, RowChange, changed_values, filled, image, old_image
from gigacore.data.custom import with_custom_defaults, write_custom_keys
from gigacore.data.inserts import next_ids
from gigacore.data.journal import Entry
from gigacore.data.plan import SERVER_OWNED, ChildPlan, EntityPlan, ExtensionPlan, FieldPlan
from gigacore.data.session import ActorSession
from gigacore.entity import Child, Entity, EntitySpec, Extension
from gigacore.errors import Misuse, NotFound
from gigacore.messages import msg

MAX_ROUNDS: Final = 10
VERBS: Final = {"created": "create", "updated": "edit", "deleted": "delete", "restored": "create"}


@event.listens_for(ActorSession, "before_flush")
def before_flush(session: Session, flush_context: Any, instances: Any) -> None:
    """Judge and complete every changed record; then open the door for SQLAlchemy's own statements."""
    assert isinstance(session, ActorSession)
    if not session.writable:
        raise Misuse(msg("This session only reads."), fix=msg("Open a unit of work to write."))
    prepared, session.prepared = session.prepared, None
    session.changes = Collector(session).run() if prepared is None else prepared
    session.door.open()


@event.listens_for(ActorSession, "after_flush")
def after_flush(session: Session, flush_context: Any) -> None:
    """Write audit rows and events for what was flushed."""
    assert isinstance(session, ActorSession)
    session.door.shut()
    changes, session.changes = session.changes, []
    record_changes(session, changes)


def record_changes(session: ActorSession, changes: list[Change]) -> None:
    """Rollups, trash, audit rows and events of changes that were written."""
    loud = [change for change in changes if not change.is_quiet]
    rollups.refresh_referred(session, changes)
    trash.store(session, changes)
    file_uses.settle(session, changes)
    if loud:
        session.journal.write(session.connection(), session.context, (entry_of(change) for change in loud))
        session.saved += [change for change in loud if change.verb != "deleted"]


@event.listens_for(ActorSession, "after_soft_rollback")
def forget(session: Session, previous: Any) -> None:
    """After a savepoint's rollback the versions raised in it count no more."""
    assert isinstance(session, ActorSession)
    session.changes, session.saved, session.prepared = [], [], None
    session.raised.clear()


def write_new(session: ActorSession) -> bool:
    """Write a flush that consists of new records of one entity without child rows. False when it does not.

    It spares the sorting and bookkeeping of SQLAlchemy's unit of work, half the cost of creating a record.
    """
    if not session.writable or not _only_new(session):
        return False
    session._flushing = True
    try:
        changes = Collector(session).run()
        if len(changes) != len(session._new) or not _only_new(session):  # hooks added something else
            session.prepared = changes
            return False
        _insert(session, changes)
    finally:
        session._flushing = False
    return True


def _only_new(session: ActorSession) -> bool:
    if not session._new or session._deleted or session.identity_map._modified:
        return False
    records = session.new
    plan = session.plans.entities.get(type(next(iter(records))))
    if plan is None:
        return False
    cls, children, single = plan.spec.cls, plan.spec.children, len(records) == 1
    return all(
        type(one) is cls
        and (single or "id" not in one.__dict__)
        and not any(one.__dict__.get(name) for name in children)
        for one in records
    )


def _insert(session: ActorSession, changes: list[Change]) -> None:
    records, plan = [change.record for change in changes], changes[0].plan
    connection = session.connection()
    with session.door.opened():
        if len(records) > 1:
            for record, number in zip(records, next_ids(connection, plan.spec.table, len(records)), strict=True):
                record.__dict__["id"] = number
        plan.inserter.write(connection, records)
    session._register_persistent({instance_state(record) for record in records})
    record_changes(session, changes)


def entry_of(change: Change) -> Entry:
    """The journal's view of a change."""
    values = change.values()
    record = change.record
    return Entry(
        change.plan.spec.name, change.verb, record.id, record.uid, record.version, list(values), values
    )  # fmt: skip


def moved(row: Child) -> bool:
    """Whether a child row takes another place among its own: what is read from the first row follows."""
    state: InstanceState[Any] = inspect(row)
    return bool(state.committed_state.get("position", row.position) != row.position)


class Collector:
    """Works through the changed objects of one flush, in rounds: a hook may change further ones."""

    def __init__(self, session: ActorSession) -> None:
        self.session = session
        self.plans = session.plans
        self.found: dict[int, Change] = {}
        self.rows: set[int] = set()

    def run(self) -> list[Change]:
        """All changes, judged and completed."""
        for _ in range(MAX_ROUNDS):
            self.gather()
            fresh = [change for change in self.found.values() if not change.judged]
            if not fresh:
                break
            for change in fresh:
                change.judged = True
                self.judge(change)
        else:
            raise Misuse(msg("Hooks keep changing records; the write was given up."))
        return [change for change in self.found.values() if self.complete(change)]

    def gather(self) -> None:
        """Find what is new, dirty and deleted."""
        session = self.session
        for row in list(session.new):
            self.note(row, "created")
        for row in list(session.dirty):
            if row not in session.deleted:
                self.note(row, "updated")
        for row in list(session.deleted):
            self.note(row, "deleted")

    def note(self, row: Any, verb: str) -> None:
        """File one object under the record it belongs to."""
        if isinstance(row, Entity):
            self.note_record(row, verb)
        elif isinstance(row, Child) and id(row) not in self.rows:
            self.note_child(row, self.plans.children[type(row)], verb)
        elif isinstance(row, Extension):
            self.note_extension(row, self.plans.extensions[type(row)], verb)

    def note_record(self, record: Entity, verb: str) -> None:
        """A record itself."""
        known = self.found.get(id(record))
        if known is None:
            plan = self.plans.entities[type(record)]
            known = Change(plan, record, verb)
            if verb == "created":
                self.apply_defaults(record, plan)
            elif verb == "updated" and not self.has_changes(record, plan):
                return
            self.found[id(record)] = known
        self.update(known)

    def has_changes(self, record: Entity, plan: EntityPlan) -> bool:
        """Whether anything of the record, or of its collections, differs from the database."""
        state: InstanceState[Any] = inspect(record)
        committed = state.committed_state
        if any(name in committed for name in plan.spec.children):
            return True
        return bool(changed_values(self.session, record, plan.plan))

    def update(self, change: Change) -> None:
        """Read the fields and collections that changed until now."""
        plan, record = change.plan.plan, change.record
        if change.verb == "updated":
            change.before = changed_values(self.session, record, plan)
            change.changed = frozenset(change.before)
            self.note_removed(change)
        elif change.verb == "created":
            change.changed = filled(record, plan)
            self.note_new_children(change)
        elif not change.changed:
            change.before = {name: old for name, old in image(record, plan).items() if old is not None}
            change.changed = frozenset(change.before.keys() - SERVER_OWNED)

    def note_removed(self, change: Change) -> None:
        """Rows that left or joined the record's collections."""
        state: InstanceState[Any] = inspect(change.record)
        for name in change.plan.spec.children:
            if name not in state.committed_state:
                continue
            history = state.attrs[name].history
            for row in history.deleted or ():
                self.file_row(change, name, row, "deleted")
            for row in history.added or ():
                self.file_row(change, name, row, "created")

    def note_new_children(self, change: Change) -> None:
        """Child rows of a new record."""
        values = change.record.__dict__
        for name in change.plan.spec.children:
            for row in values.get(name) or ():
                self.file_row(change, name, row, "created")

    def note_child(self, row: Child, child: ChildPlan, verb: str) -> None:
        """A child row that changed by itself, filed under its record."""
        if verb == "created" and cast("int | None", row.parent_id) is None:
            return  # in the collection of a record that is filed anyway
        if verb == "updated" and not moved(row) and not changed_values(self.session, row, child.plan):
            return
        change = self.change_of(child.parent, row.parent_id)
        if change is not None:
            self.file_row(change, child.spec.name, row, verb)

    def change_of(self, entity: EntitySpec, record_id: int) -> Change | None:
        """The change under which to file something of a record's; None when the record goes itself.

        Raises NotFound when the actor may not see the record.
        """
        record = self.session.get(entity.cls, record_id)
        if record is None:
            raise NotFound
        if record in self.session.deleted:
            return None
        change = self.found.get(id(record))
        if change is None:
            change = self.found[id(record)] = Change(self.plans.entities[type(record)], record, "updated")
        return change

    def file_row(self, change: Change, name: str, row: Any, verb: str) -> None:
        """Note a child row once, with its old values."""
        if id(row) in self.rows:
            return
        self.rows.add(id(row))
        child = self.plans.children[type(row)]
        before = None
        if verb != "created":
            before = old_image(row, child, changed_values(self.session, row, child.plan))
        else:
            self.apply_field_defaults(row, child.plan)
        change.rows.setdefault(name, []).append(RowChange(row, child.plan, before, verb == "deleted"))

    def note_extension(self, row: Extension, extension: ExtensionPlan, verb: str) -> None:
        """A plugin's fields, recorded on the record that they extend."""
        plan = extension.plan
        old = changed_values(self.session, row, plan) if verb == "updated" else {}
        if verb == "created":
            self.session.extended.add(row)
            self.apply_field_defaults(row, plan)
        if verb != "deleted":
            write_keys(row, plan)
        names = frozenset(old) if verb == "updated" else filled(row, plan)
        if not names:
            return
        change = self.change_of(extension.parent, row.id)
        if change is None:
            return
        for name in names:
            before = plan.read(row, name) if verb == "deleted" else old.get(name)
            change.loud |= not (plan.fields[name].readonly or plan.fields[name].computed)
            change.added[name] = (before, None if verb == "deleted" else plan.read(row, name))

    def judge(self, change: Change) -> None:
        """Rights, locks and hooks."""
        session, spec, record = self.session, change.plan.spec, change.record
        names = change.names()
        if change.is_quiet:
            return
        if not session.unlimited:
            session.guard.check_write(session, spec, record, VERBS[change.verb], names, change.before or None)
        locks.check(session, change)
        if change.verb == "deleted":
            session.hooks.before_delete(session.context, spec, record)
            change.snapshot = trash.snapshot(session, change)
            return
        session.hooks.before_save(session.context, spec, record, names)
        self.update(change)
        locks.check_required_any(spec, record)
        session.hooks.validate_record(session.context, spec, record, change.names())

    def complete(self, change: Change) -> bool:
        """Fill what the server owns. False when nothing is left to write about the record."""
        if change.verb == "deleted":
            return True
        if change.verb == "updated":
            self.update(change)
        record = change.record
        for rows in change.rows.values():
            for row in rows:
                write_keys(row.row, row.plan)
        if rollups.compute(self.session, change) or change.verb == "created":
            self.update(change)
        if change.plan.formulas:
            formulas.compute(change)
            self.update(change)
        write_custom_keys(record, change.plan)
        write_keys(record, change.plan.plan)
        self.stamp(change)
        return True

    def stamp(self, change: Change) -> None:
        """Version, moments and authors."""
        ctx, record = self.session.context, change.record
        if change.is_quiet:
            return
        if change.verb == "created":
            moment, who = ctx.now, ctx.actor.user_id
            record.__dict__.update(created_at=moment, created_by=who, updated_at=moment, updated_by=who, version=1)
            self.session.raised.add(record)
            return
        record.updated_at, record.updated_by = ctx.now, ctx.actor.user_id
        if record not in self.session.raised:
            record.version += 1
            self.session.raised.add(record)

    def apply_defaults(self, record: Any, plan: EntityPlan) -> None:
        """Declared defaults and, on owned records, the actor as owner.

        A new object has no history, so its values are set past SQLAlchemy's instrumentation, here and for keys.
        """
        self.apply_field_defaults(record, plan.plan)
        values = record.__dict__
        values["custom"] = values.get("custom") or {}
        if plan.custom_defaults:
            values["custom"] = with_custom_defaults(values["custom"], plan)
        if not plan.spec.owned:
            return
        actor = self.session.actor
        if values.get("org_id") is None:
            values["org_id"] = actor.org_id
        values.setdefault("owner_id", actor.user_id)
        values.setdefault("team_id", actor.team_id)

    def apply_field_defaults(self, row: Any, plan: FieldPlan) -> None:
        """Declared defaults of fields that were not set."""
        values = row.__dict__
        for spec in plan.defaults:
            if spec.attribute in values:
                continue
            if spec.kind == "money":
                setattr(row, spec.attribute.removesuffix("_value"), spec.default_value())
            else:
                values[spec.attribute] = spec.default_value()


def write_keys(row: Any, plan: FieldPlan) -> None:
    """The folded columns of a row."""
    values, is_new = row.__dict__, instance_state(row).key is None
    for attribute, key_attribute, make in plan.keys:
        if attribute not in values:
            continue
        key = make(values[attribute])
        if is_new:
            values[key_attribute] = key
        elif values.get(key_attribute) != key:
            setattr(row, key_attribute, key)
