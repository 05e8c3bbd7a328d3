"""Runs the contract of plugins against one plugin, in a process of its own with the plugin on Python's path."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from gigacore.errors import ConfigurationError, PluginError
from gigacore.messages import msg
from gigacore.plugins import ENTRY_POINT_GROUP
from gigacore.values import dataclass
from host_app.scaffold.write import with_path

OWN_TEST: Final = Path("tests/test_contract.py")
TEST: Final = """\
from importlib import import_module

from gigacore.testing.contract import PluginContract


class TestContract(PluginContract):
    plugin = getattr(import_module({module!r}), {attribute!r})
"""
INI: Final = "[pytest]\nxfail_strict = true\nmarkers =\n    postgres: needs PostgreSQL\n"


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the contract and what became of it: kept, broken (`reason` says how) or not tried."""

    name: str
    outcome: str
    reason: str = ""

    @property
    def title(self) -> tuple[str, str]:
        """The promise as a sentence, and the database it was tried on."""
        plain, _, engine = self.name.removeprefix("test_").partition("[")
        return plain.replace("_", " ").capitalize(), f" ({engine.rstrip(']')})" if engine else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `output` is what pytest said, for when it could not even begin."""

    promises: tuple[Promise, ...]
    output: str
    code: int

    @property
    def kept(self) -> bool:
        """Whether the contract was tried and nothing of it is broken."""
        return self.code == 0 and any(promise.outcome == "kept" for promise in self.promises)


def check_plugin(folder: Path) -> Verdict:
    """Tries every promise on the plugin in `folder`, on SQLite and on PostgreSQL where a test database is named.

    The plugin's own `tests/test_contract.py` is used if there is one, for it may give inputs. Raises PluginError for
    a folder without a plugin, ConfigurationError where pytest is not installed.
    """
    if find_spec("pytest") is None:
        raise ConfigurationError(msg("The check needs pytest."), fix=msg("Run: pip install pytest"))
    module, attribute = entry_point(folder)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        (work / "pytest.ini").write_text(INI)
        own = folder / OWN_TEST
        test = own if own.is_file() else work / "test_contract.py"
        if test != own:
            test.write_text(TEST.format(module=module, attribute=attribute))
        done = _run(folder, work, test.resolve())
        return Verdict(tuple(_promises(work / "report.xml")), done.stdout + done.stderr, done.returncode)


def entry_point(folder: Path) -> tuple[str, str]:
    """Module and attribute of the plugin that `folder/pyproject.toml` offers. Raises PluginError."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PluginError(
            folder.name,
            msg("Its pyproject.toml cannot be read: {reason}", reason=error),
            fix=msg("Name the folder of a plugin that has one; `giga plugin new NAME` writes it."),
        ) from error
    offered = project.get("entry-points", {}).get(ENTRY_POINT_GROUP, {})
    if len(offered) != 1:
        raise PluginError(
            folder.name,
            msg("Its pyproject.toml must name one plugin."),
            fix=msg('Add: [project.entry-points."{group}"]', group=ENTRY_POINT_GROUP),
        )
    module, _, attribute = next(iter(offered.values())).partition(":")
    return module, attribute or "plugin"


def _run(folder: Path, work: Path, test: Path) -> subprocess.CompletedProcess[str]:
    source = folder / "src" if (folder / "src").is_dir() else folder
    options = ["-c", str(work / "pytest.ini"), "--rootdir", str(work), f"--junitxml={work / 'report.xml'}"]
    plugins = ["-p", "gigacore.testing.fixtures", "-p", "no:cacheprovider", "--import-mode=importlib"]
    call = [sys.executable, "-m", "pytest", "-q", "--tb=short", *plugins, *options, str(test)]
    env = {**with_path(source), "PYTEST_ADDOPTS": ""}
    return subprocess.run(  # noqa: S603 - the command is this program's own
        call, cwd=work, env=env, capture_output=True, text=True, check=False
    )


def _promises(report: Path) -> Iterator[Promise]:
    if not report.is_file():
        return
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        if not case.get("name", "").startswith("test_"):
            continue  # the module itself could not be imported; pytest's output says why
        found = case.find("failure") if case.find("failure") is not None else case.find("error")
        if found is not None:
            yield Promise(case.get("name", ""), "broken", found.get("message", "").strip())
        else:
            yield Promise(case.get("name", ""), "kept" if case.find("skipped") is None else "not tried")
