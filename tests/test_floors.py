"""The floors of the design hold: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"flask", "werkzeug", "celery", "openai", "stripe", "click", "host_app"}
PRIVATE = {"automation", "cli", "hooks", "jobs", "models", "schemas", "services", "web"}
PLUGINS = sorted(path.name for path in ROOT.glob("plugins/*/gigacore_*"))


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def imports(file: Path) -> Iterator[str]:
    """The dotted names that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offences(folder: Path, is_allowed: Callable[[Path, str], bool]) -> list[str]:
    files = sorted(folder.rglob("*.py"))
    return [
        f"{file.relative_to(folder)}: {name}" for file in files for name in imports(file) if not is_allowed(file, name)
    ]


def may_import(plugin: str, file: Path, name: str) -> bool:
    """What a plugin's file may import of the project (floors 6 and 8)."""
    package, *rest = name.split(".")
    if package == "host_app":
        return file.stem in {"web", "cli"} and rest[:1] == ["ext"]
    if package == plugin:
        return "migrations" not in file.parts and not (file.stem == "models" and rest[:1] in (["services"], ["web"]))
    return not package.startswith("gigacore_") or (len(rest) <= 1 and not PRIVATE & set(rest))


def no_plugin(_file: Path, name: str) -> bool:
    return not name.startswith("gigacore_")


def test_import_contracts_are_kept() -> None:
    result = run_python("-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache")
    assert result.returncode == 0, result.stdout


def test_importing_the_library_loads_no_web_framework_broker_or_vendor() -> None:
    result = run_python("-c", "import gigacore, sys; print(*{m.partition('.')[0] for m in sys.modules})")
    assert result.returncode == 0, result.stderr
    assert not HEAVY & set(result.stdout.split())


@pytest.mark.parametrize("package", ["gigacore", "host_app"])
def test_core_and_host_name_no_plugin(package: str) -> None:
    assert offences(ROOT / package, no_plugin) == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_the_library_its_own_package_and_the_roots_of_others(plugin: str) -> None:
    (folder,) = ROOT.glob(f"plugins/*/{plugin}")
    assert offences(folder, partial(may_import, plugin)) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("services.py", "import host_app.ext"),
        ("web.py", "from host_app.pages import page"),
        ("services.py", "from gigacore_other.models import Thing"),
        ("services.py", "import gigacore_other.models"),
        ("models.py", "from gigacore_own.services import act"),
        ("migrations/versions/0001_start.py", "from gigacore_own.models import Own"),
    ],
)
def test_the_check_finds_an_import_from_the_wrong_floor(tmp_path: Path, file: str, line: str) -> None:
    target = tmp_path / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"def late():\n    {line}\n")
    assert offences(tmp_path, partial(may_import, "gigacore_own")) != []
