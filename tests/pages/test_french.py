"""The French interface: the words of the trade, and the typography of every page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from gigacore import Crm, records

PATHS = (
    "/", "/crm/leads", "/crm/leads/board", "/crm/leads/1", "/crm/leads/1?tab=changes", "/crm/leads/1/around",
    "/crm/leads/1/edit", "/crm/opportunities/new", "/crm/leads/builder?status=new", "/crm/leads/import",
    "/crm/leads?q=nobody",
    "/crm/tasks", "/search?q=martin", "/trash", "/notifications", "/automations", "/automations/new", "/settings",
    "/settings/company", "/settings/general", "/settings/currencies", "/settings/fields",
    "/settings/fields/crm.lead/new",
    "/settings/lists", "/settings/pipelines", "/settings/users/new", "/settings/users/1", "/settings/teams/new",
    "/settings/roles/manager", "/settings/plugins", "/settings/jobs", "/settings/jobs/schedules", "/settings/backups",
    "/settings/templates", "/settings/webhooks/new", "/settings/incoming", "/nothing",
)  # fmt: skip
UNSEEN = re.compile(
    r'<(script|style|template|code|pre|kbd)\b.*?</\1>|<span class="vh">.*?</span>|<!--.*?-->', re.DOTALL
)
WRONG = re.compile(
    r"\w [:;!?»](?!\w)|« |\w[;!?](?=\s|$)|[^\W\d]:(?=\s|$)|\.\.\.|[^\W\d]'\w|\d\.\d\d [€$]|\d [€$](?=\s|$)"
)  # fmt: skip


@pytest.fixture
def reader(crm: Crm, visit: Any) -> Any:
    with crm.system("lead") as ctx:
        data = {"last_name": "Martin", "amount": {"amount": "1234.50", "currency": "EUR"}, "email": "a@example.test"}
        number = records.create(ctx, "crm.lead", data).id
    with crm.system("change") as ctx:
        records.update(ctx, "crm.lead", number, {"status": "contacted"})
    return visit("super_admin", "fr")


def shown(page: str) -> str:
    """What a reader sees of a page: its text, placeholders and hints. What is only spoken has no typography."""
    told = re.findall(r'(?:placeholder|title)="([^"]+)"', page)
    body = re.sub(r"<[^>]+>", "\n", UNSEEN.sub("\n", page.partition("<body")[2]))
    return html.unescape("\n".join([body, *told]))


def faults(text: str) -> list[str]:
    return [text[max(0, one.start() - 30) : one.end() + 10].strip() for one in WRONG.finditer(text)]


def test_the_interface_uses_the_words_of_the_trade(reader: Any) -> None:
    for path, words in (
        ("/", ("Pistes", "Opportunités", "Contacts", "Sociétés")),
        ("/crm/leads/1", ("Statut", "Étape", "Priorité", "Prochaine action")),
        ("/crm/leads/board", ("Nouveau", "À contacter", "Contacté", "Qualifié", "Clos", "Perdu")),
        ("/crm/leads/new", ("Créer une piste", "Prochaine action", "Montant estimé")),
        ("/crm/companies/new", ("Prospect",)),
        ("/crm/opportunities/new", ("Étape", "Créer une opportunité")),
    ):
        text = shown(reader.get(path).get_data(as_text=True))
        assert [word for word in words if word not in text] == [], path


def test_every_page_keeps_french_typography(reader: Any) -> None:
    found = {path: faults(shown(reader.get(path).get_data(as_text=True))) for path in PATHS}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert "1\u202f234,50\u00a0€" in shown(reader.get("/crm/leads/1").get_data(as_text=True))


def test_the_look_at_typography_sees_faults() -> None:
    for wrong in ("Nom : x", "Quoi ?", "Nom: x", "« Oui", "Oui!", "Attendez...", "l'an", "1 234.50 €", "12 €"):
        assert faults(wrong), wrong
    assert faults("Nom\u00a0: «\u00a0x\u00a0», 10:30, l’an\u202f!") == []
