"""Distributions made on the spot: a package with a manifest and the metadata that an installer would write."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gigacore import Crm
from gigacore.testing.databases import settings

NUMBERS = itertools.count(1)


@dataclass
class Site:
    """A folder on `sys.path` into which distributions are written."""

    folder: Path

    def add(self, source: str = "", *, name: str = "", group: str = "gigacore.plugins.v1", **modules: str) -> str:
        """Writes a distribution; returns the plugin's name. `{name}` in the sources stands for it."""
        name = name or f"probe{next(NUMBERS)}"
        source = source or 'from gigacore import Plugin\nplugin = Plugin("{name}")'
        package = self.folder / f"gigacore_{name}"
        package.mkdir(exist_ok=True)
        for module, text in {"__init__": source, **modules}.items():
            (package / f"{module}.py").write_text(textwrap.dedent(text).replace("{name}", name))
        self.describe(name, f"gigacore-{name}", group)
        return name

    def forget(self) -> None:
        """Lets every module of the folder be imported anew."""
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", "")).startswith(str(self.folder)):
                del sys.modules[name]

    def describe(self, name: str, distribution: str, group: str = "gigacore.plugins.v1") -> None:
        """Writes the metadata only."""
        info = self.folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = gigacore_{name}:plugin\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module written twice in a second must be read twice
    site = Site(folder)
    yield site
    site.forget()


@pytest.fixture
def make_crm(database_url: str, tmp_path: Path) -> Iterator[Any]:
    """`make_crm(plugins=..., strict=...)` gives a further `Crm` on the test's database, not started."""
    made: list[Crm] = []

    def make(*, plugins: Any = None, **options: Any) -> Crm:
        options = {"strict": False, **options}
        made.append(Crm(replace(settings(database_url, tmp_path), **options), plugins=plugins))
        return made[-1]

    yield make
    for crm in made:
        crm.close()
