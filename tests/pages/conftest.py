"""Pages as readers see them: an application around the fixture `crm`, and one browser-like client per reader."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gigacore import Crm
from gigacore.access import users
from host_app import create_app

KEYS = {
    "secret_key": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
    "encryption_key": "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210abcdef",
}
HERE = Path(__file__).parent
PASSWORD = "Correct-horse-battery-1"
HTML = {"Accept": "text/html"}
DRAWN = frozenset({
    "test_administration", "test_automations", "test_builder", "test_enum_board", "test_errors", "test_forms",
    "test_french", "test_hook_pages", "test_job_pages", "test_live", "test_mail_pages", "test_plugin_parts",
    "test_plugin_surface", "test_settings", "test_settings_kept", "test_sheets", "test_shell", "test_uploads",
})  # fmt: skip
"""Pages over services that the tests of the API and of records try on both databases."""
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL most pages are tried with the long tests."""
    for item in items:
        if item.path.stem in DRAWN and item.path.parent == HERE and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.slow)


@dataclass
class Visitor:
    """Somebody with a browser: cookies are kept, forms carry the token of the page that they stand on."""

    client: FlaskClient
    user_id: int = 0
    token: str = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        response = self.client.get(path, headers=HTML | {k.replace("_", "-"): v for k, v in headers.items()})
        if found := TOKEN.search(response.get_data(as_text=True)):
            self.token = found[1]
        return response

    def post(self, path: str, data: Mapping[str, str | Sequence[str]], **headers: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **data}, headers=HTML | headers)

    def confirm(self, path: str, data: Mapping[str, str | Sequence[str]]) -> str:
        """Send a form that asks first, say yes; gives the page that asked."""
        page = self.post(path, data).get_data(as_text=True)
        assert "nothing has changed yet" in page
        assert self.post(path, {**data, "_sure": "1"}).status_code == 303
        return page

    def sign_in(self, email: str) -> TestResponse:
        self.get("/sign-in")
        response = self.post("/sign-in", {"email": email, "password": PASSWORD})
        self.get("/")
        return response


@pytest.fixture
def app(crm: Crm) -> Flask:
    app = create_app(crm, replace(crm.settings, **KEYS))
    app.testing = True
    return app


@pytest.fixture
def visit(crm: Crm, app: Flask) -> Any:
    """`visit(role, locale)` gives a signed-in visitor; without a role, one who is not signed in."""

    def come(role: str = "", locale: str = "en") -> Visitor:
        if not role:
            return Visitor(app.test_client())
        email = f"{role}.{locale}@example.test"
        with crm.system("test visitor") as ctx:
            number = users.create(ctx, email, f"{role.title()} Tester", PASSWORD, role, locale=locale)
        visitor = Visitor(app.test_client(), number)
        assert visitor.sign_in(email).status_code == 303
        return visitor

    return come


@pytest.fixture
def root(visit: Any) -> Visitor:
    found: Visitor = visit("super_admin")
    return found
