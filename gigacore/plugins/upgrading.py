"""Installing a plugin, and bringing an installed one to the version of its code, each in one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gigacore import migrate
from gigacore.plugins import stored, trail
from gigacore.plugins.histories import history_of
from gigacore.plugins.removal import Belongings, archived, write_archive
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.plugins.manifest import Plugin


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did; `archive` holds the plugin as it was, where its tables changed."""

    plugin: str
    version: str
    revisions: tuple[str, ...]
    archive: Path | None


def install(crm: Crm, name: str) -> Plugin:
    """Installs a plugin that is not there and runs it at once. Raises Conflict when it is, or as `Crm.enable`."""
    stored.check_state("install", name, crm.plugins.stored().get(name))
    return crm.enable(name, absent=True)


def upgrade(crm: Crm, name: str) -> Upgraded:
    """Applies the migrations that a plugin's code brings, adds what it newly declares, and enables it.

    One transaction; where tables change, a signed archive of the plugin is written first. Raises Conflict for a plugin
    that is not installed, PluginError for one that cannot run here, ConfigurationError for a database that is newer.
    """
    stored.check_state("upgrade", name, crm.plugins.stored().get(name))
    plugin, registry = crm.plugins.examine(name)
    path = None
    with archived() as keep, migrate.operation(crm.engine) as connection:
        known = stored.read(connection)
        stored.check_state("upgrade", name, known.get(name))
        if migrate.state(connection, history_of(plugin)).pending and known[name].manifest.get("tables"):
            path = keep(write_archive(crm, connection, Belongings.of(connection, known, name)))
        applied = crm.plugins.install_on(connection, plugin, registry)
        trail.note(connection, crm.clock.now(), "upgraded", name, path=path)
    crm.start(finishing=name)
    return Upgraded(name, plugin.version, tuple(applied), path)
