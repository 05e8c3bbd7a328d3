"""Of two plugins that replace the same derived surface the second one is refused, told, and runs on without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gigacore import Crm
from tests.faults.house import visited
from tests.pages.conftest import KEYS
from tests.plugins.conftest import make_crm, site

__all__ = ["make_crm", "site"]
WEB = """
def register(routes):
    @routes.surface("crm.lead", "detail")
    def detail(record_id): return "shown by {name}"
"""


def test_the_second_one_is_refused_and_told(make_crm: Callable[..., Crm], site: Any) -> None:
    first, second = sorted(site.add(web=WEB) for _ in range(2))
    crm = make_crm(**KEYS).start()
    for name in (first, second):
        crm.enable(name)
    house = visited(crm)
    page = house.root.get(f"/crm/leads/{house.acknowledged[0]}").get_data(as_text=True)
    assert page == f"shown by {first}"
    assert house.root.get("/crm/leads").status_code == 200, "what nobody replaces stays"
    told = [fault for fault in crm.calls.faults.read() if fault.plugin == second]
    assert [fault.place for fault in told] == ["its pages"]
    assert f"{first} replaces the surface detail of crm.lead already" in told[0].error
    assert f"{first} replaces the surface detail" in house.root.get("/settings/plugins").get_data(as_text=True)
    crm.disable(first)
    assert "Kept 0" in house.root.get(f"/crm/leads/{house.acknowledged[0]}").get_data(as_text=True)
