"""Published as wheels and installed elsewhere, framework and plugin serve their pages with all that they need."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SOURCES = ("gigacore", "host_app", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md")
ADA = {"email": "ada@example.test", "password": "Correct-horse-battery-1"}
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
ASSET = re.compile(r'(?:src|href)="(/static/[^"#]+|/assets/[^"#]+)')


@dataclass
class Place:
    """An environment of its own, and a folder in which an installation lives."""

    folder: Path
    python: Path

    def run(self, *command: str | Path) -> str:
        """What a command of the environment says. Fails when it fails."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C"}
        first = self.python.with_name(str(command[0]))
        done = subprocess.run(
            [first, *command[1:]], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-1500:]} {done.stderr[-3000:]}"
        return done.stdout

    def install(self, *wanted: str | Path) -> None:
        """Installs with all that is required, as `pip install` would."""
        env = runpy.run_path(str(ROOT / "dev.py"))["uv_environment"]()
        call = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", self.python, *map(str, wanted)]
        done = subprocess.run(call, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    def wheel(self, source: Path) -> Path:
        """Builds the wheel of a folder and throws the folder away: what is missing in the wheel is missing."""
        target = self.folder / "dist" / source.name
        call = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
        done = subprocess.run(call, cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        shutil.rmtree(source)
        return next(target.glob("*.whl"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    source = tmp_path / "gigacore"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    venv.create(tmp_path / "venv")
    found = Place(tmp_path, tmp_path / "venv" / "bin" / "python")
    found.install(f"{found.wheel(source)}[host]", "-c", ROOT / "constraints.txt")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answered(opener: OpenerDirector, url: str, data: dict[str, str] | None = None) -> str:
    with opener.open(url, urlencode(data).encode() if data else None, timeout=20) as answer:
        text: str = answer.read().decode("utf-8", "replace")
        return text


def wait_for(opener: OpenerDirector, url: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            answered(opener, url)
        except (URLError, ConnectionError):
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.2)
        else:
            return


def test_a_new_plugin_is_published_installed_and_used(place: Place) -> None:
    place.run("giga", "plugin", "new", "garden")
    place.install(place.wheel(place.folder / "gigacore-garden"))
    place.run("giga", "db", "upgrade")
    place.run("giga", "plugin", "enable", "garden")
    place.run("giga", "user", "create", "--email", ADA["email"], "--name", "Ada", "--role", "super_admin",
              "--password", ADA["password"])  # fmt: skip
    port, opener = free_port(), build_opener(HTTPCookieProcessor())
    base = f"http://127.0.0.1:{port}"
    env = {"PATH": os.environ["PATH"], "HOME": str(place.folder)}
    call = [place.python.with_name("giga"), "serve", "--port", str(port)]
    server = subprocess.Popen(call, cwd=place.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(opener, f"{base}/healthz")
        token = TOKEN.findall(answered(opener, f"{base}/sign-in"))[0]
        home = answered(opener, f"{base}/sign-in", {**ADA, "csrf_token": token})
        (path,) = {*re.findall(r'href="(/garden/[a-z_]+)"', home)}
        page = answered(opener, f"{base}{path}")
        assets = set(ASSET.findall(page))
        assert {Path(one.partition("?")[0]).suffix for one in assets} >= {".css", ".js"}, page[:2000]
        assert all(answered(opener, f"{base}{one}") for one in assets)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
