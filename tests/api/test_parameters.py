"""Parameters that take one of a few words: a word that means nothing is refused, never an empty list."""

from __future__ import annotations

import pytest

from tests.api.conftest import New, People

UNKNOWN = [
    ("/core/trash?entity=x", "entity"),
    ("/core/custom-fields?entity=crm.nothing", "entity"),
    ("/core/rule-runs?state=x", "state"),
    ("/core/rule-runs?entity=x&record=1", "entity"),
    ("/core/rule-runs?entity=crm.lead", "record"),
    ("/core/rule-runs?record=1", "record"),
    ("/core/jobs?state=x", "state"),
    ("/core/jobs?everybody=maybe", "everybody"),
    ("/hooks/inbox?state=x", "state"),
    ("/crm/leads?status=x", "status"),
    ("/crm/leads?visibility=x", "visibility"),
    ("/crm/leads/1/access?verbs=view,x", "verbs"),
]
KNOWN = [
    "/core/trash?entity=crm.lead",
    "/core/custom-fields?entity=crm.lead",
    "/core/rule-runs?state=failed&entity=crm.lead&record=1",
    "/core/jobs?state=done&everybody=1",
    "/hooks/inbox?state=waiting",
    "/crm/leads?status=won&visibility=read",
    "/crm/contacts?tags=nobody%20yet",
    "/crm/leads/1/access?verbs=view,convert",
]


@pytest.mark.parametrize(("path", "field"), UNKNOWN)
def test_an_unknown_word_is_refused_by_its_name(people: People, new: New, path: str, field: str) -> None:
    new(people.root, "crm.lead")
    answer = people.root("GET", path)
    assert answer.status_code == 422, answer.get_json()
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]


@pytest.mark.parametrize("path", KNOWN)
def test_known_words_and_words_of_open_lists_are_answered(people: People, new: New, path: str) -> None:
    new(people.root, "crm.lead")
    assert people.root("GET", path).status_code == 200
