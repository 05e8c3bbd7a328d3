"""The front-end bundle is complete, pinned, and part of the wheel; it runs under the strictest page policy."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRONTEND = ROOT / "host_app/frontend"
DIST = ROOT / "host_app/static/dist"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"

needs_bundle = pytest.mark.skipif(not (DIST / "manifest.json").is_file(), reason="bundle not built (GIGA_SKIP_ASSETS)")


def manifest() -> dict[str, str]:
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return names


def test_the_lock_file_pins_by_hash_and_names_no_registry() -> None:
    packages = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []


@needs_bundle
def test_the_manifest_names_files_that_exist() -> None:
    assert {"app.js", "app.css", "icons.svg"} <= manifest().keys()
    assert [name for name in manifest().values() if not (DIST / name).is_file()] == []


@needs_bundle
def test_the_sprite_holds_every_icon_named_in_the_list() -> None:
    sprite = (DIST / manifest()["icons.svg"]).read_text()
    names = (FRONTEND / "src/icons.txt").read_text().split()
    ids = ["-".join(reversed(name.split("/"))) for name in names]
    assert [name for name in ids if f'<symbol id="{name}"' not in sprite] == []


class PageHandler(SimpleHTTPRequestHandler):
    """Serves one page at `/`, the bundle beside it, and tells the page which CSRF token a request brought."""

    def do_GET(self) -> None:
        pages = {"/": self.page, "/token": lambda: f"token {self.headers.get('X-CSRFToken')}"}
        if self.path not in pages:
            return super().do_GET()
        body = pages[self.path]().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)
        return None

    def page(self) -> str:
        names = manifest()
        return f"""<!doctype html><title>t</title><meta name="csrf-token" content="secret">
        <link rel="icon" href="data:,"><link rel="stylesheet" href="{names["app.css"]}">
        <svg class="icon"><use href="{names["icons.svg"]}#user"></use></svg>
        <canvas id="chart"></canvas><button hx-get="/token">go</button>
        <script type="module" src="{names["app.js"]}"></script>"""

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


@pytest.fixture
def bundle_address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(PageHandler, directory=str(DIST)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@needs_bundle
@pytest.mark.browser
def test_the_bundle_runs_under_a_strict_policy_and_sends_the_csrf_token(bundle_address: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(bundle_address)
        page.evaluate("giga.sortable().then(Sortable => { new Sortable(document.body) })")
        page.evaluate("giga.chart().then(C => { new C('chart', {type: 'bar', data: {labels: [], datasets: []}}) })")
        page.click("button")
        page.wait_for_selector("text=token secret")
        browser.close()
    assert complaints == []


@pytest.mark.slow
def test_the_wheel_holds_the_bundle_and_leaves_its_sources_out(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ".", "-w", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "GIGA_SKIP_ASSETS"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    (wheel,) = tmp_path.glob("gigacore-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"host_app/static/dist/{name}" for name in manifest().values()} <= set(names)
    assert {"gigacore/py.typed", "host_app/py.typed"} <= set(names)
    assert [name for name in names if "frontend" in name or "node_modules" in name] == []
