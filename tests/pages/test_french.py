"""The French interface: the words of the trade, and the typography of every page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from gigacore import Crm, records

PATHS = (
    "/", "/home/crm.priority_of_the_day", "/home/crm.sales", "/home/crm.pipeline", "/automations/log",
    "/crm/leads", "/crm/leads/board", "/crm/leads/1", "/crm/leads/1?tab=changes", "/crm/leads/1/around",
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


def spoken(page: str) -> str:
    """What a reader sees or hears of a page, a text a line: also the labels of parts that are still on their way."""
    return "\n".join([shown(page), *map(html.unescape, re.findall(r'aria-label="([^"]+)"', page))])


def faults(text: str) -> list[str]:
    return [text[max(0, one.start() - 30) : one.end() + 10].strip() for one in WRONG.finditer(text)]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ("Pistes", "Opportunités", "Contacts", "Sociétés", "Tâches", "Priorité du jour")),
        (
            "/home/crm.priority_of_the_day",
            ("Priorité du jour", "Pistes à relancer aujourd’hui", "Pistes jamais contactées", "Pistes bloquées"),
        ),
        ("/crm/leads", ("Pistes", "Statut", "Priorité", "Prochaine action le", "Créer une piste")),
        ("/crm/leads/1", ("Piste", "Statut", "Étape", "Priorité", "Clore")),
        (
            "/crm/leads/board",
            ("Nouveau", "À contacter", "Contacté", "En suivi", "Qualifié", "Clos", "Perdu", "À corriger"),
        ),
        ("/crm/leads/new", ("Créer une piste", "Étape", "Prochaine action", "Montant estimé")),
        ("/crm/companies/new", ("Client ou prospect", "Prospect")),
        ("/crm/opportunities/new", ("Étape", "Créer une opportunité", "Clôture prévue")),
        ("/crm/opportunities/board", ("Prospect", "Qualifiée", "Proposition", "Négociation", "Gagnée", "Perdue")),
        ("/settings/lists/crm.next_action", ("Prochaines actions", "Relancer", "Appel")),
        ("/settings/fields", ("Pistes", "Opportunités", "Étapes")),
        ("/automations/new", ("Quand", "Type de fiche", "Créer une fiche")),
    ],
)
def test_the_interface_uses_the_words_of_the_trade(reader: Any, path: str, words: tuple[str, ...]) -> None:
    lines = {line.strip() for line in re.split(r"[\n:]", spoken(reader.get(path).get_data(as_text=True)))}
    assert [word for word in words if word not in lines] == []


def test_a_word_within_another_is_not_taken_for_it() -> None:
    assert "Clos" not in spoken('<body><p>Clos le</p><script>"Clos"</script></body>').split("\n")


def test_every_page_keeps_french_typography(reader: Any) -> None:
    found = {path: faults(shown(reader.get(path).get_data(as_text=True))) for path in PATHS}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert "1\u202f234,50\u00a0€" in shown(reader.get("/crm/leads/1").get_data(as_text=True))


def test_what_was_typed_wrongly_is_named_with_french_typography(reader: Any) -> None:
    sent = {"last_name": "Durand", "next_action_at": "31/31/2026"}
    page = shown(reader.post("/crm/leads/new", sent).get_data(as_text=True))
    assert "Prochaine action le\u00a0: Indiquez une date et une heure" in page
    assert faults(page) == []


def test_money_dates_and_phones_are_typed_and_read_as_in_france(reader: Any) -> None:
    sent = {
        "last_name": "Durand", "amount": "1 234,5", "amount.currency": "EUR", "next_action_at": "31/12/2026 14:30",
        "phone": "01 23 45 67 89",
    }  # fmt: skip
    path = reader.post("/crm/leads/new", sent).headers["Location"].partition("?")[0]
    form = html.unescape(reader.get(f"{path}/edit").get_data(as_text=True))
    kept = [re.search(rf'name="{name}"[^>]* value="([^"]*)"', form) for name in ("amount", "next_action_at", "phone")]
    assert [found and found[1] for found in kept] == ["1234,50", "31/12/2026 14:30", "01 23 45 67 89"]
    text = shown(reader.get(path).get_data(as_text=True))
    assert [word for word in ("1\u202f234,50\u00a0€", "01 23 45 67 89") if word not in text] == []


def test_the_look_at_typography_sees_faults() -> None:
    for wrong in ("Nom : x", "Quoi ?", "Nom: x", "« Oui", "Oui!", "Attendez...", "l'an", "1 234.50 €", "12 €"):
        assert faults(wrong), wrong
    assert faults("Nom\u00a0: «\u00a0x\u00a0», 10:30, l’an\u202f!") == []
