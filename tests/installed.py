"""The plugins of this checkout, and its examples as an installer would leave them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from gigacore import Plugin

ROOT = Path(__file__).parents[1]
GROUP = "gigacore.plugins.v1"


@dataclass(frozen=True)
class Source:
    """One plugin of the checkout, known from its pyproject.toml."""

    folder: Path
    name: str
    module: str
    distribution: str

    def load(self) -> Plugin:
        plugin: Plugin = import_module(self.module).plugin
        return plugin


def sources() -> list[Source]:
    """Every plugin of the checkout."""
    return [_source(path) for kind in ("plugins", "examples") for path in sorted(ROOT.glob(f"{kind}/*/pyproject.toml"))]


def _source(path: Path) -> Source:
    project = tomllib.loads(path.read_text())["project"]
    ((name, value),) = project["entry-points"][GROUP].items()
    return Source(path.parent, name, value.partition(":")[0], project["name"])


@contextmanager
def examples_importable() -> Iterator[None]:
    """The folders of the examples on Python's path, here only."""
    before = list(sys.path)
    sys.path[:0] = [str(one.folder) for one in sources() if one.folder.parent.name == "examples"]
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def examples_installed(folder: Path) -> Iterator[None]:
    """The examples on Python's path with the metadata of an installation, here and in processes started meanwhile."""
    examples = [one for one in sources() if one.folder.parent.name == "examples"]
    for one in examples:
        info = folder / f"{one.distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {one.distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{one.name} = {one.module}:plugin\n")
    paths = [str(folder), *(str(one.folder) for one in examples)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        for path in paths:
            patch.syspath_prepend(path)
        yield
