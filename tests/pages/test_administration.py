"""The settings area: each page by right, each change at once, each refusal told with what was typed kept."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.access import users
from gigacore.clock import FixedClock
from host_app.pages.settings import plugins
from tests.pages.conftest import PASSWORD, Visitor

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f00050001ff"
    "56c72f0d0000000049454e44ae426082"
)
PAGES = (
    "/settings/company", "/settings/general", "/settings/currencies", "/settings/fields", "/settings/lists",
    "/settings/lists/crm.tag", "/settings/pipelines", "/settings/users", "/settings/teams", "/settings/roles",
    "/settings/roles/manager", "/settings/plugins",
)  # fmt: skip


def text(visitor: Visitor, path: str) -> str:
    return visitor.get(path).get_data(as_text=True)


def test_the_index_shows_what_one_may_set_and_finds_it(root: Visitor, visit: Any) -> None:
    whole = text(root, "/settings")
    assert all(f'href="{page}"' in whole for page in PAGES if not page.endswith("manager"))
    assert all(root.get(page).status_code == 200 for page in PAGES)
    found = text(root, "/settings?q=siren")
    assert "settings-cards" in found
    assert found.count('<li><a href="/settings/') == 1
    nothing = root.get("/settings?q=zzz")
    assert (nothing.status_code, "No setting is called “zzz”" in nothing.get_data(as_text=True)) == (200, True)
    user = visit("user")
    assert "/settings/company" not in text(user, "/settings")
    refused = [page for page in PAGES if user.get(page).status_code != 403]
    assert refused == ["/settings/pipelines"]
    assert user.post("/settings/pipelines", {"do": "create", "name": "Mine"}).status_code == 403


def test_a_person_is_invited_by_a_link_given_rights_and_signed_out(root: Visitor, visit: Any, crm: Crm) -> None:
    root.post("/settings/teams/new", {"name": "North"})
    sent = {"name": "Zoé", "email": "zoe@example.test", "password": "", "role": ["user", "manager"], "locale": "fr"}
    made = root.post("/settings/users/new", sent | {"teams": ["1"], "main_team": "1"})
    found = re.search(r'value="(/p/[^"]+)"', made.get_data(as_text=True))
    assert found is not None
    visitor = visit()
    visitor.get(found[1])
    assert visitor.post(found[1], {"password": PASSWORD, "again": "other"}).status_code == 422
    assert visitor.post(found[1], {"password": PASSWORD, "again": PASSWORD}).headers["Location"] == "/sign-in"
    assert visitor.get(found[1]).status_code == 404
    assert visitor.sign_in("zoe@example.test").status_code == 303
    with crm.system("test") as ctx:
        zoe = users.find(ctx, "zoe@example.test")
    assert zoe.roles == ("manager", "user")
    page = text(root, f"/settings/users/{zoe.id}")
    assert "Werkzeug" in page
    assert visitor.get("/crm/leads").status_code == 200
    root.post(f"/settings/users/{zoe.id}/sign-out", {})
    assert visitor.get("/crm/leads").status_code == 303
    changed = {"name": "Zoé B", "locale": "en", "timezone": "Europe/Paris", "role": ["user"]}
    root.post(f"/settings/users/{zoe.id}", changed)
    with crm.system("test") as ctx:
        assert users.get(ctx, zoe.id).roles == ("user",)
    refused = root.post(f"/settings/users/{zoe.id}", changed | {"timezone": "Mars", "name": "Kept"})
    assert (refused.status_code, 'value="Kept"' in refused.get_data(as_text=True)) == (422, True)


def test_the_last_super_admin_stays(root: Visitor, visit: Any) -> None:
    assert "Make somebody else" not in text(root, "/settings/users")
    root.post(f"/settings/users/{root.user_id}/active", {"active": "0"})
    assert "cannot deactivate yourself" in text(root, "/")
    admin = visit("admin")
    page = text(admin, f"/settings/users/{root.user_id}")
    answer = admin.post(f"/settings/users/{root.user_id}", {"name": "X", "locale": "en", "role": ["user"]})
    assert "Only a Super Admin" in answer.get_data(as_text=True)
    assert 'value="super_admin"' not in page


def test_teams_stand_in_a_tree(root: Visitor) -> None:
    for name, parent in (("Sales", ""), ("North", "1")):
        root.post("/settings/teams/new", {"name": name, "parent_id": parent, "members": [str(root.user_id)]})
    page = text(root, "/settings/teams")
    assert 'class="depth-1"><a href="/settings/teams/2">North' in page
    circle = root.post("/settings/teams/1", {"name": "Sales", "parent_id": "2"})
    assert circle.status_code in (409, 422)
    root.post("/settings/teams/1/remove", {})
    assert "There are teams below this one." in text(root, "/settings/teams")
    root.post("/settings/teams/2/remove", {})
    assert "North" not in text(root, "/settings/teams")


def test_a_role_is_copied_limited_and_counts_at_once(root: Visitor, visit: Any) -> None:
    made = root.post("/settings/roles/new", {"label": "Closer", "label_fr": "Vendeur", "like": "user"})
    assert made.headers["Location"] == "/settings/roles/closer"
    closer = visit("closer")
    assert closer.get("/crm/leads/new").status_code == 200
    wider = {"crm.lead:create": "all", "core.user:view": "all"}
    assert root.post("/settings/roles/closer", wider).status_code == 303, "what gives more is not asked for"
    less = {"crm.lead:create": "none", "core.user:view": "all", "crm.task:view": ""}
    asked = root.confirm("/settings/roles/closer", less)
    assert ("Leads, Create: all → none" in asked, "people who have this role: 1" in asked) == (True, True)
    assert closer.get("/crm/leads/new").status_code == 403
    assert closer.get("/settings/users").status_code == 200
    page = text(root, "/settings/roles/closer")
    assert 'name="crm.lead:create"' in page
    assert re.search(r'name="crm.lead:create".{1,400}<option value="none" selected>', page)
    asked = root.confirm("/settings/roles/closer/fields", {"field": "crm.lead:amount", "state": "hidden"})
    assert "“Estimated amount” (Leads): open → hidden" in asked
    assert "amount" not in text(closer, "/crm/leads")
    refused = root.post("/settings/roles/closer/remove", {}).get_data(as_text=True)
    assert "It would be refused: There are users with this role." in refused
    assert root.post("/settings/roles/closer", {"crm.lead:create": "most"}).status_code == 422
    fixed = text(root, "/settings/roles/super_admin")
    assert "this role cannot be changed" in fixed
    assert closer.get("/settings/roles").status_code == 403
    rights = text(root, f"/settings/users/{closer.user_id}/rights")
    assert "closed fields" in rights


def test_settings_that_switch_fields_off_say_what_goes(root: Visitor, crm: Crm) -> None:
    place, switch = "/settings/plugin/crm.sales", "crm.recurring_revenue"
    form = text(root, place)
    assert f'name="{switch}"' in form
    kept = dict(re.findall(r'<input[^>]+name="([^"]+)"[^>]+value="([^"]*)"', form))
    off = {name: value for name, value in kept.items() if name.startswith("crm.") and name != switch}
    asked = root.confirm(place, off)
    assert "no form asks for “Recurring amount per month”" in asked
    assert 'name="recurring.amount"' not in text(root, "/crm/opportunities/new")
    assert root.post(place, off).status_code == 303, "it is off already, so nothing goes"
    assert root.post(place, off | {switch: "1"}).status_code == 303, "and coming back is not asked for"


def test_why_a_person_sees_a_record_is_told(root: Visitor, visit: Any, crm: Crm) -> None:
    user = visit("user")
    with crm.system("test") as ctx:
        records.create(ctx, "crm.lead", {"last_name": "A", "visibility": "private", "owner_id": root.user_id})
    place = f"/settings/users/{user.user_id}/rights"
    assert "reaches this record" in text(root, f"{place}?entity=crm.lead&id=LEAD-000001&verb=view")
    assert "There is no such record" in text(root, f"{place}?entity=crm.lead&id=77&verb=view")
    assert user.get(place).status_code == 403


def test_company_and_branding_are_kept(root: Visitor, crm: Crm, visit: Any) -> None:
    sent = {"name": "Vigne & Fils", "siren": "404 833 049", "city": "Lyon"}
    refused = root.post("/settings/company", sent)
    page = refused.get_data(as_text=True)
    assert (refused.status_code, 'value="Lyon"' in page, 'id="f-siren-p"' in page) == (422, True, True)
    root.post("/settings/company", sent | {"siren": "404833048"})
    assert 'value="404833048"' in text(root, "/settings/company")
    root.get("/settings/general")
    for body, said in ((b"GIF nothing", "A logo is a PNG"), (PNG, "Saved")):
        form = {"csrf_token": root.token, "logo": (io.BytesIO(body), "logo.png")}
        root.client.post("/settings/logo", data=form, headers={"Accept": "text/html"})
        assert said in text(root, "/settings/general")
    found = re.search(r'src="(/brand/logo\?[0-9a-f-]+)"', text(visit(), "/sign-in"))
    assert found is not None
    shown = root.client.get(found[1])
    assert (shown.data, shown.mimetype) == (PNG, "image/png")
    root.get("/settings/general")
    root.post("/settings/logo", {"do": "remove"})
    assert root.get("/brand/logo").status_code == 404


def test_currencies_rates_and_their_faults(root: Visitor) -> None:
    place = "/settings/currencies"
    rate = {"base": "EUR", "to": "USD", "on": "2026-01-31", "rate": "1,0832"}
    assert root.post(f"{place}/rates", rate).status_code == 303
    assert "1 EUR = 1.0832 USD" in text(root, place)
    for change, fault in (({"rate": "x"}, "f-rate-p"), ({"to": "EUR"}, "f-rate-p"), ({"on": ""}, "f-on-p")):
        refused = root.post(f"{place}/rates", rate | change)
        assert (refused.status_code, f'id="{fault}"' in refused.get_data(as_text=True)) == (422, True)
    root.post(f"{place}/rates/remove", {"base": "EUR", "code": "USD", "on": "2026-01-31"})
    assert "1.0832" not in text(root, place)
    assert root.post(place, {"code": "MAD", "name": "Dirham", "symbol": "DH", "digits": "2"}).status_code == 303
    assert root.post(place, {"code": "MAD", "name": "Dirham"}).status_code == 422
    root.post(f"{place}/EUR", {"do": "off"})
    assert "Totals are stated in this currency." in text(root, "/")
    root.post(f"{place}/MAD", {"do": "base"})
    assert re.search(r"<strong>MAD</strong>.{1,150}base currency", text(root, place), re.DOTALL)


def test_pipelines_and_stages_are_rearranged_with_their_opportunities(root: Visitor, crm: Crm) -> None:
    place = "/settings/pipelines"
    with crm.system("test") as ctx:
        company = records.create(ctx, "crm.company", {"name": "Vigne"})
        ctx.session.flush()
        for title in ("A", "B"):
            records.create(ctx, "crm.opportunity", {"title": title, "company_id": company.id})
    root.get(place)
    root.post(f"{place}/1", {"do": "add", "name": "Demo", "kind": "open", "probability": "40", "colour": "teal"})
    root.post(f"{place}/1", {"do": "down", "id": "1"})
    names = re.findall(r'<span class="pill [^"]+">([^<]+)</span> <span class="muted small">', text(root, place))
    assert names[:2] == ["Qualified", "Prospect"]
    root.post(f"{place}/1", {"do": "remove", "id": "1"})
    assert "Choose the stage that takes its place." in text(root, place)
    root.post(f"{place}/1", {"do": "remove", "id": "1", "into": "7"})
    page = text(root, place)
    assert "Prospect<" not in page
    assert "40 % · 2 opportunities" in page
    root.post(f"{place}/1", {"do": "remove", "id": "5", "into": "7"})
    assert "the last stage of its meaning" in text(root, place)
    root.post(place, {"do": "remove", "id": "1", "into": ""})
    assert "There must be a pipeline." in text(root, place)
    root.post(place, {"do": "create", "name": "Partners"})
    root.post(place, {"do": "default", "id": "2"})
    root.post(place, {"do": "remove", "id": "1", "into": "2"})
    page = text(root, place)
    assert "Sales" not in re.findall(r"<h2 id=\"pl\d+\">([^<]+)", page)
    assert 'Prospect</span> <span class="muted small">In progress · 10 % · 2 opportunities' in page


def test_values_of_lists_are_merged_and_ordered_custom_ones_too(root: Visitor, crm: Crm) -> None:
    root.post("/settings/fields/crm.lead/new", {"label": "Size", "kind": "choice", "choices": "Small\nBig\nHuge"})
    root.post("/crm/leads/new", {"last_name": "A", "x_size": "huge", "tags.new": "Hot, Warm"})
    for place, key, into in (("custom.crm.lead.x_size", "huge", "big"), ("crm.tag", "hot", "warm")):
        root.get(f"/settings/lists/{place}")
        asked = root.confirm(f"/settings/lists/{place}", {"do": "merge", "key": key, "into": into})
        assert "(Leads): 1" in asked
    with crm.system("test") as ctx:
        lead = records.get(ctx, "crm.lead", 1)
    assert (lead["x_size"], lead["tags"]) == ("big", ["warm"])
    place = "/settings/lists/custom.crm.lead.x_size"
    root.post(place, {"do": "save", "key": "big", "label": "Large", "colour": "#112233"})
    root.post(place, {"do": "order", "keys": ["big", "small"]})
    root.post(place, {"do": "add", "label": "Tiny", "colour": ""})
    found = crm.registry.choice_lists["custom.crm.lead.x_size"].choices
    assert [(one.label, one.active) for one in found] == [
        ("Large", True), ("Small", True), ("Huge", False), ("Tiny", True),
    ]  # fmt: skip
    asked = root.post(place, {"do": "remove", "key": "big"}).get_data(as_text=True)
    assert "It would be refused: 1 record uses this choice." in asked
    assert 'name="_sure"' not in asked
    root.post(place, {"do": "remove", "key": "big", "_sure": "1"})
    assert "1 record uses this choice." in text(root, place), "the change itself refuses, too"


def test_fields_have_defaults_an_order_and_say_what_goes_with_them(root: Visitor, crm: Crm) -> None:
    place = "/settings/fields/crm.lead"
    fields = {"Seats": ("integer", "12"), "Size": ("choice", "Big"), "Signed": ("boolean", "yes")}
    for label, (kind, default) in fields.items():
        sent = {"label": label, "kind": kind, "default": default, "choices": "Small\nBig" if kind == "choice" else ""}
        assert root.post(f"{place}/new", sent).status_code == 303
    refused = root.post(f"{place}/new", {"label": "Other", "kind": "integer", "default": "many"})
    assert (refused.status_code, 'value="many"' in refused.get_data(as_text=True)) == (422, True)
    root.post("/crm/leads/new", {"last_name": "A", "x_seats": "3"})
    assert 'value="12"' in text(root, "/crm/leads/new")
    root.post(f"{place}/order", {"do": "down", "key": "x_seats"})
    page = text(root, "/settings/fields")
    assert page.index("x_size") < page.index("x_seats")
    root.confirm(f"{place}/x_seats/state", {"wish": "hide"})
    erasing = root.post(f"{place}/x_seats/state", {"wish": "purge"}).get_data(as_text=True)
    assert "records that hold a value: 1" in erasing
    root.post(f"{place}/x_seats/state?wish=show", {})
    assert 'name="x_seats"' in text(root, "/crm/leads/new")


def test_a_switch_of_modules_takes_a_fresh_sign_in(root: Visitor, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "/settings/plugins/lead_scoring"
    allowed = replace(plugins.plan_with_pages(crm, "disable", "crm"), refusal=None)
    monkeypatch.setattr(plugins, "plan_with_pages", lambda *_: allowed)
    assert 'id="password"' not in text(root, f"{place}?wish=enable")
    later = FixedClock(crm.clock.now() + timedelta(minutes=11))
    monkeypatch.setattr(crm, "clock", later)
    assert 'id="password"' in text(root, f"{place}?wish=enable")
    done: list[str] = []
    monkeypatch.setattr(type(crm), "enable", lambda _self, name, **_: done.append(name))
    assert root.post(place, {"wish": "enable"}).status_code == 422
    assert root.post(place, {"wish": "enable", "password": "wrong"}).status_code == 422
    assert done == []
    assert root.post(place, {"wish": "enable", "password": PASSWORD}).status_code == 303
    assert done == ["lead_scoring"]
    assert 'id="password"' not in text(root, f"{place}?wish=enable")


def test_what_was_typed_survives_the_end_of_the_session(root: Visitor) -> None:
    root.client.delete_cookie("giga")
    kept = root.post("/settings/company", {"name": "Vigne", "city": "Lyon"})
    assert (kept.status_code, "Lyon" in kept.get_data(as_text=True)) == (401, True)
