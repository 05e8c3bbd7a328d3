#!/usr/bin/env python3
"""Runs the project from a checkout: `python3 dev.py demo | test | lint | giga | bench | assets | setup | lock`.

Standard library only. The first call makes `.venv`; later calls see from a stamp that nothing changed.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
CONSTRAINTS = ROOT / "constraints.txt"
BUILD_ASSETS = ROOT / "host_app/frontend/build.py"
EXTRAS = "host,worker,postgres"
# pip's setting -> the variable uv reads: uv knows nothing of pip.conf or PIP_*.
UV_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "no-index": "UV_NO_INDEX",
}
LOCK_OPTIONS = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "-q"]


def plugins() -> list[Path]:
    """The plugin folders of this checkout, in a stable order."""
    return sorted(p.parent for p in ROOT.glob("plugins/*/pyproject.toml"))


def digest(group: str) -> str:
    """What an installation of `group` depends on; also the place, for a virtual environment cannot be moved."""
    files = [ROOT / "pyproject.toml", CONSTRAINTS, *(p / "pyproject.toml" for p in plugins())]
    text = "\n".join([group, str(ROOT), sys.version, *(f"{f}\n{f.read_text()}" for f in files)])
    return hashlib.sha256(text.encode()).hexdigest()


def development() -> list[str]:
    """The development tools that pyproject.toml names."""
    dev: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    return dev


def requirements(group: str) -> list[str]:
    """Arguments for `pip install`: core and plugins in one resolution, so no name is asked of an index alone."""
    wanted = ["-e", f".[{EXTRAS}]"]
    for plugin in plugins():
        wanted += ["-e", plugin.relative_to(ROOT).as_posix()]
    if group == "dev":
        wanted += development()
    return [*wanted, "-c", CONSTRAINTS.name]


def pip_settings() -> dict[str, str]:
    """What pip is configured to do (files, then variables), without section names."""
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    pairs = (line.split("=", 1) for line in sorted(listed.stdout.splitlines(), reverse=True) if "=" in line)
    return {key.rpartition(".")[2]: str(ast.literal_eval(value)) for key, value in pairs}


def uv_environment() -> dict[str, str]:
    """The environment in which uv asks the same indexes as pip would; variables already set for uv win."""
    env, found = dict(os.environ), pip_settings()
    for key, variable in UV_SETTINGS.items():
        if found.get(key):
            separator = "," if key == "find-links" else " "
            env.setdefault(variable, separator.join(found[key].split()))
    if found.get("extra-index-url"):
        env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # pip's rule: the best version of all indexes
    return env


def run(*command: str | Path, env: dict[str, str] | None = None) -> int:
    """Runs a command in the checkout and returns its exit code."""
    return subprocess.run(list(map(str, command)), cwd=ROOT, env=env, check=False).returncode


def make_venv() -> None:
    """An empty environment with pip in it."""
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("dev.py: Python's venv module is incomplete (on Debian: apt install python3-venv)")


def install(wanted: list[str]) -> None:
    """Installs with uv (4 times faster), or with pip where uv is not to be had."""
    quiet = ["-q", "--disable-pip-version-check"]
    if not (BIN / "uv").exists():
        run(PYTHON, "-m", "pip", "install", *quiet, "uv", "-c", CONSTRAINTS.name)
    env = {**uv_environment(), "GIGA_SKIP_ASSETS": "1", "VIRTUAL_ENV": str(VENV)}
    if run(PYTHON, "-m", "uv", "pip", "install", "-q", *wanted, env=env) == 0:
        return
    print("dev.py: uv could not install, trying pip", file=sys.stderr)
    if run(PYTHON, "-m", "pip", "install", *quiet, *wanted, env={**os.environ, "GIGA_SKIP_ASSETS": "1"}):
        sys.exit("dev.py: installation failed; see the messages above")


def ensure(group: str) -> None:
    """Brings `.venv` to what the checkout asks for; `dev` includes all of `run`."""
    stamp, names = VENV / f".stamp-{group}", VENV / ".plugins"
    present = "\n".join(p.name for p in plugins())
    if stamp.is_file() and stamp.read_text() == digest(group):
        return
    gone = names.is_file() and not set(names.read_text().split()) <= set(present.split())
    if gone or not PYTHON.exists():
        make_venv()
    print(f"dev.py: installing into {VENV.name} ...", file=sys.stderr)
    install(requirements(group))
    names.write_text(present)
    stamp.write_text(digest(group))


def assets(*options: str) -> int:
    """Builds the front-end bundle if its sources changed since the last build."""
    if os.environ.get("GIGA_SKIP_ASSETS") or not BUILD_ASSETS.is_file():
        return 0
    return run(PYTHON, BUILD_ASSETS, *options)


def setup(arguments: list[str]) -> int:
    """Installs everything, development tools included."""
    ensure("dev")
    return assets(*arguments)


def giga(arguments: list[str]) -> int:
    """Runs the application's own command line."""
    ensure("run")
    return run(BIN / "giga", *arguments)


def demo(arguments: list[str]) -> int:
    """Starts a demonstration with sample data."""
    ensure("run")
    return assets() or run(BIN / "giga", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Runs pytest, on all processors unless told otherwise."""
    setup([])
    chosen = any(a.startswith(("-n", "-p", "--pdb", "--collect-only")) for a in arguments)
    return run(PYTHON, "-m", "pytest", *([] if chosen else ["-n", str(os.cpu_count() or 1)]), *arguments)


def bench(arguments: list[str]) -> int:
    """Runs the benchmarks; they are tests that print figures, one after the other."""
    setup([])
    return run(PYTHON, "-m", "pytest", "-m", "slow", "-s", "tests/benchmarks", *arguments)


def lint(_arguments: list[str]) -> int:
    """Runs every static check and reports all of them before failing."""
    ensure("dev")
    checks = [["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "gigacore", "host_app"], ["lint-imports"]]
    checks[2] += [p.relative_to(ROOT).as_posix() for p in plugins()]
    return max([run(BIN / check[0], *check[1:]) for check in checks])


def lock(arguments: list[str]) -> int:
    """Writes constraints.txt anew from all pyproject files; `--upgrade` also takes newer versions."""
    ensure("dev")
    source = VENV / "lock.in"
    own = [f"-e {ROOT}[{EXTRAS},weasyprint]", *(f"-e {p}" for p in plugins())]
    source.write_text("\n".join([*own, *development()]))
    unwanted = [f"--no-emit-package={name}" for name in ("gigacore", *(f"gigacore-{p.name}" for p in plugins()))]
    env = {**uv_environment(), "GIGA_SKIP_ASSETS": "1"}
    command = [PYTHON, "-m", "uv", "pip", "compile", source, "-o", CONSTRAINTS.name, *LOCK_OPTIONS, *unwanted]
    return run(*command, *arguments, env=env)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "demo": demo,
    "test": test,
    "lint": lint,
    "giga": giga,
    "bench": bench,
    "assets": setup,
    "setup": setup,
    "lock": lock,
}


def main(arguments: list[str]) -> int:
    """Picks the command; everything after its name goes to the tool behind it."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        return print(__doc__) or 2  # type: ignore[func-returns-value]
    return command(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
