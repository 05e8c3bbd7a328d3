"""Bringing a plugin back from its archive: tables first, then rows linked by uid to what is there, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gigacore import migrate
from gigacore.access.profiles import bump
from gigacore.data import gone
from gigacore.errors import Conflict, PluginError
from gigacore.files import space
from gigacore.files.container import Container
from gigacore.files.sealed import Secrets
from gigacore.messages import msg
from gigacore.plugins import gone as aftermath
from gigacore.plugins import rows, soft, stored, trail
from gigacore.plugins.archive import FOLDER, newest, open_archive
from gigacore.plugins.footprint import OWNED
from gigacore.plugins.histories import history_of
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.removal import Belongings, settle_number
from gigacore.plugins.stored import StoredPlugin
from gigacore.plugins.tables import ENABLED
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm


@dataclass(frozen=True, slots=True)
class Reinstalled:
    """What came back; `left_out` are rows whose record, person or place is gone since."""

    plugin: str
    archive: Path
    left_out: int


def reinstall(crm: Crm, name: str, archive: Path | None = None, known: Secrets | None = None) -> Reinstalled:
    """Installs a plugin and links its archive again, by default the newest one; it runs at once.

    An archive from the other kind of database fits too. `known` are the secrets of a sealed one, by default the
    installation's. Raises NotFound without an archive, PluginError for one that was changed, is of another API level
    or plugin, or when a requirement is missing, Conflict without its secret or when the plugin is installed; then
    nothing was changed.
    """
    with checked(crm, name, archive, known) as opened:
        plugin, registry = crm.plugins.examine(name)
        check_revision(opened, plugin)
        with space.told():
            objects = _store_files(crm, opened)
        with migrate.operation(crm.engine) as connection:
            _check_not_installed(stored.read(connection), name)
            left_out = 0

            def refill(at: sa.Connection) -> None:
                nonlocal left_out
                left_out = _fill(at, opened, objects)

            crm.plugins.install_on(
                connection,
                plugin,
                registry,
                before=opened.manifest["manifest"],
                revision=opened.manifest["revision"],
                refill=refill,
            )
            left_out += _without_what_is_gone(connection, name)
            trail.note(connection, crm.clock.now(), "reinstalled", name, path=opened.path)
            bump(connection)
    crm.start(finishing=name)
    return Reinstalled(name, opened.path, left_out)


@contextmanager
def checked(crm: Crm, name: str, archive: Path | None, known: Secrets | None) -> Iterator[Container]:
    """Opens an archive that this installation can take back, by default the newest one. Raises as `reinstall`."""
    path = archive or newest(crm.settings.data_dir / FOLDER, name)
    with open_archive(path, known or Secrets.of(crm.settings)) as opened:
        _check(crm, opened, name)
        yield opened


def check_revision(opened: Container, plugin: Plugin) -> None:
    """Raises PluginError when the plugin's code does not know the revision of the archive."""
    revision = opened.manifest["revision"]
    if revision is not None and revision not in history_of(plugin).revisions():
        raise PluginError(
            plugin.name,
            msg("The archive is of revision {revision}, which this version does not know.", revision=revision),
            fix=msg(
                "Install version {version} of the plugin or a later one.", version=opened.manifest["version"] or "-"
            ),
        )


def _without_what_is_gone(connection: sa.Connection, plugin: str) -> int:
    """Records of the plugin that were purged, erased or merged since its archive was written do not come back."""
    return aftermath.apply(connection, (one for one in gone.read(connection) if one.entity.startswith(f"{plugin}.")))


def _check(crm: Crm, opened: Container, name: str) -> None:
    if (other := opened.manifest["plugin"]) != name:
        raise PluginError(
            name,
            msg("The archive is one of plugin {other}.", other=other),
            fix=msg("Run `giga plugin reinstall {other} --archive {path}`.", other=other, path=opened.path),
        )
    if opened.manifest["engine"] != crm.engine.dialect.name and not opened.manifest.get("portable"):
        raise PluginError(
            name,
            msg("The archive was written on {engine}, with values of no known kind.", engine=opened.manifest["engine"]),
            fix=msg("Reinstall it on such a database, then export and import the records."),
        )
    _check_not_installed(crm.plugins.stored(), name)


def _check_not_installed(known: Mapping[str, StoredPlugin], name: str) -> None:
    if name in known:
        raise Conflict(
            msg("The plugin {name} is installed.", name=name),
            fix=msg("Run `giga plugin enable {name}`, or `giga plugin uninstall {name}` first.", name=name),
        )


def _store_files(crm: Crm, opened: Container) -> dict[str, str]:
    """Puts the files into the storage again, before the rows that name them; gives new object ids by old ones."""
    found = {}
    for name in opened.manifest["entries"]:
        folder, _, old = name.partition("/")
        if folder == "files":
            with opened.open(name) as source:
                found[old] = crm.storage.write_stream(source, limit=1 << 40).object_id  # type: ignore[arg-type]
    return found


def _fill(connection: sa.Connection, opened: Container, objects: Mapping[str, str]) -> int:
    belongings = _belongings(opened)
    left_out = _fill_tables(connection, opened, belongings)
    for owned in OWNED:
        lines = opened.lines(f"core/{owned.table.name}")
        if owned.by_id:
            lines = (_moved(line, objects) for line in lines)
        left_out += rows.write(connection, belongings.core_shape(owned), lines, fresh_ids=True)
    left_out += soft.link(connection, opened.lines("references"))
    left_out += soft.put_values(connection, opened.lines("values"))
    return left_out


def _belongings(opened: Container) -> Belongings:
    kept = opened.manifest
    plugin = StoredPlugin(opened.manifest["plugin"], ENABLED, kept["version"], kept["api"], "", kept["manifest"])
    return Belongings(plugin, tuple(kept["tables"]), ())


def _fill_tables(connection: sa.Connection, opened: Container, belongings: Belongings) -> int:
    left_out, names = 0, list(belongings.tables)
    shapes = {name: belongings.shape(connection, name) for name in names}
    late = {name: _late(connection, name, names) for name in names}
    for name, shape in shapes.items():
        left_out += rows.write(connection, shape, opened.lines(f"tables/{name}"), late=late[name])
    for name, shape in shapes.items():
        if late[name]:
            rows.complete(connection, shape.table, opened.lines(f"tables/{name}"), late[name])
        settle_number(connection, name, opened.manifest["counters"].get(name))
    return left_out


def _late(connection: sa.Connection, name: str, order: list[str]) -> list[str]:
    """Columns that refer to a table of the plugin that is filled at the same time or later."""
    after = set(order[order.index(name) :])
    nullable = {column["name"] for column in sa.inspect(connection).get_columns(name) if column["nullable"]}
    return [c for c, target in rows.references(connection, name).items() if target in after and c in nullable]


def _moved(line: Any, objects: Mapping[str, str]) -> Any:
    row = line["row"]
    return {**line, "row": {**row, "object_id": objects.get(row["object_id"], row["object_id"])}}
