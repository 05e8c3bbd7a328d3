"""Tiny plugins for the benchmark, written by the scaffold into a folder of their own, so that ten of them run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from gigacore.plugins.discovery import discover
from host_app.scaffold.write import write_plugin

WANTED: Final = 10
NAMES: Final = ("visits", "surveys", "parcels", "meters", "keys", "badges", "lockers", "ladders", "pallets", "cranes")


def install(folder: Path) -> Path:
    """A folder for PYTHONPATH in which as many tiny plugins are installed as ten lack; this process sees them too."""
    site = folder / "site"
    site.mkdir()
    missing = WANTED - len({candidate.name for candidate in discover()}) - 1  # the built-in one runs as well
    for name in NAMES[: max(0, missing)]:
        _install(write_plugin(name, folder / "source"), name, site)
    sys.path.insert(0, str(site))
    return site


def _install(source: Path, name: str, site: Path) -> None:
    """What pip would leave behind, without its minute."""
    package = f"gigacore_{name}"
    (source / package).rename(site / package)
    info = site / f"{package}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: gigacore-{name}\nVersion: 0.1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[gigacore.plugins.v1]\n{name} = {package}:plugin\n", "utf-8")
