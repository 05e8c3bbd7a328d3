"""Records that rules of their entity lock or freeze, and the transitions of their states: kept by every writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gigacore.data.changes import Change
from gigacore.data.door import mark_scoped
from gigacore.entity import ChoiceList, Entity, EntitySpec, FieldSpec, Transition
from gigacore.errors import Conflict, FieldError, Invalid, Locked
from gigacore.filter import Condition, ObjectReader, PyEnv, RecordReader, RecordSource, ToMany, matches
from gigacore.filter.stored import read_value
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.data.session import ActorSession

ACTION = "action"
"""Under this name `ctx.notes` holds the declared action that is running."""


@dataclass(frozen=True, slots=True)
class OldImage:
    """A record as the database holds it, while its object has been changed already."""

    now: ObjectReader
    before: Mapping[str, Any]

    def get(self, field: FieldSpec) -> Any:
        """The old value of a field."""
        if field.extension is not None or field.name not in self.before:
            return self.now.get(field)
        old = self.before[field.name]
        return read_value(field, old) if field.custom else old

    def follow(self, field: FieldSpec) -> RecordReader | None:
        """The record that the old reference named."""
        key = self.get(field)
        found = self.now.source.load(field.target, key) if key is not None and field.target else None
        return None if found is None else ObjectReader(found, self.now.source)

    def related(self, relation: ToMany) -> Iterable[RecordReader]:
        """The related rows."""
        return self.now.related(relation)

    def shared(self, verb: str) -> bool:
        """Sharing locks nothing."""
        return False


def check(session: ActorSession, change: Change) -> None:
    """Raise Locked for a change of a locked or frozen record, Conflict for a state that may not follow the old one."""
    if change.verb == "created":
        return
    plan, ctx = change.plan, session.context
    if plan.frozen_when is not None and _held(session, change, plan.frozen_when):
        raise Locked(_reason(change))
    if plan.locked_when is not None and not ctx.unlocking and _held(session, change, plan.locked_when):
        raise Locked(_reason(change))
    if plan.spec.transitions and change.verb == "updated":
        _check_transitions(session, change)


def check_required_any(spec: EntitySpec, record: Entity) -> None:
    """Raise Invalid when none of the fields is filled of which at least one must be."""
    if spec.required_any and not any(getattr(record, name) for name in spec.required_any):
        reason = msg("At least one of these is required: {fields}.", fields=_listed(spec))
        raise Invalid(errors=[FieldError(name, reason, "required") for name in spec.required_any])


def _listed(spec: EntitySpec) -> Msg:
    """The labels of the fields of which one is required, each to be translated."""
    names = ", ".join(f"{{{name}}}" for name in spec.required_any)
    return Msg(names, {name: Msg(spec.fields[name].label) for name in spec.required_any})


def _reason(change: Change) -> Msg:
    reason = change.plan.spec.locked_reason
    return Msg(reason) if reason else msg("This record is locked.")


def _held(session: ActorSession, change: Change, condition: Condition) -> bool:
    def load(entity: str, number: int) -> Entity | None:
        spec = session.registry.entities.get(entity)
        if spec is None:
            return None
        cls: Any = spec.cls
        found: Entity | None = session.scalars(mark_scoped(select(cls).where(cls.id == number))).one_or_none()
        return found

    image = OldImage(ObjectReader(change.record, RecordSource(load=load)), change.before)
    return matches(condition, image, PyEnv(session.registry, session.actor, session.context.now))


def _check_transitions(session: ActorSession, change: Change) -> None:
    spec = change.plan.spec
    for name in {transition.field for transition in spec.transitions} & change.changed:
        field, old, new = spec.fields[name], change.before.get(name), change.plan.plan.read(change.record, name)
        choices = session.registry.choice_list(field)
        running = session.context.notes.get(ACTION)
        rules = (rule for rule in spec.transitions if rule.field == name)
        if not any(_allows(rule, _key(old), _key(new), running, choices) for rule in rules):
            raise Conflict(
                msg("“{field}” cannot change from {old} to {new}.", field=Msg(field.label), old=old, new=new)
            )


def _key(value: Any) -> str | None:
    found: str | None = getattr(value, "value", value)
    return found


def _allows(rule: Transition, old: str | None, new: str | None, running: object, choices: ChoiceList | None) -> bool:
    if rule.action is not None and rule.action != running:
        return False
    return _among(old, rule.sources, choices) and _among(new, rule.targets, choices)


def _among(key: str | None, wanted: tuple[str, ...], choices: ChoiceList | None) -> bool:
    kind = choices.kind_of(key) if choices is not None else ""
    return "*" in wanted or key in wanted or (bool(kind) and f"kind:{kind}" in wanted)
