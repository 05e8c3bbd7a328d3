"""The contract runs a plugin together with the installed plugins that it requires."""

from __future__ import annotations

from gigacore import Plugin
from gigacore.testing.contract import required


def test_what_a_plugin_requires_runs_beside_it() -> None:
    assert [one.name for one in required(Plugin("visits", requires=["crm", "lead_scoring"]))] == ["lead_scoring"]
    assert required(Plugin("visits", requires=["crm"])) == []
