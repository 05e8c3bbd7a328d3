"""What the installation knows: entities, fields and choices, as far as the caller may see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask import Flask, Response, g

from gigacore import access
from gigacore.entity import ChoiceList, EntitySpec, FieldSpec
from host_app.api.answers import answer
from host_app.api.query import only
from host_app.context import current_crm, say
from host_app.routing import route, signed_in

ENTITIES: Final = "/api/v1/core/entities"
CHOICES: Final = "/api/v1/core/choice-lists"


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, ENTITIES, policy=signed_in)(entities)
    route(app, CHOICES, policy=signed_in)(choice_lists)


def entities() -> Response:
    """Entities that the caller may view, with the fields that the caller may read."""
    only()
    found = [e for e in current_crm().registry.entities.values() if access.may(g.ctx, "view", e.name)]
    return answer({"items": [_entity(entity) for entity in found]})


def choice_lists() -> Response:
    """The lists of choices, with labels in the caller's language."""
    only()
    return answer({"items": [_choice_list(entry) for entry in current_crm().registry.choice_lists.values()]})


def _entity(entity: EntitySpec) -> dict[str, Any]:
    return {
        "name": entity.name,
        "label": say(entity.label),
        "label_plural": say(entity.label_plural),
        "path": f"/api/v1/{entity.api_path}",
        "title": entity.title,
        "board": entity.board,
        "fields": [_field(spec) for spec in _readable(entity)],
        "children": {
            name: [_field(spec) for spec in child.fields.values() if not spec.secret]
            for name, child in entity.children.items()
        },
        "actions": [
            {"name": action.name, "label": say(action.label)}
            for action in current_crm().registry.actions.get(entity.name, {}).values()
            if access.may(g.ctx, action.name, entity.name)
        ],
    }


def _readable(entity: EntitySpec) -> Iterable[FieldSpec]:
    return (spec for spec in entity.fields.values() if access.may_read(g.ctx, entity, spec))


def _field(spec: FieldSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "kind": spec.kind,
        "label": spec.labels.get(g.locale) or say(spec.label),
        "required": spec.required,
        "readonly": spec.readonly,
        "custom": spec.custom,
        "target": spec.target,
        "choice_list": spec.choice_list,
        "choices": [{"value": value, "label": say(label)} for value, label in spec.choices],
        "max_length": spec.max_length,
    }


def _choice_list(entry: ChoiceList) -> dict[str, Any]:
    return {
        "name": entry.name,
        "label": say(entry.label),
        "choices": [
            {
                "key": choice.key,
                "label": choice.labels.get(g.locale) or say(choice.label),
                "kind": choice.kind,
                "colour": choice.colour,
                "active": choice.active,
            }
            for choice in entry.choices
        ],
    }
