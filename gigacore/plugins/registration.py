"""The checks that a plugin passes before any of it is used: names, tables, references, policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from gigacore.entity import Child, FieldSpec
from gigacore.errors import PluginError
from gigacore.messages import msg
from gigacore.plugins.manifest import Plugin
from gigacore.ui import BulkAction, RecordAction

CORE: Final = "core"


def check(plugin: Plugin) -> None:
    """Refuses a plugin that uses names outside its own or leaves a policy out. Raises PluginError."""
    for what, name in _prefixed(plugin):
        if not name.startswith(f"{plugin.name}."):
            raise PluginError(
                plugin.name,
                msg("{what} {name} does not begin with “{prefix}.”.", what=what, name=name, prefix=plugin.name),
                fix=msg("Call it {name}.", name=f"{plugin.name}.{name.rpartition('.')[2]}"),
            )
    for table in sorted(tables(plugin)):
        if not table.startswith(f"{plugin.name}_"):
            raise PluginError(
                plugin.name,
                msg("Table {name} does not begin with “{prefix}_”.", name=table, prefix=plugin.name),
                fix=msg("Call it {name}.", name=f"{plugin.name}_{table}"),
            )
    _check_parts(plugin)


def check_references(plugin: Plugin, usable: Mapping[str, Plugin]) -> None:
    """Refuses a hard reference to an entity of a plugin that is not required. Raises PluginError."""
    allowed = {plugin.name, CORE, *_required(plugin, usable)}
    for spec in fields(plugin):
        if spec.target is not None and not spec.soft and spec.target.partition(".")[0] not in allowed:
            raise PluginError(
                plugin.name,
                msg(
                    "Field {field} refers to {target}, whose plugin is not required.",
                    field=spec.name,
                    target=spec.target,
                ),
                fix=msg("Name the plugin in requires=, or declare the reference with soft=True."),
            )
    for extension in plugin.extensions:
        owner = extension.__extension__.entity.partition(".")[0]
        if owner not in allowed:
            raise PluginError(
                plugin.name,
                msg(
                    "It adds fields onto {entity}, whose plugin is not required.", entity=extension.__extension__.entity
                ),
                fix=msg("Name the plugin in requires=."),
            )


def prefix_clashes(names: Iterable[str]) -> dict[str, str]:
    """Names that are another's prefix up to `_`, with that other: their tables could not be told apart."""
    known = sorted(names)
    return {a: b for a in known for b in known if b.startswith(f"{a}_")}


def tables(plugin: Plugin) -> frozenset[str]:
    """Every table that the plugin owns, by exact name."""
    return frozenset(
        {
            *(entity.__giga__.table.name for entity in plugin.entities),
            *(row.__tablename__ for row in rows(plugin)),
            *(extension.__tablename__ for extension in plugin.extensions),
            *plugin.tables,
        }
    )


def rows(plugin: Plugin) -> Iterator[type[Child]]:
    """The classes of child rows of the plugin's entities."""
    for entity in plugin.entities:
        for child in entity.__giga__.children.values():
            yield child.cls


def fields(plugin: Plugin) -> Iterator[FieldSpec]:
    """Every field that the plugin declares, on entities, child rows and extensions."""
    for entity in plugin.entities:
        yield from entity.__giga__.fields.values()
        for child in entity.__giga__.children.values():
            yield from child.fields.values()
    for extension in plugin.extensions:
        yield from extension.__fields__.values()


def missing_tables(plugin: Plugin, metadata: sa.MetaData) -> list[str]:
    """Tables that the manifest names although nothing declares them."""
    return sorted(tables(plugin) - set(metadata.tables))


def _prefixed(plugin: Plugin) -> Iterator[tuple[str, str]]:
    for entity in plugin.entities:
        yield "Entity", entity.__giga__.name
    for row in rows(plugin):
        yield "Row", row.__child__.name
    for kind, items in (
        ("Choice list", plugin.choice_lists),
        ("Setting", plugin.settings),
        ("Job", plugin.jobs),
        ("Schedule", plugin.schedules),
        ("Consumer", plugin.consumers),
        ("Tool", plugin.tools),
        ("Trigger", plugin.rule_triggers),
        ("Notification", plugin.notification_kinds),
        ("Action of rules", plugin.rule_actions),
    ):
        for item in items:
            yield kind, item.name
    for link in plugin.link_kinds:
        yield "Kind of link", link.key
    for extension in plugin.extensions:
        yield "Extension", f"{extension.__extension__.plugin}."


def _check_parts(plugin: Plugin) -> None:
    parts = (plugin.actions, plugin.bulk_actions, plugin.nav, plugin.tabs, plugin.panels, plugin.widgets)
    for part in (part for kind in (*parts, plugin.settings_pages) for part in kind):
        if not part.policy:
            raise PluginError(
                plugin.name,
                msg("{kind} {name} declares no policy.", kind=type(part).__name__, name=part.name),
                fix=msg('Say who may see it: policy="<entity>.<verb>", "signed_in" or "super_admin".'),
            )

    actions: list[RecordAction | BulkAction] = [*plugin.actions, *plugin.bulk_actions]
    for action in actions:
        own = f"{plugin.name}_{action.name}"
        if action.entity.partition(".")[0] != plugin.name and not action.name.startswith(f"{plugin.name}_"):
            raise PluginError(
                plugin.name,
                msg("Action {name} on {entity} lacks the plugin's name.", name=action.name, entity=action.entity),
                fix=msg("Call it {name}.", name=own),
            )


def _required(plugin: Plugin, usable: Mapping[str, Plugin]) -> set[str]:
    found: set[str] = set()
    wave = set(plugin.requires)
    while wave:
        found |= wave
        wave = {name for one in wave if one in usable for name in usable[one].requires} - found
    return found
