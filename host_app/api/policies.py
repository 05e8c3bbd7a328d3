"""Policies of API routes: verbs on the entity that the path names, and on the core's tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from gigacore import access, records
from gigacore.context import Actor
from gigacore.entity import EntitySpec
from host_app.context import current_crm
from host_app.routing import Policy


def entity_at(plugin: str, plural: str) -> EntitySpec:
    """The entity at `/<plugin>/<plural>`. Raises NotFound."""
    return current_crm().registry.by_path(plugin, plural)


def on_entity(verb: str, name: str = "") -> Policy:
    """Whoever has `verb` on entity `name`, or that in the path, at some level; which records, the service decides."""

    def check(actor: Actor, arguments: Mapping[str, Any]) -> None:
        crm = current_crm()
        entity = crm.registry.entity(name) if name else entity_at(arguments["plugin"], arguments["plural"])
        if not crm.guard.surely(actor, crm.registry, entity, verb):
            access.require(g.ctx, verb, entity.name)

    return Policy(f"entity: {verb}", check)


def on_action() -> Policy:
    """Whoever has the verb of the action in the path."""

    def check(actor: Actor, arguments: Mapping[str, Any]) -> None:
        entity, name = entity_at(arguments["plugin"], arguments["plural"]), arguments["action"]
        declared = current_crm().registry.actions.get(entity.name, {}).get(name)
        access.require(g.ctx, name if declared is None else records.verb_of(declared), entity.name)

    return Policy("entity: its action", check)


def on_tool(tool: str, verb: str) -> Policy:
    """Whoever has `verb` on one of the core's tools (`core.custom_field`)."""

    def check(actor: Actor, arguments: Mapping[str, Any]) -> None:
        access.require(g.ctx, verb, tool)

    return Policy(f"{tool}: {verb}", check)
