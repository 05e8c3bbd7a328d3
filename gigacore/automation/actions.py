"""The actions that every installation has: each goes through the services that people use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.automation.declare import Action, Params, Step
from gigacore.automation.fill import fitting, is_dynamic
from gigacore.data import links
from gigacore.entity import Entity, FieldSpec
from gigacore.errors import FieldError, Invalid
from gigacore.messages import msg
from gigacore.records import input_schema, load_input

if TYPE_CHECKING:
    from gigacore.entity import EntitySpec, Registry


def set_fields(step: Step) -> Mapping[str, Any]:
    """Change fields of the record."""
    spec, record = _target(step)
    values = _fitting(spec, step.params["values"], step)
    records.update(step.ctx, spec.name, record.id, values)
    return {"fields": sorted(values)}


def assign(step: Step) -> Mapping[str, Any]:
    """Hand the record to a person, or to several in turn."""
    spec, record = _target(step)
    people = step.params["to"]
    owner = people[step.run % len(people)] if isinstance(people, list) else people
    records.update(step.ctx, spec.name, record.id, {"owner_id": owner})
    return {"owner_id": owner}


def run_action(step: Step) -> Mapping[str, Any]:
    """Run an action of the record."""
    spec, record = _target(step)
    records.run_action(step.ctx, spec.name, record.id, step.params["action"], step.params.get("values") or {})
    return {"action": step.params["action"]}


def create_record(step: Step) -> Mapping[str, Any]:
    """Create a record, linked to the one that the rule is about."""
    spec = step.registry.entity(step.params["entity"])
    values = dict(_fitting(spec, step.params["values"], step))
    reference = _reference_to(spec, step.entity, values) if step.record is not None else None
    if reference is not None and step.record is not None:
        values[reference] = step.record.id
    created = records.create(step.ctx, spec.name, values)
    if reference is None and step.record is not None:
        links.link(step.ctx, step.record, created)
    return {"entity": spec.name, "id": created.id}


def _reference_to(spec: EntitySpec, target: EntitySpec | None, values: Mapping[str, Any]) -> str | None:
    """The first field of `spec` that refers to `target` and is not given."""
    for name, field in spec.fields.items():
        if target is not None and field.target == target.name and not field.readonly and name not in values:
            return name
    return None


def _target(step: Step) -> tuple[EntitySpec, Entity]:
    if step.record is None or step.entity is None:
        raise Invalid(msg("The record is not there any more."))
    return step.entity, step.record


def _fitting(spec: EntitySpec, values: Mapping[str, Any], step: Step) -> dict[str, Any]:
    return {name: fitting(spec.fields.get(name), value, step.ctx.actor.timezone) for name, value in values.items()}


def check_values(registry: Registry, spec: EntitySpec, values: object, at: str, *, partial: bool) -> None:
    """Refuse values that the entity's fields would refuse whatever the record; dynamic ones are judged when it runs."""
    if not isinstance(values, Mapping) or not values:
        raise Invalid.of(at, msg("Name at least one field and its value."), "required")
    schema = input_schema(registry, spec, partial=partial)
    known = {name for name, value in values.items() if is_dynamic(value) and name in schema.fields}
    try:
        load_input(schema, {name: value for name, value in values.items() if name not in known})
    except Invalid as error:
        wrong = [one for one in error.errors if one.path not in known and one.code != "required"]
        if wrong:
            raise Invalid(errors=[FieldError(f"{at}.{one.path}", one.message, one.code) for one in wrong]) from None


def _check_set(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    if entity is not None:
        check_values(registry, entity, params["values"], "values", partial=True)


def _check_create(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    spec = registry.entities.get(params["entity"])
    if spec is None:
        raise Invalid.of("entity", msg("There is no entity {name}.", name=str(params["entity"])[:80]), "unavailable")
    check_values(registry, spec, params["values"], "values", partial=False)


def _check_people(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    people = params["to"]
    if entity is not None and not entity.owned:
        raise Invalid.of("to", msg("These records belong to nobody, so they cannot be handed over."))
    if not is_dynamic(people) and not _are_numbers(people if isinstance(people, list) else [people]):
        raise Invalid.of("to", msg("Choose one person or several."))


def _are_numbers(people: Sequence[object]) -> bool:
    return bool(people) and all(isinstance(one, int) and not isinstance(one, bool) for one in people)


def _check_action(registry: Registry, entity: EntitySpec | None, params: Params) -> None:
    if entity is not None and params["action"] not in registry.actions.get(entity.name, {}):
        message = msg("{entity} has no action {name}.", entity=entity.name, name=params["action"])
        raise Invalid.of("action", message, "unavailable")


VALUES: Final = FieldSpec("values", "json", msg("Values").text, required=True)
ACTIONS: Final = (
    Action(
        "core.set_fields",
        msg("Set fields").text,
        set_fields,
        (VALUES,),
        check=_check_set,
        help=msg("Writes values into the record, as if the owner of the rule had typed them.").text,
        icon="pencil",
    ),
    Action(
        "core.assign",
        msg("Assign").text,
        assign,
        (FieldSpec("to", "json", msg("Person").text, required=True),),
        check=_check_people,
        help=msg("Makes somebody responsible; they are told.").text,
        icon="user-check",
    ),
    Action(
        "core.run_action",
        msg("Run an action").text,
        run_action,
        (
            FieldSpec("action", "text", msg("Action").text, required=True),
            FieldSpec("values", "json", msg("Values").text),
        ),
        check=_check_action,
        help=msg("Does what a button of the record does.").text,
        icon="player-play",
    ),
    Action(
        "core.create_record",
        msg("Create a record").text,
        create_record,
        (FieldSpec("entity", "text", msg("Kind of record").text, required=True), VALUES),
        check=_check_create,
        needs_record=False,
        help=msg("Makes another record, such as a task, linked to this one.").text,
        icon="plus",
    ),
)
