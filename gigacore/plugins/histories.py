"""Where the migrations of the core and of each plugin lie, and which tables they own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import gigacore.access.tables
import gigacore.customfields.tables
import gigacore.data.tables
import gigacore.exchange.tables
import gigacore.files.tables
import gigacore.jobs.tables
import gigacore.plugins.tables
import gigacore.views.tables  # noqa: F401 - each import declares core tables
from gigacore.entity import metadata
from gigacore.migrate import History
from gigacore.plugins.manifest import Plugin
from gigacore.plugins.registration import tables

_CORE: Final = Path(__file__).parent.parent / "migrations"


def core_tables() -> frozenset[str]:
    """Every table of the core."""
    return frozenset(name for name in metadata.tables if name.startswith("core_"))


def core_history() -> History:
    """The migrations of the core's own tables."""
    return History("core", _CORE, core_tables())


def history_of(plugin: Plugin) -> History:
    """The migrations of a plugin: the folder that its manifest names, or `migrations` of its package."""
    return History(plugin.name, plugin.migrations or _folder(plugin.package) / "migrations", tables(plugin))


def _folder(package: str) -> Path:
    spec = find_spec(package) if package else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else Path("/nonexistent")
