"""Names that were half typed in lists, pipelines and roles when a session ended are there again, and not saved."""

from __future__ import annotations

import re

import pytest

from tests.pages.conftest import Visitor
from tests.pages.test_forms import kept_by

TAGS = "/settings/lists/crm.lead_status"
STAGE = {"name": "Précieux", "french": "Très précieux", "kind": "open", "probability": "33"}


@pytest.mark.parametrize(
    ("path", "sent", "opened"),
    [
        (TAGS, {"do": "save", "key": "new", "label": "Précieux", "french": "Cher", "colour": "#112233"}, True),
        (TAGS, {"do": "add", "label": "Précieux", "colour": "#112233"}, False),
        ("/settings/pipelines", {"do": "rename", "id": "1", "name": "Précieux", "french": "Cher"}, True),
        ("/settings/pipelines", {"do": "create", "name": "Précieux"}, False),
        ("/settings/pipelines/1", {"do": "save", "id": "2", **STAGE}, True),
        ("/settings/pipelines/1", {"do": "add", **STAGE}, False),
        ("/settings/roles/manager/name", {"label": "Précieux", "label_fr": "Cher"}, False),
    ],
)
def test_what_was_typed_comes_back(root: Visitor, path: str, sent: dict[str, str], opened: bool) -> None:
    root.post("/sign-out", {})
    answer = root.post(path, sent)
    assert answer.status_code == 401
    assert kept_by(answer.text) == {name: [text] for name, text in sent.items()}
    root.sign_in("super_admin.en@example.test")
    page = root.post(path, {**sent, "_restore": "1"}).get_data(as_text=True)
    for name in ("name", "label", "french", "label_fr", "probability"):
        assert name not in sent or re.search(f'name="{name}"[^>]* value="{sent[name]}"', page), name
    assert "What you typed is still here" in page
    assert ("data-unfold" in page) is opened
    assert "Précieux" not in root.get(path.removesuffix("/name").removesuffix("/1")).get_data(as_text=True)
