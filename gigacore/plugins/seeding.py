"""Puts a plugin's first rows into the core's tables; what an administrator changed since is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore.access.builtin import add_plugin_grants
from gigacore.data.choices import core_choice
from gigacore.entity import Choice, ChoiceList
from gigacore.ids import uuid7
from gigacore.plugins import stored
from gigacore.plugins.manifest import Plugin

if TYPE_CHECKING:
    from gigacore.application import Crm


def seed_choices(connection: sa.Connection, plugin: Plugin, before: Mapping[str, Any]) -> None:
    """Adds the choices that the plugin did not declare before, according to its stored manifest `before`.

    What an administrator changed, switched off or removed since stays as it is.
    """
    seeded = before.get("choices", {})
    for declared in plugin.choice_lists:
        rows = connection.scalars(sa.select(core_choice.c.key).where(core_choice.c.list == declared.name))
        present = {*rows, *seeded.get(declared.name, ())}
        new = [(n, c) for n, c in enumerate(declared.choices) if c.key not in present]
        if new:
            connection.execute(sa.insert(core_choice), [_row(declared, n, c, plugin.name) for n, c in new])


def seed_grants(connection: sa.Connection, plugin: Plugin, before: Mapping[str, Any]) -> None:
    """Gives roles the grants that the plugin did not declare before, according to its stored manifest `before`."""
    seeded = [tuple(grant) for grant in before.get("grants", ())]
    declared = ((g.role, g.entity, verb, g.level) for g in plugin.grants for verb in g.verbs)
    new = [
        (role, entity, (verb,), level)
        for role, entity, verb, level in declared
        if (role, entity, verb, level) not in seeded
    ]
    if new:
        add_plugin_grants(connection, plugin.name, new)


def run_install(crm: Crm, plugin: Plugin) -> None:
    """Lets a plugin do its own part of the installation, as the system, unless that was done since.

    One transaction with the note that it is done: ended at any moment it is done by the next start, by one process.
    """
    if plugin.install is not None:
        with crm.system(f"install {plugin.name}") as ctx:
            if stored.claim_install(ctx.session.connection(), plugin.name):
                plugin.install(ctx)


def read_choices(connection: sa.Connection, declared: Iterable[ChoiceList]) -> list[ChoiceList]:
    """The declared lists as they stand in the database, choices in their order, inactive ones included."""
    c = core_choice.c
    columns = c.list, c.key, c.label, c.kind, c.colour, c.labels, c.active, c.position
    rows = connection.execute(sa.select(*columns).order_by(c.list, c.position, c.id))
    found: dict[str, list[Choice]] = {}
    for name, *values in rows:
        found.setdefault(name, []).append(Choice(*values))
    return [
        ChoiceList(entry.name, entry.label, tuple(found.get(entry.name, ())), open=entry.open) for entry in declared
    ]


def _row(declared: ChoiceList, position: int, choice: Choice, plugin: str) -> dict[str, Any]:
    return {
        "uid": uuid7(),
        "list": declared.name,
        "key": choice.key,
        "label": choice.label,
        "labels": dict(choice.labels),
        "colour": choice.colour,
        "kind": choice.kind,
        "position": choice.position or position,
        "active": choice.active,
        "plugin": plugin,
    }
