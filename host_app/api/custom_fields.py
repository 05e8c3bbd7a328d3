"""Custom fields: administrators list, add, change and remove them; every answer after that knows them."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, g

from gigacore import customfields
from gigacore.context import Context
from gigacore.customfields import Definition
from host_app.api.answers import answer, nothing
from host_app.api.body import read_object
from host_app.api.once import write
from host_app.api.policies import on_tool
from host_app.api.query import entity_name, only, word
from host_app.context import current_crm, say
from host_app.routing import route

FIELDS: Final = "/api/v1/core/custom-fields"
FIELD: Final = f"{FIELDS}/<entity>/<key>"
TOOL: Final = "core.custom_field"
SHOWN: Final = (
    "entity", "key", "kind", "label", "help", "section", "position", "required", "unique", "indexed", "listed",
    "active", "default", "choice_list", "target", "formula", "plugin",
)  # fmt: skip


def register(app: Flask) -> None:
    """Declare the routes."""
    route(app, FIELDS, policy=on_tool(TOOL, "view"))(list_fields)
    route(app, FIELDS, policy=on_tool(TOOL, "edit"), methods=["POST"])(define_field)
    route(app, FIELD, policy=on_tool(TOOL, "view"))(get_field)
    route(app, FIELD, policy=on_tool(TOOL, "edit"), methods=["PATCH"])(change_field)
    route(app, FIELD, policy=on_tool(TOOL, "edit"), methods=["DELETE"])(remove_field)


def list_fields() -> Response:
    """Every custom field, or those of `?entity=`."""
    only("entity")
    connection = g.ctx.session.connection()
    found = customfields.read_definitions(connection, entity_name() or None)
    return answer({"items": [_shown(definition) for definition in found]})


def get_field(entity: str, key: str) -> Response:
    """One custom field."""
    only()
    return answer(_shown(customfields.find(g.ctx, entity, key)))


def define_field() -> Response:
    """A new custom field, in use as soon as this answers."""
    only()
    data = read_object()
    response = write(lambda ctx: answer(_shown(customfields.define(ctx, data)), 201))
    current_crm().refresh()
    return response


def change_field(entity: str, key: str) -> Response:
    """Label, order, rules or choices of a field; key, kind and target never change."""
    only()
    data = read_object()
    response = write(lambda ctx: answer(_shown(customfields.change(ctx, entity, key, data))))
    current_crm().refresh()
    return response


def remove_field(entity: str, key: str) -> Response:
    """Hide a field; `?purge=true` also erases its values, which cannot be undone."""
    only("purge")
    purge = word("purge", ("true", "false"))

    def work(ctx: Context) -> Response:
        customfields.remove(ctx, entity, key, purge=purge == "true")
        return nothing()

    response = write(work)
    current_crm().refresh()
    return response


def _shown(definition: Definition) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(definition, name) for name in SHOWN}
    fault = customfields.fault_of(definition, current_crm().registry)
    shown["formula_fault"] = None if fault is None else say(fault)
    shown["labels"] = dict(definition.labels)
    shown["choices"] = [
        {"key": one.key, "label": one.label, "labels": dict(one.labels), "colour": one.colour, "active": one.active}
        for one in definition.choices
    ]
    return shown
