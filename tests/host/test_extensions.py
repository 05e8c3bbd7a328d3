"""A plugin's own pages, API routes and commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from gigacore import Crm, Plugin
from gigacore.errors import ConfigurationError, PluginError
from host_app import create_app
from host_app.extensions import Routes
from tests.api.conftest import KEYS

WEB = """
from host_app.ext import current, json_answer, reading, writing

def register(routes):
    @routes.page("/hello", policy="signed_in")
    def hello():
        return f"Hello {current().name}"

    @routes.api("/count", policy="crm.lead.view")
    def count():
        return json_answer({"leads": len(reading().session.registry.entities)})

    @routes.page("/secret", policy="super_admin", methods=["GET", "POST"])
    def secret():
        with writing() as ctx:
            return str(ctx.actor.user_id)

    @routes.public("/open", reason="test")
    def open():
        return "open"
"""
CLI = """
import click
from host_app.ext import pass_installation, tell

@click.command()
@pass_installation
def command(installation):
    tell(f"{len(installation.crm.registry.entities) > 5}")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "code" / "giga_visits_test"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "web.py").write_text(WEB)
    (folder / "cli.py").write_text(CLI)
    monkeypatch.syspath_prepend(str(folder.parent))
    for name in [name for name in sys.modules if name.startswith("giga_visits_test")]:
        monkeypatch.delitem(sys.modules, name)
    return folder


@pytest.fixture
def plugins(package: Path) -> Sequence[Plugin]:
    return [Plugin("visits", package="giga_visits_test")]


def build(crm: Crm) -> Flask:
    app = create_app(crm, replace(crm.settings, **KEYS))
    app.testing = True
    return app


def test_pages_and_api_routes_of_a_plugin_lie_below_its_name(crm: Crm) -> None:
    app = build(crm)
    rules = {rule.rule for rule in app.url_map.iter_rules() if "visits" in rule.rule}
    assert rules == {"/visits/hello", "/api/v1/visits/count", "/visits/secret", "/visits/open"}
    client = app.test_client()
    assert client.get("/visits/open").get_data() == b"open"
    assert client.get("/api/v1/visits/count").status_code == 401
    assert client.get("/visits/hello").status_code == 303


def test_their_policies_hold(crm: Crm) -> None:
    from gigacore.access import tokens, users

    raw = {}
    with crm.system("test") as ctx:
        for name, roles in (("root", "super_admin"), ("ann", "user"), ("none", ())):
            number = users.create(ctx, f"{name}@example.test", name, "Correct-horse-battery-1", roles)
            raw[name] = tokens.create(ctx, number, "test")
    client = build(crm).test_client()

    def status(name: str, path: str) -> int:
        return client.get(path, headers={"Authorization": f"Bearer {raw[name]}"}).status_code

    assert [status(name, "/visits/hello") for name in raw] == [200, 200, 200]
    assert [status(name, "/api/v1/visits/count") for name in raw] == [200, 200, 403]
    assert [status(name, "/visits/secret") for name in raw] == [403, 403, 403], "a Super Admin signs in for that"


def test_a_route_without_a_policy_is_refused() -> None:
    with pytest.raises(PluginError, match="policy"):
        Routes("visits").page("/x", policy="")


def test_a_broken_web_module_is_left_out_with_its_reason(crm: Crm, package: Path) -> None:
    (package / "web.py").write_text(WEB + "\n    raise RuntimeError('out of order')\n")
    settings = replace(crm.settings, **KEYS)
    app = create_app(crm, replace(settings, strict=False))
    assert [(one.plugin, one.error) for one in crm.calls.faults.read()] == [("visits", "RuntimeError: out of order")]
    assert not [rule for rule in app.url_map.iter_rules() if "visits" in rule.rule], "all of its routes or none"
    assert app.test_client().get("/healthz").status_code == 200
    for name in [name for name in sys.modules if name.startswith("giga_visits_test")]:
        del sys.modules[name]
    with pytest.raises(RuntimeError):
        create_app(crm, settings)


HUGE = """
import itertools
from host_app.ext import download

def register(routes):
    @routes.public("/text", reason="test")
    def text():
        return "x" * (17 * 1024 * 1024)

    @routes.public("/endless", reason="test")
    def endless():
        return ("x" * 65536 for _ in itertools.count())

    @routes.public("/pieces", reason="test")
    def pieces():
        return (piece for piece in ("a", "b"))

    @routes.public("/file", reason="test")
    def file():
        return download((b"x" * 65536 for _ in range(17 * 16)), "été.bin")
"""


def test_an_answer_that_is_too_large_is_refused_and_a_download_is_not(crm: Crm, package: Path) -> None:
    (package / "web.py").write_text(HUGE)
    client = create_app(crm, replace(crm.settings, strict=False, **KEYS)).test_client()
    crm.hooks.strict = False
    for path in ("text", "endless"):
        answer = client.get(f"/visits/{path}")
        assert answer.status_code == 503
        assert "The plugin visits failed in /visits/" in answer.get_data(as_text=True)
    told = {(fault.place, fault.error) for fault in crm.calls.faults.read()}
    assert ("/visits/endless", "PluginError: Its answer is larger than 16 MB. Give large files out with"
            " `host_app.ext.download`.") in told  # fmt: skip
    assert client.get("/visits/pieces").get_data() == b"ab"
    file = client.get("/visits/file")
    assert (file.status_code, len(file.get_data())) == (200, 17 * 1024 * 1024)
    assert file.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A9t%C3%A9.bin"


def test_a_plugin_brings_a_command(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    from host_app.cli import cli
    from host_app.installation import Installation

    monkeypatch.setattr(Installation, "crm", property(lambda _: crm))
    monkeypatch.setattr(Installation, "close", lambda _: None)
    found = CliRunner().invoke(cli, ["visits"])
    assert (found.exit_code, found.output) == (0, "True\n")
    assert CliRunner().invoke(cli, ["nothing"]).exit_code == 2


def test_the_control_a_route_past_the_plugin_s_routes_stops_the_start(crm: Crm, package: Path) -> None:
    from host_app.routing import require_policies

    app = build(crm)
    app.add_url_rule("/visits/forgotten", "forgotten", lambda: "x")
    with pytest.raises(ConfigurationError):
        require_policies(app)
