"""Mails sent and templates in the settings: states, links by sight, a second try, preview, conflicts, languages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from gigacore import Crm, mail
from gigacore.mail import core_mail
from tests.pages.conftest import Visitor

MAILS, TEMPLATES = "/settings/mails", "/settings/templates"
WELCOME = {
    "kind": "core.mail", "key": "welcome", "name": "Welcome", "language": "en", "entity": "crm.lead",
    "subject": "Hello {{ record.last_name }}", "body": "Dear {{ record.last_name }},\n{{ today | date }}",
}  # fmt: skip


def test_a_mail_that_failed_is_sent_again_and_links_follow_sight(crm: Crm, root: Visitor, visit: Any) -> None:
    root.get("/crm/leads/new")
    root.post("/crm/leads/new", {"last_name": "Lovelace"})
    with crm.system("test") as ctx:
        for address in ("ada@example.test", "bob@example.test"):
            mail.send(ctx, address, "Welcome", "Hello", records=[("crm.lead", 1)])
        ctx.session.connection().execute(
            sa.update(core_mail).where(core_mail.c.id == 1).values(state="failed", error="550 no such user")
        )  # fmt: skip
    page = root.get(f"{MAILS}?state=failed").get_data(as_text=True)
    assert "550 no such user" in page
    assert ">Lovelace</a>" in page
    assert "bob@example.test" not in page
    assert "bob@example.test" in root.get(f"{MAILS}?to=bob@example.test").get_data(as_text=True)
    user = visit("user")
    assert user.get(MAILS).status_code == 403
    assert user.post(f"{MAILS}/1/again", {}).status_code == 403
    root.post(f"{MAILS}/2/again", {})
    assert "Only a mail that failed" in root.get(MAILS).get_data(as_text=True)
    assert root.post(f"{MAILS}/1/again", {}).status_code == 303
    with crm.database.connect() as connection:
        assert connection.scalars(sa.select(core_mail.c.state).order_by(core_mail.c.id)).all() == ["queued", "queued"]
    assert root.post(f"{MAILS}/99/again", {}).status_code == 404


def test_a_template_is_written_tried_on_a_record_translated_and_deleted(crm: Crm, root: Visitor) -> None:
    root.get("/crm/leads/new")
    root.post("/crm/leads/new", {"last_name": "Lovelace"})
    root.get(f"{TEMPLATES}/new")
    tried = root.post(f"{TEMPLATES}/preview", WELCOME | {"record": "1"}).get_data(as_text=True)
    assert "Hello Lovelace" in tried
    assert "Dear Lovelace" in tried
    wrong = WELCOME | {"body": "one\n{% if %}"}
    assert "Line 2" in root.post(f"{TEMPLATES}/preview", wrong | {"record": "1"}).get_data(as_text=True)
    answer = root.post(f"{TEMPLATES}/new", wrong)
    assert answer.status_code == 422
    assert "Line 2" in answer.get_data(as_text=True)
    assert "record.last_name" in root.post(f"{TEMPLATES}/around", WELCOME).get_data(as_text=True)
    assert root.post(f"{TEMPLATES}/new", WELCOME).status_code == 303
    assert root.post(f"{TEMPLATES}/new", WELCOME).status_code == 422
    assert "Add Français" in root.get(TEMPLATES).get_data(as_text=True)
    assert "Hello {{ record.last_name }}" in root.get(f"{TEMPLATES}/new?from=1&language=fr").get_data(as_text=True)
    root.post(f"{TEMPLATES}/new", WELCOME | {"language": "fr", "subject": "Bonjour"})
    assert "Add Français" not in root.get(TEMPLATES).get_data(as_text=True)
    assert root.post(f"{TEMPLATES}/1", WELCOME | {"_version": "1", "body": "new"}).status_code == 303
    late = root.post(f"{TEMPLATES}/1", WELCOME | {"_version": "1", "body": "mine"})
    assert late.status_code == 409
    assert "mine" in late.get_data(as_text=True)
    assert "new" in root.get(f"{TEMPLATES}/1").get_data(as_text=True)
    root.post(f"{TEMPLATES}/1/remove", {})
    assert root.get(f"{TEMPLATES}/1").status_code == 404


def test_templates_take_the_right_to_edit(root: Visitor, visit: Any) -> None:
    user = visit("user")
    for path in ("", "/new"):
        assert user.get(f"{TEMPLATES}{path}").status_code == 403
        assert root.get(f"{TEMPLATES}{path}").status_code == 200
    assert user.post(f"{TEMPLATES}/new", WELCOME).status_code == 403
    assert user.post(f"{TEMPLATES}/preview", WELCOME).status_code == 403
    assert TEMPLATES not in user.get("/settings").get_data(as_text=True)
