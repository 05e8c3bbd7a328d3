"""Sign-in, sessions, CSRF and headers: what a browser meets."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gigacore import Crm
from gigacore.errors import ConfigurationError
from gigacore.settings import Settings
from host_app import create_app
from host_app.auth import keep_cookie, sign_in
from host_app.context import host
from host_app.csrf import csrf_token
from host_app.routing import public_route
from host_app.server import Serving
from tests.api.conftest import KEYS, PASSWORD, Digest, People

EVIL = "evil.example"


@pytest.fixture
def browser(crm: Crm, people: People) -> Flask:
    """An application with the smallest sign-in page, and a client that keeps cookies."""
    return browser_of(crm)


def browser_of(crm: Crm, **settings: Any) -> Flask:
    app = create_app(crm, replace(crm.settings, **KEYS, **settings))
    app.testing = True

    def enter() -> TestResponse:
        from flask import Response, request

        raw = sign_in(request.form["email"], request.form["password"])
        response = Response("in")
        keep_cookie(response, raw)
        return response

    public_route(app, "/test/enter", reason="test", methods=["POST"], endpoint="enter", csrf=False)(enter)
    public_route(app, "/test/csrf", reason="test", endpoint="csrf")(lambda: _token())
    return app


def _token() -> str:
    from flask import g

    g.identity  # noqa: B018 - a page asks who calls before it draws a form
    return csrf_token()


def enter(
    client: FlaskClient, password: str = PASSWORD, email: str = "ann@example.test", **options: Any
) -> TestResponse:
    return client.post("/test/enter", data={"email": email, "password": password}, **options)


def cookie(response: TestResponse) -> str:
    return next(
        value for name, value in response.headers if name == "Set-Cookie" and value.startswith(("giga=", "__Host"))
    )


def test_a_session_cookie_is_closed_to_scripts_and_other_sites(browser: Flask) -> None:
    sent = cookie(enter(browser.test_client()))
    assert sent.startswith("giga=")
    assert "HttpOnly" in sent
    assert "SameSite=Lax" in sent
    assert "Secure" not in sent


def test_over_https_the_cookie_is_bound_to_the_host(crm: Crm, people: People) -> None:
    app = browser_of(crm, public_url="https://crm.example.test")
    sent = cookie(enter(app.test_client(), base_url="https://crm.example.test"))
    assert sent.startswith("__Host-giga=")
    assert "Secure" in sent
    assert "Path=/" in sent
    assert "Domain" not in sent


def test_signing_in_rotates_the_session_and_ends_the_old_one(browser: Flask) -> None:
    client = browser.test_client()
    first = cookie(enter(client)).split(";")[0]
    second = cookie(enter(client)).split(";")[0]
    assert first != second
    old = browser.test_client().get("/api/v1/me", headers={"Cookie": first})
    assert old.status_code == 401
    assert client.get("/api/v1/me").status_code == 200


def test_every_wrong_sign_in_answers_alike(browser: Flask) -> None:
    client = browser.test_client()
    wrong, unknown = enter(client, "nonsense"), enter(client, email="nobody@example.test")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.get_data() == unknown.get_data().replace(b"nobody@example.test", b"ann@example.test")


def test_many_attempts_are_stopped_and_counted_in_the_database(crm: Crm, browser: Flask) -> None:
    for _ in range(10):
        assert enter(browser.test_client(), "nonsense").status_code == 401
    stopped = enter(browser.test_client(), "nonsense")
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) > 0
    other = browser_of(crm)
    assert enter(other.test_client(), "nonsense").status_code == 429


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_change_by_cookie_needs_the_token_of_the_session(browser: Flask, digest: Digest, method: str) -> None:
    client = browser.test_client()
    enter(client)
    path = "/api/v1/crm/leads" if method == "POST" else "/api/v1/crm/leads/1"
    stranger = browser.test_client()
    enter(stranger, email="ben@example.test")
    before = digest()
    for token in (None, "", "x", stranger.get("/test/csrf").get_data(as_text=True), "é" * 10):
        headers = {"If-Match": "*"} | ({} if token is None else {"X-CSRFToken": token.encode().decode("latin-1")})
        answer = client.open(path, method=method, json={"last_name": "A"}, headers=headers)
        assert answer.status_code == 403, token
    assert digest() == before
    good = {"X-CSRFToken": client.get("/test/csrf").get_data(as_text=True), "If-Match": "*"}
    assert client.open(path, method=method, json={"last_name": "A"}, headers=good).status_code in (201, 404)


def test_every_state_changing_route_is_closed_without_the_token(app: Flask, browser: Flask, digest: Digest) -> None:
    client = browser.test_client()
    enter(client)
    before, tried = digest(), 0
    for rule in browser.url_map.iter_rules():
        if rule.endpoint == "enter" or rule.rule.startswith("/hooks/"):  # whose proof is a signature
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = _fill(path, argument)
        for method in sorted(rule.methods - {"GET", "HEAD", "OPTIONS"}):
            assert client.open(path, method=method, json={}).status_code == 403, (method, path)
            assert client.open(path, method=method, data="{}", content_type="text/plain").status_code in (403, 415)
            tried += 1
    assert tried > 10
    assert digest() == before


def _fill(path: str, argument: str) -> str:
    path = path.replace(f"<uuid:{argument}>", "0190b2c0-0000-7000-8000-000000000000")
    return re.sub(rf"<(?:[^<>]*:)?{argument}>", {"plugin": "crm", "plural": "leads"}.get(argument, "1"), path)


def test_authenticated_answers_are_kept_by_no_cache(app: Flask, people: People) -> None:
    for path in ("/me", "/crm/leads", "/crm/leads/99", "/openapi.json", "/nothing/here"):
        answer = people.ann("GET", path)
        if answer.status_code == 404 and "nothing" in path:
            continue
        assert answer.headers["Cache-Control"] == "no-store", path
        assert {"Cookie", "Authorization"} <= {part.strip() for part in answer.headers["Vary"].split(",")}


def test_every_answer_carries_the_security_headers(app: Flask, people: People) -> None:
    for client, path in (
        (people.nobody.client, "/healthz"),
        (people.ann.client, "/api/v1/me"),
        (people.ann.client, "/x"),
    ):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in headers


def test_no_foreign_origin_is_let_in(people: People) -> None:
    answer = people.ann("GET", "/me", Origin="https://crm.example.test.evil.com")
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


def test_forwarded_addresses_count_only_from_as_many_proxies_as_configured(crm: Crm, people: People) -> None:
    for proxies, expected in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        app = browser_of(crm, trusted_proxies=proxies)

        def show() -> str:
            from flask import request

            return request.remote_addr or ""

        public_route(app, "/test/peer", reason="test", endpoint="peer")(show)
        answer = app.test_client().get("/test/peer", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
        assert answer.get_data(as_text=True) == expected


@pytest.mark.parametrize(("configured", "link"), [("", "/p/"), ("https://a.example", "https://a.example/p/")])
def test_links_name_the_configured_host_and_never_the_one_of_the_request(
    crm: Crm, people: People, configured: str, link: str
) -> None:
    client = create_app(crm, replace(crm.settings, public_url=configured, **KEYS)).test_client()
    headers = {"Authorization": f"Bearer {people.root.token}"} | dict.fromkeys(("Host", "X-Forwarded-Host"), EVIL)
    person = {"email": "new@example.test", "name": "New", "roles": ["user"]}
    made = client.post("/api/v1/core/users", json=person, headers=headers)
    assert made.status_code == 201, made.text
    assert made.get_json()["link"].startswith(link)
    page = client.post(f"/settings/users/{made.get_json()['id']}/link", headers=headers)
    for answer in (made, page, client.get("/settings/incoming", headers=headers), client.get("/", headers=headers)):
        assert EVIL not in f"{answer.text}{answer.headers}"


@pytest.mark.parametrize(
    ("settings", "address", "expected"),
    [
        ({}, "127.0.0.1", "http://127.0.0.1:8000"),
        ({}, "::1", "http://[::1]:8000"),
        ({}, "0.0.0.0", ""),
        ({"trusted_proxies": 1}, "127.0.0.1", ""),
        ({"public_url": "https://crm.example.test"}, "127.0.0.1", "https://crm.example.test"),
    ],
)
def test_a_server_that_knows_no_public_address_names_its_own(
    settings: dict[str, Any], address: str, expected: str
) -> None:
    assert Serving(Settings(**settings), address).reached.public_url == expected


def test_the_start_fails_when_a_route_has_no_policy(app: Flask) -> None:
    from host_app.routing import require_policies

    app.add_url_rule("/forgotten", "forgotten", lambda: "x")
    with pytest.raises(ConfigurationError, match="/forgotten"):
        require_policies(app)


def test_the_start_fails_with_a_weak_key(crm: Crm) -> None:
    with pytest.raises(ConfigurationError):
        create_app(crm, replace(crm.settings, secret_key="changeme"))


def test_two_applications_live_in_one_process_without_meeting(crm: Crm, people: People) -> None:
    first, second = (create_app(crm, replace(crm.settings, **KEYS)) for _ in range(2))
    assert host(first) is not host(second)
    assert host(first).policies is not host(second).policies
