"""What a flush is about to do to each record, read from SQLAlchemy's own bookkeeping of the attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, select
from sqlalchemy.orm import InstanceState
from sqlalchemy.orm.base import LoaderCallableStatus

from gigacore.data.plan import ChildPlan, EntityPlan, FieldPlan
from gigacore.entity import Money
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession

HIDDEN: Final = "***"


@dataclass(slots=True)
class RowChange:
    """One child or extension row that the flush adds, changes or removes."""

    row: Any
    plan: FieldPlan
    before: dict[str, Any] | None
    gone: bool = False

    def rank(self) -> tuple[bool, int]:
        """Rows that stay come first, so that the old and the new values of each stand at the same place."""
        return self.gone or self.before is None, self.row.position or 0

    def after_image(self) -> dict[str, Any] | None:
        """The row's values after the flush, None when it is removed."""
        return None if self.gone else image(self.row, self.plan)


@dataclass(slots=True)
class Change:
    """One record that the flush creates, updates or deletes.

    `before` holds the old values of changed fields. `rows` are its changed child rows by attribute, `added` values of
    extension fields as (old, new).
    """

    plan: EntityPlan
    record: Any
    verb: str
    before: dict[str, Any] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    rows: dict[str, list[RowChange]] = field(default_factory=dict)
    added: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    loud: bool = False
    """Whether an extension field that people edit is among `added`."""
    judged: bool = False
    snapshot: dict[str, Any] | None = None
    """The row for the trash of a record that is deleted."""

    @property
    def is_quiet(self) -> bool:
        """Whether only computed fields, or fields that a plugin's own code keeps, changed.

        Then there is no new version, no audit and no event.
        """
        return self.verb == "updated" and not self.rows and self.changed <= self.plan.plan.quiet and not self.loud

    def names(self) -> frozenset[str]:
        """All changed fields, child rows and extension fields."""
        return self.changed.union(self.rows, self.added) if self.rows or self.added else self.changed

    def announce(self, session: ActorSession) -> None:
        """Tell the hooks that the record is written."""
        session.hooks.after_save(session.context, self.plan.spec, self.record, self.names())

    def values(self) -> dict[str, list[Any]]:
        """Field -> [before, after], secrets hidden."""
        plan, record, gone = self.plan.plan, self.record, self.verb == "deleted"
        before, now, attributes = self.before, record.__dict__, plan.attributes
        found: dict[str, list[Any]] = {}
        for name in sorted(self.changed):
            shown = now[attribute] if (attribute := attributes.get(name)) in now else plan.read(record, name)
            found[name] = [before.get(name), None if gone else shown]
        for name, unsorted in self.rows.items():
            changes = sorted(unsorted, key=RowChange.rank)
            found[name] = [[c.before for c in changes if c.before], [i for c in changes if (i := c.after_image())]]
        found.update({name: list(pair) for name, pair in self.added.items()})
        for name in plan.hidden & found.keys() if plan.hidden else ():
            found[name] = [None if value is None else HIDDEN for value in found[name]]
        return found


def changed_values(session: ActorSession, row: Any, plan: FieldPlan) -> dict[str, Any]:
    """Field -> old value of every field whose value differs from what the database holds."""
    state: InstanceState[Any] = inspect(row)
    found: dict[str, Any] = {}
    for attribute, old in list(state.committed_state.items()):
        name = plan.names.get(attribute)
        if name is not None:
            _note(session, row, plan, found, attribute, name, old)
        elif attribute == "custom":
            found.update(_custom_changes(old, row.custom))
    return found


def _note(
    session: ActorSession, row: Any, plan: FieldPlan, found: dict[str, Any], attribute: str, name: str, old: Any
) -> None:
    if isinstance(old, LoaderCallableStatus):
        old = stored_value(session, row, attribute)
    if old == getattr(row, attribute):
        return
    spec = plan.fields[name]
    if spec.kind != "money":
        found[name] = old
        return
    state: InstanceState[Any] = inspect(row)
    value = _committed(state, spec.attribute)
    currency = _committed(state, spec.currency_attribute)
    found[name] = None if value is None or currency is None else Money(value, currency)


def _committed(state: InstanceState[Any], attribute: str) -> Any:
    old = state.committed_state.get(attribute, state.dict.get(attribute))
    return None if isinstance(old, LoaderCallableStatus) else old


def stored_value(session: ActorSession, row: Any, attribute: str) -> Any:
    """What the database holds for an attribute that was set without having been read."""
    cls = type(row)
    with session.door.opened():
        return session.connection().scalar(select(getattr(cls, attribute)).where(cls.id == row.id))


def _custom_changes(old: Any, new: Mapping[str, Any] | None) -> dict[str, Any]:
    before = old if isinstance(old, dict) else {}
    after = new or {}
    return {name: before.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def filled(row: Any, plan: FieldPlan) -> frozenset[str]:
    """The fields of a new row that have a value."""
    values, names = row.__dict__, plan.names
    found = [names[attribute] for attribute, value in values.items() if value is not None and attribute in names]
    if custom := values.get("custom"):
        found += [name for name, value in custom.items() if value is not None]
    return frozenset(found)


def image(row: Any, plan: FieldPlan) -> dict[str, Any]:
    """All values of a row, secrets hidden."""
    return {name: HIDDEN if name in plan.hidden else plan.read(row, name) for name in plan.fields}


def old_image(row: Any, child: ChildPlan, before: Mapping[str, Any]) -> dict[str, Any]:
    """All values of a row as they were."""
    return {**image(row, child.plan), **before}
