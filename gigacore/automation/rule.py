"""A rule as a checked value: what starts it, for which records, and what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gigacore.automation.declare import Action, Params, Trigger
from gigacore.automation.fill import check_params, known_names, with_defaults
from gigacore.automation.program import Do, Instruction, Unless, Wait, assemble
from gigacore.errors import FieldError, Invalid
from gigacore.filter import Condition, Everything, parse
from gigacore.filter.moments import parse_duration
from gigacore.messages import Msg, msg
from gigacore.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from gigacore.entity import EntitySpec, FieldSpec, Registry

    Readable = Callable[[EntitySpec, FieldSpec], bool]

KEYS: Final = frozenset({"entity", "trigger", "when", "steps"})
MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Kit:
    """The triggers and actions that the core and the enabled plugins offer."""

    triggers: Mapping[str, Trigger]
    actions: Mapping[str, Action]

    @classmethod
    def of(cls, triggers: Iterator[Trigger], actions: Iterator[Action]) -> Kit:
        """By name."""
        return cls(
            MappingProxyType({one.name: one for one in triggers}), MappingProxyType({one.name: one for one in actions})
        )


@dataclass(frozen=True, slots=True)
class Definition:
    """What a rule's body says, checked against the registry and the kit."""

    entity: EntitySpec | None
    trigger: Trigger
    params: Params
    condition: Condition
    when: Mapping[str, Any] | None
    program: tuple[Instruction, ...]

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events that may start it."""
        return tuple(self.trigger.events(self.entity.name if self.entity else "", self.params))


@dataclass(frozen=True, slots=True)
class Rule:
    """A stored rule. `definition` is None, with the `problem` in words, while something it needs is not there."""

    id: int
    uid: UUID
    name: str
    org_id: int
    owner_id: int
    version: int
    active: bool
    active_since: datetime | None
    checked_at: datetime | None
    body: Mapping[str, Any]
    definition: Definition | None
    problem: tuple[FieldError, ...] = ()


def read(body: object, registry: Registry, kit: Kit, readable: Readable | None = None) -> Definition:
    """The definition in a rule's body. Raises Invalid with one error per value at fault.

    `readable(entity, field)` narrows the fields that conditions may name to those the author may read.
    """
    if not isinstance(body, Mapping):
        raise Invalid(msg("A rule must be an object with “entity”, “trigger”, “when” and “steps”."))
    for key in body.keys() - KEYS:
        raise Invalid.of(str(key)[:60], msg("A rule has no part of that name."), "unknown_field")
    entity = _entity(body.get("entity"), registry)
    trigger, params = _trigger(body.get("trigger"), entity, registry, kit)
    errors: list[FieldError] = []
    when = body.get("when")
    condition: Condition = Everything()
    options: dict[str, Any] = {} if readable is None else {"readable": readable}
    try:
        condition = _condition(when, entity, registry, "when", options | {"events": trigger.clock is None})
    except Invalid as error:
        errors += error.errors
    program = assemble(body.get("steps", []))
    if not program:
        errors.append(FieldError("steps", msg("Add at least one step."), "required"))
    for instruction in program:
        errors += _faults(instruction, entity, registry, kit, options | {"events": trigger.clock is None})
    if errors:
        raise Invalid(errors=errors)
    return Definition(entity, trigger, params, condition, when, program)


def _entity(name: object, registry: Registry) -> EntitySpec | None:
    if not name:
        return None
    found = registry.entities.get(name) if isinstance(name, str) else None
    if found is None:
        raise Invalid.of("entity", msg("There is no entity {name}.", name=str(name)[:80]), "unknown_entity")
    return found


def _trigger(given: object, entity: EntitySpec | None, registry: Registry, kit: Kit) -> tuple[Trigger, Params]:
    name = given.get("kind") if isinstance(given, Mapping) else None
    trigger = kit.triggers.get(name) if isinstance(name, str) else None
    if trigger is None or not isinstance(given, Mapping):
        raise Invalid.of("trigger.kind", msg("There is no trigger {name}.", name=str(name)[:80]), "unavailable")
    if trigger.needs_entity and entity is None:
        raise Invalid.of("entity", msg("Choose what kind of record the rule is about."), "required")
    if entity is not None and (not trigger.for_entity or (trigger.entities and entity.name not in trigger.entities)):
        raise Invalid.of("trigger.kind", msg("This trigger does not fit {entity}.", entity=Msg(entity.label_plural)))
    params = with_defaults(trigger.params, {key: value for key, value in given.items() if key != "kind"})
    check_params(registry, trigger.params, params, "trigger", dynamic=False)
    if trigger.check is not None:
        trigger.check(registry, entity, params)
    return trigger, params


def _condition(
    tree: object, entity: EntitySpec | None, registry: Registry, at: str, options: Mapping[str, Any]
) -> Condition:
    if tree is None or tree == {}:
        return Everything()
    if entity is None:
        raise Invalid.of(at, msg("A rule about no record has no conditions."))
    return parse(tree, entity, registry, at=at, **options)


def _faults(
    instruction: Instruction, entity: EntitySpec | None, registry: Registry, kit: Kit, options: Mapping[str, Any]
) -> Iterator[FieldError]:
    try:
        match instruction:
            case Do():
                check_step(instruction, entity, registry, kit)
            case Wait(at, duration):
                if (offset := parse_duration(duration, 1)) is None or not offset.months + offset.days + offset.seconds:
                    raise Invalid.of(f"{at}.wait", msg("This must be a duration such as P7D or PT2H."))
            case Unless(at, condition):
                _condition(condition, entity, registry, f"{at}.if", options)
    except Invalid as error:
        yield from error.errors


def check_step(step: Do, entity: EntitySpec | None, registry: Registry, kit: Kit) -> None:
    """Refuse a step whose action is not there or whose parameters cannot work. Raises Invalid."""
    action = kit.actions.get(step.action)
    if action is None:
        raise Invalid.of(f"{step.at}.do", msg("There is no action {name}.", name=step.action[:80]), "unavailable")
    if action.needs_record and entity is None:
        raise Invalid.of(f"{step.at}.do", msg("“{action}” needs a record.", action=Msg(action.label)))
    if entity is not None and action.entities and entity.name not in action.entities:
        message = msg("“{action}” does not fit {entity}.", action=Msg(action.label), entity=Msg(entity.label_plural))
        raise Invalid.of(f"{step.at}.do", message)
    known = known_names(entity)
    check_params(registry, action.params, step.params, f"{step.at}.with", dynamic=True, known=known)
    if action.check is not None:
        try:
            action.check(registry, entity, step.params)
        except Invalid as error:
            raise Invalid(
                errors=[FieldError(f"{step.at}.with.{one.path}", one.message, one.code) for one in error.errors]
            ) from None
