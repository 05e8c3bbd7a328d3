#!/usr/bin/env python3
"""Runs the project from a checkout: `python3 dev.py <command> [arguments]`.

Standard library only. The first call makes `.venv`; later calls see from a stamp that nothing changed.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older Python is to read this, not a traceback
    sys.exit(
        f"dev.py: Python 3.11 or later is needed, and this is {sys.version.split()[0]} ({sys.executable}).\n"
        "Install one, and run dev.py with it, for example: python3.11 dev.py demo"
    )

import ast
import hashlib
import os
import shutil
import subprocess
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = Path(os.environ.get("GIGA_VENV", ROOT / ".venv"))
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
SCRIPTS = ["dev.py", "hatch_build.py", "host_app/frontend/build.py"]
LOCK_OPTIONS = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "-q"]


def plugins() -> list[Path]:
    """The plugin folders of this checkout, in a stable order."""
    return sorted(p.parent for p in ROOT.glob("plugins/*/pyproject.toml"))


def digest(group: str) -> str:
    """What an installation of `group` depends on; also the place: it cannot be moved."""
    files = [ROOT / "pyproject.toml", CONSTRAINTS, *(p / "pyproject.toml" for p in plugins())]
    text = "\n".join([group, str(ROOT), *(f"{f}\n{f.read_text()}" for f in files)])
    return hashlib.sha256(text.encode()).hexdigest()


def is_outdated() -> bool:
    """Whether `.venv` must be made anew: none there, the checkout was moved, or a plugin has left it."""
    made_for = VENV / ".made-for"
    if not (PYTHON.exists() and made_for.is_file()):
        return True
    root, *names = made_for.read_text().splitlines()
    return root != str(ROOT) or not set(names) <= {p.name for p in plugins()}


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
    """What pip is configured to do, by its files and variables."""
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = {}
    for section in ("global.", "install.", ":env:."):  # the later one wins, as in pip
        for line in listed.stdout.splitlines():
            if line.startswith(section):
                key, _, value = line.removeprefix(section).partition("=")
                found[key] = str(ast.literal_eval(value))
    return found


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
    """Runs one step in the checkout and returns its exit code."""
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def become(*command: str | Path) -> int:
    """Hands over to the command for good: signals and the exit code need no forwarding."""
    os.chdir(ROOT)
    if os.name == "nt":
        return run(*command)
    os.execv(command[0], [str(part) for part in command])


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
    quiet = ["-qq", "--disable-pip-version-check"]
    if not (BIN / "uv").exists():
        run(PYTHON, "-m", "pip", "install", *quiet, "uv", "-c", CONSTRAINTS.name)
    env = {**uv_environment(), "GIGA_SKIP_ASSETS": "1", "VIRTUAL_ENV": str(VENV)}
    if run(PYTHON, "-m", "uv", "pip", "install", "-q", "--compile-bytecode", *wanted, env=env) == 0:
        return
    print("dev.py: uv could not install, trying pip", file=sys.stderr)
    if run(PYTHON, "-m", "pip", "install", *quiet, *wanted, env={**os.environ, "GIGA_SKIP_ASSETS": "1"}):
        sys.exit("dev.py: installation failed; see the messages above")


def ensure(group: str) -> None:
    """Brings `.venv` to what the checkout asks for; `dev` includes all of `run`."""
    stamp = VENV / f".stamp-{group}"
    if stamp.is_file() and stamp.read_text() == digest(group):
        return
    if is_outdated():
        make_venv()
    print(f"dev.py: installing into {VENV.name} ...", file=sys.stderr)
    install(requirements(group))
    (VENV / ".made-for").write_text("\n".join([str(ROOT), *(p.name for p in plugins())]))
    for done in ("run", group):
        (VENV / f".stamp-{done}").write_text(digest(done))


def assets(*options: str) -> int:
    """Builds the front-end bundle if its sources changed since the last build."""
    if os.environ.get("GIGA_SKIP_ASSETS") or (not options and run(PYTHON, BUILD_ASSETS, "--check") == 0):
        return 0
    install([*(tool for tool in development() if tool.startswith("nodejs")), "-c", CONSTRAINTS.name])
    return run(PYTHON, BUILD_ASSETS, *options, env=uv_environment())  # the same certificates as for pip


def setup(_arguments: list[str]) -> int:
    """Installs everything, development tools included."""
    ensure("dev")
    return assets()


def bundle(arguments: list[str]) -> int:
    """Builds the front-end bundle if its sources changed; `--force` builds it in any case."""
    ensure("run")
    return assets(*arguments)


def giga(arguments: list[str]) -> int:
    """Runs the application's own command line."""
    ensure("run")
    return become(BIN / "giga", *arguments)


def demo(arguments: list[str]) -> int:
    """Starts a demonstration with sample data."""
    ensure("run")
    return assets() or become(BIN / "giga", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Runs pytest on all processors, unless a `-n` or `-p` says otherwise."""
    if setup([]):
        print("dev.py: going on without the front-end bundle; tests of pages will fail", file=sys.stderr)
    chosen = any(argument.startswith(("-n", "-p")) for argument in arguments)
    return become(PYTHON, "-m", "pytest", *([] if chosen else ["-n", str(os.cpu_count() or 1)]), *arguments)


def bench(arguments: list[str]) -> int:
    """Compares the product with the same requests written by hand and prints the ratios."""
    setup([])
    return become(PYTHON, "-m", "tests.benchmarks", *arguments)


def shots(arguments: list[str]) -> int:
    """Takes pictures of the pages into .shots; fails on serious findings of axe-core and breaches of the policy."""
    if setup([]):
        return 1
    return become(PYTHON, "-m", "tests.shots", *arguments)


def lint(arguments: list[str]) -> int:
    """Runs the static checks, or only those named: `ruff`, `mypy`, `lint-imports`."""
    ensure("dev")
    checked = ["gigacore", "host_app", *(p.relative_to(ROOT).as_posix() for p in plugins())]
    checks = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", *checked],
        ["mypy", *SCRIPTS],
        ["mypy", "--explicit-package-bases", "tests/benchmarks"],
        ["lint-imports"],
    ]
    return max([run(BIN / name, *options) for name, *options in checks if not arguments or name in arguments])


def docs(arguments: list[str]) -> int:
    """Builds the documentation into .cache/docs/html; a warning is an error."""
    ensure("dev")
    target, trees = ROOT / ".cache/docs/html", ROOT / ".cache/docs/trees"
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(trees), *arguments]
    code = run(PYTHON, "-m", "sphinx", *options, "docs", target)
    if code == 0:
        print(f"dev.py: the documentation is in {target}/index.html")
    return code


def python(arguments: list[str]) -> int:
    """Runs the environment's Python."""
    ensure("run")
    return become(PYTHON, *arguments)


def lock(arguments: list[str]) -> int:
    """Writes constraints.txt anew from all pyproject files; `--upgrade` also takes newer versions."""
    ensure("dev")
    source = VENV / "lock.in"
    own = [f"-e {ROOT}[{EXTRAS},weasyprint]", *(f"-e {p}" for p in plugins())]
    source.write_text("\n".join([*own, *development()]))
    unwanted = [f"--no-emit-package={name}" for name in ("gigacore", *(f"gigacore-{p.name}" for p in plugins()))]
    env = {**uv_environment(), "GIGA_SKIP_ASSETS": "1"}
    compiling = ["pip", "compile", str(source), "-o", CONSTRAINTS.name, *LOCK_OPTIONS, *unwanted, *arguments]
    return run(PYTHON, "-m", "uv", *compiling, env=env)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "demo": demo,
    "test": test,
    "lint": lint,
    "giga": giga,
    "bench": bench,
    "docs": docs,
    "shots": shots,
    "assets": bundle,
    "setup": setup,
    "lock": lock,
    "python": python,
}


def main(arguments: list[str]) -> int:
    """Picks the command; everything after its name goes to the tool behind it.

    Bytecode is kept even where the environment forbids it: compiling takes longer than all else of a start.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        for name, command in COMMANDS.items():
            print(f"  {name:8}{command.__doc__}")
        return 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except PermissionError as error:
        sys.exit(
            f"dev.py: {error.filename} cannot be written: this checkout, or its environment, belongs to another user.\n"
            "Run it from a checkout of your own, or as its owner."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
