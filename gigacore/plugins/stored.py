"""What the database knows of installed plugins; it still holds when their code is disabled, broken or gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from gigacore.entity import FieldSpec, metadata
from gigacore.entity.registry import IdleExtension, IdleReference
from gigacore.errors import Conflict
from gigacore.messages import Msg, msg
from gigacore.plugins import kinds, rows
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.registration import tables
from gigacore.plugins.tables import DISABLED, ENABLED, QUARANTINED, core_plugin
from gigacore.values import dataclass

ADDRESSES: Final = "addresses"
"""In a manifest: what the plugin's `web` module was seen to serve; only a host knows."""
HELD: Final = "held"
"""In a manifest: the place where the plugin hung again and again; it is not imported until it is enabled anew."""


@dataclass(frozen=True, slots=True)
class StoredPlugin:
    """One row of `core_plugin`."""

    name: str
    state: str
    version: str
    api: str
    reason: str
    manifest: Mapping[str, Any]
    installing: bool = False

    @property
    def requires(self) -> tuple[str, ...]:
        """The plugins that it required when it was enabled."""
        return tuple(self.manifest.get("requires", ()))

    @property
    def held(self) -> Msg | None:
        """Why it is kept from starting until somebody enables it anew, None for one that may start."""
        place = self.manifest.get(HELD)
        if place is None:
            return None
        return msg(
            "The server had to be ended more than once because it did not return from {place}."
            " Enable it to let it start again.",
            place=place,
        )

    @property
    def after(self) -> tuple[str, ...]:
        """Nothing: the database keeps hard requirements only."""
        return ()


def part_of_application(name: str) -> Conflict:
    """Why a built-in plugin is neither disabled nor removed, and which ones can be."""
    return Conflict(
        msg("The plugin {name} is part of the application.", name=name),
        fix=msg("It always runs. `giga plugin list` shows those that can be disabled or uninstalled."),
    )


def check_state(operation: str, name: str, row: StoredPlugin | None) -> None:
    """Raises Conflict when a plugin in this state cannot be installed, enabled or upgraded."""
    if operation == "install" and row is not None:
        raise Conflict(
            msg("The plugin {name} is installed.", name=name),
            fix=msg("Run `giga plugin enable {name}` or `giga plugin upgrade {name}`.", name=name),
        )
    if operation == "upgrade" and row is None:
        raise Conflict(
            msg("The plugin {name} is not installed.", name=name),
            fix=msg("Run `giga plugin install {name}`.", name=name),
        )


def describe(plugin: Plugin) -> dict[str, Any]:
    """The part of a manifest that has to hold without the plugin's code."""
    return {
        "label": plugin.label,
        "requires": list(plugin.requires),
        "tables": sorted(tables(plugin)),
        "columns": kinds.declared(tables(plugin)),
        "entities": {entity.__giga__.name: _entity(entity) for entity in plugin.entities},
        "extensions": {e.__extension__.entity: sorted(e.__fields__) for e in plugin.extensions},
        "extension_tables": {e.__tablename__: e.__extension__.entity for e in plugin.extensions},
        "references": [_reference(*one) for one in _placed(plugin) if one[0].target is not None],
        "narrows": list(plugin.narrows),
        "choices": {entry.name: [one.key for one in entry.choices] for entry in plugin.choice_lists},
        "grants": [[grant.role, grant.entity, verb, grant.level] for grant in plugin.grants for verb in grant.verbs],
        "routes": _routes(plugin),
        "jobs": [job.name for job in plugin.jobs],
        "schedules": [one.name for one in plugin.schedules],
        "consumers": [one.name for one in plugin.consumers],
        "settings": [one.name for one in plugin.settings],
        "tools": [tool.name for tool in plugin.tools],
    }


def read(connection: sa.Connection) -> dict[str, StoredPlugin]:
    """Every installed plugin, by name; nothing in a database without core tables."""
    if not sa.inspect(connection).has_table(core_plugin.name):
        return {}
    columns = [core_plugin.c[name] for name in StoredPlugin.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).order_by(core_plugin.c.name))
    return {row.name: StoredPlugin(*row) for row in rows}


def idle_references(connection: sa.Connection, running: Iterable[str]) -> tuple[IdleReference, ...]:
    """References of installed plugins that do not run: what they refer to is not deleted or merged under them."""
    off, present = _off(connection, running)
    return tuple(
        IdleReference(
            row.name,
            one["entity"],
            _plural(row, one["entity"]),
            one["table"],
            one["column"],
            one["target"],
            one["rule"],
        )
        for row in off
        for one in row.manifest.get("references", ())
        if one.get("table") in present
    )


def idle_extensions(connection: sa.Connection, running: Iterable[str]) -> tuple[IdleExtension, ...]:
    """Tables of extensions of installed plugins that do not run: their rows go into the trash with their records."""
    off, present = _off(connection, running)
    return tuple(
        IdleExtension(row.name, entity, rows.reflect(connection, table, row.manifest.get("columns", {}).get(table)))
        for row in off
        for table, entity in row.manifest.get("extension_tables", {}).items()
        if table in present
    )


def _off(connection: sa.Connection, running: Iterable[str]) -> tuple[list[StoredPlugin], set[str]]:
    """Installed plugins that do not run, and the tables that are there."""
    on = set(running)
    off = [row for name, row in read(connection).items() if name not in on]
    return off, set(sa.inspect(connection).get_table_names()) if off else set()


def _plural(row: StoredPlugin, entity: str) -> str:
    return str(row.manifest.get("entities", {}).get(entity, {}).get("label_plural") or entity)


def write(connection: sa.Connection, plugin: Plugin, now: datetime) -> None:
    """Stores the manifest of a plugin and marks it enabled; its own `install`, if it has one, has still to run."""
    kept = {ADDRESSES: before[ADDRESSES]} if ADDRESSES in (before := _manifest(connection, plugin.name)) else {}
    values = {
        "state": ENABLED,
        "version": plugin.version,
        "api": plugin.api,
        "reason": "",
        "manifest": describe(plugin) | kept,
        "updated_at": now,
        "installing": plugin.install is not None,
    }
    done = connection.execute(sa.update(core_plugin).where(core_plugin.c.name == plugin.name).values(values))
    if not done.rowcount:
        connection.execute(sa.insert(core_plugin).values(name=plugin.name, installed_at=now, **values))


def remember_addresses(connection: sa.Connection, name: str, found: Sequence[str]) -> None:
    """Notes the addresses that a host serves for an installed plugin; nothing is written where they are known."""
    before = _manifest(connection, name)
    if before and before.get(ADDRESSES) != [*found]:
        row = sa.update(core_plugin).where(core_plugin.c.name == name)
        connection.execute(row.values(manifest=before | {ADDRESSES: [*found]}))


def _manifest(connection: sa.Connection, name: str) -> dict[str, Any]:
    return dict(connection.scalar(sa.select(core_plugin.c.manifest).where(core_plugin.c.name == name)) or {})


def claim_install(connection: sa.Connection, name: str) -> bool:
    """Whether the plugin's own `install` is the caller's to run, in this transaction; another's wait for its end."""
    c = core_plugin.c
    mine = sa.update(core_plugin).where(c.name == name, c.installing).values(installing=False).returning(c.name)
    return connection.execute(mine).first() is not None


def disable(connection: sa.Connection, name: str, now: datetime) -> None:
    """Marks a plugin disabled; its tables and rows stay."""
    _mark(connection, name, DISABLED, "", now)


def remember(connection: sa.Connection, refused: Mapping[str, Msg], running: Iterable[str], now: datetime) -> None:
    """Notes which installed plugins could not start and why, and which of them run again; writes only changes."""
    known = read(connection)
    for name, reason in refused.items():
        if name in known and (known[name].state, known[name].reason) != (QUARANTINED, str(reason)):
            _mark(connection, name, QUARANTINED, str(reason), now)
    for name in running:
        if name in known and known[name].state == QUARANTINED:
            _mark(connection, name, ENABLED, "", now)


def hold(connection: sa.Connection, name: str, place: str) -> None:
    """Keeps an installed plugin from starting until it is enabled anew, for it hung at `place` again and again."""
    row = sa.update(core_plugin).where(core_plugin.c.name == name)
    connection.execute(row.values(manifest=_manifest(connection, name) | {HELD: place}))


def forget(connection: sa.Connection, name: str) -> None:
    """Removes a plugin from the installed ones."""
    connection.execute(sa.delete(core_plugin).where(core_plugin.c.name == name))


def _mark(connection: sa.Connection, name: str, state: str, reason: str, now: datetime) -> None:
    row = sa.update(core_plugin).where(core_plugin.c.name == name)
    connection.execute(row.values(state=state, reason=reason, updated_at=now))


def _entity(entity: Any) -> dict[str, Any]:
    spec = entity.__giga__
    return {
        "label": spec.label,
        "label_plural": spec.label_plural,
        "table": spec.table.name,
        "title": spec.title_field.column,
        "access": spec.access,
        "subject": spec.subject,
        "fields": sorted(spec.fields),
    }


def _routes(plugin: Plugin) -> list[str]:
    """The addresses that its entities and pages of settings have; those of its `web` module are the host's matter."""
    paths = [entity.__giga__.api_path for entity in plugin.entities]
    pages = [page.url or f"/settings/plugin/{page.name}" for page in plugin.settings_pages]
    return [*(f"/{path}" for path in paths), *(f"/api/v1/{path}" for path in paths), *pages]


def _placed(plugin: Plugin) -> Iterator[tuple[FieldSpec, sa.Table, str]]:
    """Each field with its table and the entity whose uid names the row; rows of children have uids of their own."""
    for entity in plugin.entities:
        own = entity.__giga__
        yield from ((spec, own.table, "") for spec in own.fields.values())
        for child in own.children.values():
            yield from ((spec, child.table, "") for spec in child.fields.values())
    for extension in plugin.extensions:
        table = metadata.tables[extension.__tablename__]
        yield from ((spec, table, extension.__extension__.entity) for spec in extension.__fields__.values())


def _reference(spec: FieldSpec, table: sa.Table, keyed_by: str) -> dict[str, Any]:
    return {
        "entity": spec.entity,
        "field": spec.name,
        "table": table.name,
        "column": spec.column,
        "target": spec.target,
        "rule": "soft" if spec.soft else spec.on_delete,
        "required": not table.c[spec.column].nullable if spec.column in table.c else False,
        "keyed_by": keyed_by,
    }
