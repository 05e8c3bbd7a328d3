"""What a plugin may put into pages, shown by the example `visits` beside another plugin on the same record."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gigacore import Crm, Plugin, records
from gigacore.errors import PluginError
from gigacore.ui import Panel
from host_app.headers import content_policy
from tests.pages.conftest import Visitor

EXAMPLE = Path(__file__).parents[2] / "examples/visits_plugin"


def visits() -> Plugin:
    sys.path.insert(0, str(EXAMPLE))
    try:
        plugin: Plugin = import_module("gigacore_visits").plugin
    finally:
        sys.path.remove(str(EXAMPLE))
    return plugin


def same_words(_ctx: Any, _record: Any) -> Sequence[Any]:
    return ()


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Sequence[Plugin]:
    """The example, and one that uses the same words for its own parts of the same record."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    other = Panel(name="routes.summary", label="Visits", entity="crm.company", load=same_words)
    return visits(), Plugin(
        "routes", requires=("crm",), panels=[other], csp={"connect-src": ["https://api.example.com"]}
    )


@pytest.fixture
def company(crm: Crm) -> str:
    with crm.system("company") as ctx:
        data = {"name": "Acme", "visibility": "write", "visits": {"last_visit": "2020-01-31"}}
        return f"/crm/companies/{records.create(ctx, 'crm.company', data).id}"


def text(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_its_parts_stand_in_their_places_in_both_languages(company: str, root: Visitor, visit: Any) -> None:
    home = text(root, "/")
    assert "Visits that are due" in home
    assert re.search(rf'href="{company}"[^>]*>(<[^>]*>)*Acme', home)
    assert 'href="/visits/map"' in home
    assert re.search(r"<th[^>]*>(<a[^>]*>)?Last visit", text(root, "/crm/companies"))
    record = text(root, company)
    assert record.count(">Visits</h2>") >= 2
    assert "Next visit" in record
    assert "Log a visit" in record
    assert "Apr 30, 2020" in text(root, f"{company}?tab=visits.plan")
    form = text(root, f"{company}/edit")
    assert re.search(r"<h2[^>]*>Visits</h2>", form)
    assert 'name="visits.last_visit"' in form
    assert 'value="01/31/2020"' in form
    assert "Days between two visits" in text(root, "/settings/plugin/visits.rhythm")
    assert "Dernière visite" in text(visit("super_admin", "fr"), "/visits/map")


def test_what_one_does_with_it(crm: Crm, company: str, root: Visitor) -> None:
    assert root.post(f"{company}/actions/visits_log", {"_asked": "1", "day": "02/29/2024"}).status_code == 303
    number = int(company.rsplit("/", 1)[1])
    sent = {"action": "plugin:visits_plan", "id": [str(number)], "back": "/crm/companies", "_go": "1"}
    assert root.post("/crm/companies/bulk", sent | {"day": "03/31/2024"}).status_code == 303
    with crm.system("look") as ctx:
        assert str(records.get(ctx, "crm.company", number)["visits"]["last_visit"]) == "2024-02-29"
        (task,) = records.page(ctx, "crm.task", records.ListRequest(fields=("title", "company_id"))).items
    assert task["company_id"]["id"] == number


def test_its_script_and_the_hosts_of_both_plugins_are_in_the_policy(root: Visitor) -> None:
    answer = root.get("/visits/map")
    policy = answer.headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://tiles.example.com" in policy
    assert "connect-src 'self' https://api.example.com" in policy
    assert "script-src 'self';" in policy
    assert "example.com" not in content_policy()
    (script,) = re.findall(r'src="(/visits/assets/map.js[^"]*)"', answer.get_data(as_text=True))
    assert root.get(script).mimetype == "text/javascript"


@pytest.mark.parametrize(
    "csp",
    [
        {"script-src": ["https://cdn.example.com"]}, {"img-src": ["*"]}, {"img-src": ["https:"]},
        {"connect-src": ["'unsafe-inline'"]}, {"connect-src": ["https://a.example.com; script-src *"]},
        {"connect-src": ["http://a.example.com"]}, {"connect-src": "https://a.example.com"},
    ],
)  # fmt: skip
def test_a_policy_that_would_open_pages_is_refused(csp: Any) -> None:
    with pytest.raises(PluginError, match="page policy"):
        Plugin("wild", csp=csp)
