"""The frame: menus by right, language, looks, errors, colours, icons."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gigacore import Crm, records
from host_app.pages import colours
from tests.pages.conftest import Visitor

SOURCES = Path(__file__).parents[2] / "host_app"


def test_signing_in_and_out(visit: Any) -> None:
    reader = visit("user")
    assert "User Tester" in reader.get("/").get_data(as_text=True)
    assert reader.post("/sign-out", {}).location == "/sign-in"
    assert reader.get("/").location == "/sign-in"


def test_a_wrong_password_keeps_the_address_and_says_nothing_more(visit: Any) -> None:
    visitor = visit()
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"email": "nobody@example.test", "password": "wrong"})
    assert answer.status_code == 401
    assert 'value="nobody@example.test"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("target", ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)"])
def test_sign_in_leads_nowhere_else(crm: Crm, visit: Any, target: str) -> None:
    visit("user")
    visitor = visit()
    visitor.get("/sign-in")
    sent = {"email": "user.en@example.test", "password": "Correct-horse-battery-1", "next": target}
    assert visitor.post("/sign-in", sent).location == "/"


def test_the_menu_and_settings_follow_the_rights(visit: Any) -> None:
    user = visit("user")
    assert user.get("/settings/users").status_code == 403
    assert visit("super_admin").get("/settings/users").status_code == 200


def test_language_and_looks_are_kept(root: Visitor) -> None:
    root.post("/me/language", {"locale": "fr"})
    assert '<html lang="fr"' in root.get("/").get_data(as_text=True)
    root.post("/me/appearance", {"theme": "dark"})
    root.post("/me/appearance", {"side": "small", "theme": "none"})
    assert 'data-theme="dark" data-side="small"' in root.get("/").get_data(as_text=True)


def test_an_unknown_page_and_an_unknown_record_help_alike(root: Visitor) -> None:
    for path in ("/nothing/here", "/crm/leads/999999", "/crm/leads/1/2/3"):
        answer = root.get(path)
        assert answer.status_code == 404
        assert 'href="/"' in answer.get_data(as_text=True)


def test_pages_forbid_inline_code(root: Visitor) -> None:
    policy = root.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", sorted(colours.NAMED))
def test_text_on_pills_can_be_read_in_both_themes(name: str) -> None:
    for ground, towards in (colours.LIGHT, colours.DARK):
        tint = 0.13 if ground == colours.LIGHT[0] else 0.2
        back = colours.mix(colours.rgb(colours.hex_of(name)), ground, tint)
        assert colours.contrast(colours.readable(colours.rgb(colours.hex_of(name)), back, towards), back) >= 4.5


@pytest.mark.parametrize("accent", ["#ffee00", "#000000", "#ffffff", "#4c5fd7", "#00ff88"])
def test_letters_on_any_brand_colour_can_be_read(accent: str) -> None:
    for block in re.findall(r"\{([^}]+)\}", colours.brand_rules(accent)):
        values = dict(pair.split(":") for pair in block.split(";"))
        assert colours.contrast(colours.rgb(values["--g-accent"]), colours.rgb(values["--g-on-accent"])) >= 4.5


def test_every_icon_that_templates_name_is_in_the_sprite() -> None:
    known = set((SOURCES / "frontend/src/icons.txt").read_text("utf-8").split())
    named: set[str] = set()
    for file in (SOURCES / "templates").rglob("*.html"):
        named |= set(re.findall(r'icon\("([\w-]+)"', file.read_text("utf-8")))
    assert named - known == set()


def test_search_finds_records_by_title_and_readable_id(crm: Crm, root: Visitor) -> None:
    root.post("/crm/leads/new", {"last_name": "Findable"})
    for text in ("findab", "LEAD-000001"):
        assert "/crm/leads/1" in root.get(f"/search?q={text}", HX_Request="true").get_data(as_text=True)
    assert root.get("/search?q=<script>").status_code == 200


def test_error_pages_show_a_way_on(app: Flask, root: Visitor, visit: Any) -> None:
    missing = root.get("/crm/leads/999999").get_data(as_text=True)
    assert 'class="side"' in missing
    assert 'action="/search"' in missing
    refused = visit("user").get("/settings/users")
    assert refused.status_code == 403
    assert "administrator" in refused.get_data(as_text=True)
    app.view_functions["home"] = lambda: 1 / 0
    app.testing = False
    failed = root.get("/")
    page = failed.get_data(as_text=True)
    assert failed.status_code == 500
    assert 'class="side"' not in page
    assert 'href="/">Try again' in page
    assert failed.headers["X-Request-Id"] in page
    assert "ZeroDivision" not in page


def test_the_start_page_shows_what_waits_in_few_statements(crm: Crm, visit: Any, statements: Any) -> None:
    user = visit("user")
    with crm.system("work") as ctx:
        own = {"owner_id": user.user_id, "visibility": "write"}
        for title, due in (("Call today", ctx.now), ("Call later", ctx.now + timedelta(days=3))):
            records.create(ctx, "crm.task", {"title": title, "due_at": due.isoformat(), **own})
        records.create(ctx, "crm.task", {"title": "Somebody else's", "due_at": ctx.now.isoformat()})
        records.create(ctx, "crm.lead", {"last_name": "Newest", **own})
        company = records.create(ctx, "crm.company", {"name": "Acme"}).id
        records.create(ctx, "crm.opportunity", {"title": "Big deal", "company_id": company, **own})
    user.get("/")
    with statements() as seen:
        page = user.get("/").get_data(as_text=True)
    main = page[page.index('id="main"') :]
    assert [text for text in ("Call today", "Newest", "Big deal") if text not in main] == []
    assert "Call later" not in main
    assert "Somebody else" not in main
    assert "data-refresh-page" in page
    assert len([text for text in seen if "SELECT" in text]) <= 6, seen
