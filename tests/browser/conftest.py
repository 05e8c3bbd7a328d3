"""Pages in Chromium: a served application, readers who are signed in, and watchers for whatever should not happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from gigacore import Crm
from gigacore.access import users
from host_app import create_app
from host_app.context import host
from tests.pages.conftest import KEYS, PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from gigacore.testing.databases import Databases

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
DIST = ROOT / "host_app/static/dist/manifest.json"
AXE = ROOT / ".cache/axe.min.js"
PATIENCE_MS = 30_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def databases(sqlite_databases: Databases) -> Databases:
    """One engine is enough here: the pages' statements are tested elsewhere on both."""
    return sqlite_databases


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.is_file() or not DIST.is_file():
        pytest.skip("Chromium is not installed, or the front end was not built")
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(crm: Crm) -> Iterator[str]:
    """The served application."""
    app = create_app(crm, replace(crm.settings, **KEYS))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    host(app).live.stop()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Reader:
    """Somebody in front of a browser. `complaints` are console errors and violations of the page policy."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def serious_faults(self) -> list[str]:
        """What axe-core finds on the page that is serious or critical."""
        if not AXE.is_file():
            pytest.skip("axe-core is not there; run: python3 dev.py assets")
        self.page.evaluate(AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run()")
        grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in grave]


@pytest.fixture
def open_browser(chromium: Browser, crm: Crm, address: str) -> Iterator[Any]:
    """`open_browser(role, locale, width, dark, policy)` gives a reader who is signed in."""
    contexts = []

    def come(
        role: str = "super_admin", locale: str = "en", *, width: int = 1440, dark: bool = False, policy: bool = True,
        touch: bool = False,
    ) -> Reader:  # fmt: skip
        email = f"{role}.{locale}@example.test"
        with crm.system("test reader") as ctx:
            if email not in {user.email for user in users.all_users(ctx)}:
                users.create(ctx, email, f"{role.replace('_', ' ').title()} Tester", PASSWORD, role, locale=locale)
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            bypass_csp=not policy,
            has_touch=touch,
            is_mobile=touch,
            locale="fr-FR" if locale == "fr" else "en-GB",
        )
        contexts.append(context)
        reader = Reader(context.new_page(), address)
        reader.page.set_default_timeout(PATIENCE_MS)
        reader.page.on(
            "console", lambda told: reader.complaints.append(told.text) if told.type in ("error", "warning") else None
        )
        reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        page = reader.go("/sign-in")
        page.fill("#email", email)
        page.fill("#password", PASSWORD)
        page.click("main .btn-primary")
        page.wait_for_url(f"{address}/")
        return reader

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def leads(crm: Crm) -> None:
    """Sixty leads in three statuses."""
    from gigacore import records

    rows = [
        {
            "first_name": "Amélie", "last_name": f"Number {place:02}", "company_name": f"Company {place % 7}",
            "email": f"person{place}@example.org", "status": ("new", "contacted", "qualified")[place % 3],
            "amount": {"amount": f"{place * 100}.50", "currency": "EUR"}, "visibility": "write",
        }
        for place in range(60)
    ]  # fmt: skip
    with crm.system("test leads") as ctx:
        records.create_many(ctx, "crm.lead", rows)
