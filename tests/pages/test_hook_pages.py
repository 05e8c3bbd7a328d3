"""Web hooks in the settings: made with a secret shown once, their log, sent again, switched; each by permission."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm
from gigacore.webhooks.tables import core_hook, core_hook_delivery
from tests.pages.conftest import Visitor

HOOKS = "/settings/webhooks"
SECRET = re.compile(r'id="one-time" readonly value="(whsec_[^"]+)"')


@pytest.fixture(autouse=True)
def local(crm: Crm) -> None:
    """Receivers on loopback may be told; nobody listens on port 9."""
    crm.settings = replace(
        crm.settings, outbound_allow=("127.0.0.1",), encryption_key="ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210abcdef"
    )
    vars(crm).pop("outbound", None)
    crm.start()


def subscribed(visitor: Visitor, event: str = "crm.lead.created") -> str:
    visitor.get(f"{HOOKS}/new")
    answer = visitor.post(f"{HOOKS}/new", {"event": event, "target_url": "http://127.0.0.1:9/hook"})
    assert answer.status_code == 200
    return SECRET.findall(answer.get_data(as_text=True))[0]


def test_a_web_hook_is_made_logged_sent_again_switched_and_removed(crm: Crm, root: Visitor) -> None:
    secret = subscribed(root)
    root.post("/crm/leads/new", {"last_name": "Ada"})
    crm.jobs.run_pending()
    page = root.get(f"{HOOKS}/1").get_data(as_text=True)
    assert secret not in page
    assert "waiting" in page
    assert "next attempt" in page
    assert "&#34;last_name&#34;: &#34;Ada&#34;" in page
    with crm.database.begin() as connection:
        connection.execute(sa.update(core_hook_delivery).values(state="dead", status=500, error="no success"))
    page = root.get(f"{HOOKS}/1").get_data(as_text=True)
    assert "given up" in page
    delivery = re.findall(r'name="delivery" value="(\d+)"', page)[0]
    root.post(f"{HOOKS}/1/resend", {"delivery": delivery})
    assert "waiting" in root.get(f"{HOOKS}/1").get_data(as_text=True)
    other = SECRET.findall(root.post(f"{HOOKS}/1/rotate", {}).get_data(as_text=True))[0]
    assert other != secret
    root.post(f"{HOOKS}/1/switch", {"active": "0"})
    with crm.database.begin() as connection:
        connection.execute(sa.update(core_hook).values(why_off="the receiver answered 410 Gone"))
    assert "410 Gone" in root.get(HOOKS).get_data(as_text=True)
    root.post(f"{HOOKS}/1/remove", {})
    assert root.get(f"{HOOKS}/1").status_code == 404


def test_a_refused_address_stays_in_the_form_with_the_reason(root: Visitor) -> None:
    root.get(f"{HOOKS}/new?event=crm.lead.created")
    answer = root.post(f"{HOOKS}/new", {"event": "crm.lead.created", "target_url": "http://10.0.0.1/x"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'value="http://10.0.0.1/x"' in page
    assert "must begin with https://" in page


def test_web_hooks_of_others_stay_out_of_reach(crm: Crm, root: Visitor, visit: Any) -> None:
    subscribed(root)
    user = visit("user")
    assert user.get(f"{HOOKS}/1").status_code in (403, 404)
    for act in ("rotate", "switch", "remove"):
        assert user.post(f"{HOOKS}/1/{act}", {}).status_code in (403, 404)
    assert "127.0.0.1:9" in root.get(HOOKS).get_data(as_text=True)
    assert "127.0.0.1:9" not in user.get(HOOKS).get_data(as_text=True)


SOURCES = "/settings/incoming"
SHOP = {
    "name": "Shop", "key": "shop", "scheme": "hmac_sha256", "header": "x-signature", "secret": "s3cret-of-the-shop",
    "entity": "crm.lead", "field.0": "last_name", "value.0": "{{ body.name }}", "field.1": "email",
    "value.1": "{{ body.mail }}", "match.1": "1",
}  # fmt: skip


def told(root: Visitor, body: dict[str, str]) -> int:
    raw = json.dumps(body).encode()
    signature = hmac.new(SHOP["secret"].encode(), raw, hashlib.sha256).hexdigest()
    headers = {"x-signature": f"sha256={signature}", "content-type": "application/json"}
    return root.client.post("/hooks/in/shop", data=raw, headers=headers).status_code


def test_a_source_makes_records_and_what_failed_is_tried_again(crm: Crm, root: Visitor) -> None:
    root.get(f"{SOURCES}/new")
    rows = root.post(f"{SOURCES}/new", {"entity": "crm.lead", "name": "Shop", "_rows": "1"}).get_data(as_text=True)
    assert 'name="value.3"' in rows
    assert 'value="Shop"' in rows
    bad = root.post(f"{SOURCES}/new", SHOP | {"value.0": "{{ body.name"})
    assert bad.status_code == 422
    assert "Last name" in bad.get_data(as_text=True).partition('class="notice error"')[2][:400]
    made = root.post(f"{SOURCES}/new", SHOP).get_data(as_text=True)
    assert "/hooks/in/shop" in made
    assert SHOP["secret"] in made
    assert SHOP["secret"] not in root.get(SOURCES).get_data(as_text=True)
    assert told(root, {"mail": "ada@example.test"}) == 202
    assert told(root, {"name": "Lovelace", "mail": "ada@example.test"}) == 202
    crm.jobs.run_pending()
    page = root.get(f"{SOURCES}/inbox").get_data(as_text=True)
    assert ">Lovelace</a>" in page
    again = re.findall(r'action="(/settings/incoming/inbox/\d+/again)"', page)
    assert len(again) == 1
    assert root.post(again[0].replace("/1/", "/2/"), {}).status_code == 303
    assert "Only a message that failed" in root.get(f"{SOURCES}/inbox?state=done").get_data(as_text=True)
    root.post(again[0], {})
    assert again[0] not in root.get(f"{SOURCES}/inbox?state=failed").get_data(as_text=True)
    root.post(f"{SOURCES}/1/remove", {})
    assert told(root, {"name": "Late"}) == 404


def test_sources_take_the_right_to_edit(visit: Any, root: Visitor) -> None:
    user = visit("user")
    for path in ("", "/new", "/inbox"):
        assert user.get(f"{SOURCES}{path}").status_code == 403
        assert root.get(f"{SOURCES}{path}").status_code == 200
    assert user.post(f"{SOURCES}/new", SHOP).status_code == 403
    assert user.post(f"{SOURCES}/inbox/1/again", {}).status_code == 403
